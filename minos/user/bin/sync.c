/* SPDX-License-Identifier: MIT */
/* Brings everything written onto the disk. */
#include "../lib.h"

int main(int argc, char **argv)
{
    long error = CALL(sync);

    (void)argc, (void)argv;
    return error ? complain("disk", error) : 0;
}
