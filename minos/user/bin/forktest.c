/* SPDX-License-Identifier: MIT */
/* forktest [ROUNDS]: memory after fork is each process's own, whoever writes first; none is lost.
 */
#include "../lib.h"

#define PAGES 32

static volatile unsigned long pages[PAGES][512];

/* Marks every other page, then looks at all of them: 1 if one is not as it should be. */
static int child(unsigned long mark)
{
    for (int i = 0; i < PAGES; i += 2)
        pages[i][i] = mark;
    for (int i = 0; i < PAGES; i++)
        if (pages[i][i] != (i % 2 ? (unsigned long)i : mark))
            return 1;
    return 0;
}

static unsigned long free_pages(void)
{
    struct minos_sysinfo s;

    CALL(sysinfo, &s);
    return s.free_pages;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? number(argv[1]) : 8, bad = 0;
    unsigned long before = 0;

    for (int i = 0; i < PAGES; i++)
        pages[i][i] = i;
    for (unsigned r = 0; r < rounds; r++) {
        int status;

        for (int n = 0; n < 4; n++)
            if (!CALL(fork))
                exit(child(1000 + r * 4 + n));
        for (int n = 0; n < 4; n++) {
            CALL(wait, &status);
            bad += status != 0;
        }
        for (int i = 0; i < PAGES; i++)
            bad += pages[i][i] != (unsigned long)i;
        if (!before)
            before = free_pages(); /* the kernel's own caches have grown by now */
    }
    if (rounds && free_pages() != before) {
        printf("forktest: %ld pages lost\n", (long)(before - free_pages()));
        bad++;
    }
    printf("forktest: %u rounds, %u errors\n", rounds, bad);
    return bad != 0;
}
