/* SPDX-License-Identifier: MIT */
/* fill KIB: that much reproducible noise on standard output. */
#include "../lib.h"

static uint64_t buffer[512];

int main(int argc, char **argv)
{
    uint64_t x = 88172645463325252ul;

    for (unsigned long left = argc > 1 ? number(argv[1]) : 1; left; left--) {
        for (int i = 0; i < 128; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            buffer[i] = x;
        }
        if (write(1, buffer, 1024) != 1024)
            return complain("standard output", -ENOSPC);
    }
    return 0;
}
