/* SPDX-License-Identifier: MIT */
/* Renames a file or a directory. */
#include "../lib.h"

int main(int argc, char **argv)
{
    long error;

    if (argc != 3)
        return complain("usage: mv FROM TO", 0);
    error = CALL(rename, argv[1], argv[2]);
    return error ? complain(argv[1], error) : 0;
}
