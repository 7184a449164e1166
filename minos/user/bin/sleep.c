/* SPDX-License-Identifier: MIT */
/* Sleeps for seconds. */
#include "../lib.h"

int main(int argc, char **argv)
{
    return argc > 1 && CALL(sleep, number(argv[1]) * 1000) ? 1 : 0;
}
