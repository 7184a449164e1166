/* SPDX-License-Identifier: MIT */
/* spin [SECONDS]: uses the processor, as long or for ever. */
#include "../lib.h"

static uint64_t uptime(void)
{
    struct minos_time t;

    CALL(time, &t);
    return t.uptime_ns;
}

int main(int argc, char **argv)
{
    uint64_t end = argc > 1 ? uptime() + number(argv[1]) * 1000000000 : ~0ul;

    while (uptime() < end)
        for (volatile unsigned i = 0; i < 100000; i++)
            ;
    return 0;
}
