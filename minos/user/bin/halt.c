/* SPDX-License-Identifier: MIT */
/* Unmounts the disk and ends the machine, with a status if given. */
#include "../lib.h"

int main(int argc, char **argv)
{
    CALL(halt, argc > 1 ? number(argv[1]) : 0);
    return 1;
}
