/* SPDX-License-Identifier: MIT */
/* ping ADDRESS [COUNT]: echo requests, a second apart. */
#include "../lib.h"

int main(int argc, char **argv)
{
    uint32_t to = argc > 1 ? address(argv[1]) : 0;
    unsigned count = argc > 2 ? number(argv[2]) : 3, answers = 0;

    if (!to)
        return complain("usage: ping ADDRESS [COUNT]", 0);
    for (unsigned i = 0; i < count; i++) {
        long us = CALL(ping, to, i + 1, 1000);

        if (us == -EINTR)
            break;
        if (us < 0) {
            complain(argv[1], us);
            continue;
        }
        answers++;
        printf("%s: %u: %ld.%03ld ms\n", argv[1], i + 1, us / 1000, us % 1000);
        if (i + 1 < count)
            CALL(sleep, 1000);
    }
    return answers ? 0 : 1;
}
