/* SPDX-License-Identifier: MIT */
/* Copies files, or standard input, to standard output. */
#include "../lib.h"

static char buffer[16384];

static int copy(const char *name, int in)
{
    long n;

    while ((n = read(in, buffer, sizeof(buffer))) > 0)
        if (write(1, buffer, n) != n)
            return complain("standard output", 0);
    return n < 0 ? complain(name, n) : 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    if (argc == 1)
        return copy("standard input", 0);
    for (int i = 1; i < argc; i++) {
        int f = open(argv[i], O_READ);

        status |= f < 0 ? complain(argv[i], f) : copy(argv[i], f);
        close(f);
    }
    return status;
}
