/* SPDX-License-Identifier: MIT */
/* A client of the store that sets a watch, has it fire, and removes it, again and again: watches
 * COUNT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define NODE "/watches/node"

static bool event(struct xs_handle *xs)
{
    unsigned n;
    char **got = xs_read_watch(xs, &n);
    bool ok = got && !strcmp(got[XS_WATCH_PATH], NODE) && !strcmp(got[XS_WATCH_TOKEN], "token");

    free(got);
    return ok;
}

static bool turn(struct xs_handle *xs)
{
    return xs_watch(xs, NODE, "token") && event(xs) && xs_write(xs, XBT_NULL, NODE, "x", 1) &&
           event(xs) && xs_unwatch(xs, NODE, "token");
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    struct xs_handle *xs = xs_open(0);

    if (!count || !xs) {
        fputs("usage: watches COUNT (with a store that answers)\n", stderr);
        return 2;
    }
    while (count--) {
        if (!turn(xs)) {
            perror("watches");
            return 1;
        }
    }
    xs_rm(xs, XBT_NULL, "/watches");
    xs_close(xs);
    return 0;
}
