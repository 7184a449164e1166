/* SPDX-License-Identifier: MIT */
/* Seconds since 1970, and since boot. */
#include "../lib.h"

int main(int argc, char **argv)
{
    struct minos_time t;

    (void)argc, (void)argv;
    CALL(time, &t);
    printf("%lu, up %lu.%03lu s\n", t.wall_seconds, t.uptime_ns / 1000000000,
           t.uptime_ns / 1000000 % 1000);
    return 0;
}
