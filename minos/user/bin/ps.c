/* SPDX-License-Identifier: MIT */
/* Lists processes: number, parent, state, hundredths of seconds of processor time, name. */
#include "../lib.h"

static struct minos_process list[64];

int main(int argc, char **argv)
{
    long n = CALL(processes, list, 64);

    (void)argc, (void)argv;
    for (long i = 0; i < n; i++)
        printf("%5d %5d %c %6lu %s\n", list[i].pid, list[i].parent, list[i].state, list[i].ticks,
               list[i].name);
    return 0;
}
