/* SPDX-License-Identifier: MIT */
/* fetch ADDRESS PORT PATH: a file over HTTP, to standard output. */
#include "../lib.h"

static char buffer[8192];

/* What is behind the first empty line; NULL while it has not come. */
static char *body(char *s)
{
    for (; (s = strchr(s, '\n')); s++)
        if (!strncmp(s, "\n\r\n", 3))
            return s + 3;
    return NULL;
}

int main(int argc, char **argv)
{
    size_t used = 0;
    char *start = NULL;
    long n;
    int c;

    if (argc != 4)
        return complain("usage: fetch ADDRESS PORT PATH", 0);
    c = CALL(connect, address(argv[1]), number(argv[2]));
    if (c < 0)
        return complain(argv[1], c);
    fprintf(c, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", argv[3], argv[1]);
    while (!start && (n = read(c, buffer + used, sizeof(buffer) - 1 - used)) > 0) {
        used += n;
        buffer[used] = 0;
        start = body(buffer);
    }
    if (!start || strncmp(strchr(buffer, ' ') ? strchr(buffer, ' ') : "", " 200", 4))
        return complain(argv[3], -ENOENT);
    write(1, start, buffer + used - start);
    while ((n = read(c, buffer, sizeof(buffer))) > 0)
        write(1, buffer, n);
    return n ? complain(argv[1], n) : 0;
}
