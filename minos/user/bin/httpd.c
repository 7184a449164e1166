/* SPDX-License-Identifier: MIT */
/* httpd [DIRECTORY [PORT [COUNT]]]: serves files over HTTP; a process for each connection. */
#include "../lib.h"

static char request[2048], buffer[16384];

static void answer(int connection, const char *status, unsigned long size)
{
    fprintf(connection, "HTTP/1.0 %s\r\nContent-Length: %lu\r\nConnection: close\r\n\r\n", status,
            size);
}

/* Up to the empty line that ends the request's head. */
static bool read_request(int connection)
{
    size_t used = 0;

    while (used + 1 < sizeof(request)) {
        long n = read(connection, request + used, sizeof(request) - 1 - used);

        if (n <= 0)
            return false;
        used += n;
        request[used] = 0;
        for (const char *s = request; (s = strchr(s, '\n')); s++)
            if (s[1] == '\n' || (s[1] == '\r' && s[2] == '\n'))
                return true;
    }
    return false;
}

/* The file named in the request; paths that lead upwards are none. */
static int open_requested(const char *directory, struct minos_stat *s)
{
    char path[256], *name = request + 4, *end = strchr(name, ' ');

    if (strncmp(request, "GET /", 5) || !end)
        return -ENOENT;
    *end = 0;
    for (const char *p = name; (p = strchr(p, '.')); p++)
        if (p[1] == '.')
            return -ENOENT;
    format(path, sizeof(path), "%s%s", directory, name);
    if (CALL(stat, path, s) || s->mode & S_DIRECTORY)
        return -ENOENT;
    return open(path, O_READ);
}

static int serve(int connection, const char *directory)
{
    struct minos_stat s;
    long n;
    int f;

    if (!read_request(connection))
        return 1;
    f = open_requested(directory, &s);
    if (f < 0) {
        answer(connection, "404 Not Found", 0);
        return 1;
    }
    answer(connection, "200 OK", s.size);
    while ((n = read(f, buffer, sizeof(buffer))) > 0)
        if (write(connection, buffer, n) != n)
            return 1;
    return n < 0;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "/disk";
    unsigned port = argc > 2 ? number(argv[2]) : 80;
    unsigned long left = argc > 3 ? number(argv[3]) : ~0ul;
    int listener = CALL(listen, port), status;

    if (listener < 0)
        return complain("listen", listener);
    printf("httpd: serving %s at port %u\n", directory, port);
    for (; left; left--) {
        int connection = CALL(accept, listener);
        int child;

        if (connection < 0)
            return complain("accept", connection);
        child = CALL(fork);
        if (!child)
            exit(serve(connection, directory));
        close(connection);
        CALL(wait, &status);
    }
    return 0;
}
