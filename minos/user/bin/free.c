/* SPDX-License-Identifier: MIT */
/* What memory and disk have left, and what processes did since boot. */
#include "../lib.h"

int main(int argc, char **argv)
{
    struct minos_sysinfo s;

    (void)argc, (void)argv;
    CALL(sysinfo, &s);
    printf("memory %lu KiB, free %lu KiB\n", s.pages * 4, s.free_pages * 4);
    if (s.disk_blocks)
        printf("disk %lu KiB, free %lu KiB\n", s.disk_blocks * (s.disk_block_size / 1024),
               s.disk_free * (s.disk_block_size / 1024));
    printf("%lu forks, %lu page faults, %lu pages copied\n", s.forks, s.faults, s.copies);
    return 0;
}
