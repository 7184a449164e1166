/* SPDX-License-Identifier: MIT */
/* Copies a file. */
#include "../lib.h"

static char buffer[65536];

int main(int argc, char **argv)
{
    int in, out;
    long n;

    if (argc != 3)
        return complain("usage: cp FROM TO", 0);
    in = open(argv[1], O_READ);
    if (in < 0)
        return complain(argv[1], in);
    out = open(argv[2], O_WRITE | O_CREATE | O_TRUNC);
    if (out < 0)
        return complain(argv[2], out);
    while ((n = read(in, buffer, sizeof(buffer))) > 0) {
        long written = write(out, buffer, n);

        if (written != n)
            return complain(argv[2], written < 0 ? written : -ENOSPC);
    }
    return n ? complain(argv[1], n) : 0;
}
