/* SPDX-License-Identifier: MIT */
/* udpecho PORT [COUNT]: sends each datagram back. */
#include "../lib.h"

static char buffer[1024];

int main(int argc, char **argv)
{
    int f = CALL(udp_open, argc > 1 ? number(argv[1]) : 7);

    if (f < 0)
        return complain("port", f);
    for (unsigned long left = argc > 2 ? number(argv[2]) : ~0ul; left; left--) {
        struct minos_endpoint from;
        long n = CALL(udp_receive, f, &from, buffer, sizeof(buffer));

        if (n < 0)
            return complain("receive", n);
        CALL(udp_send, f, &from, buffer, n);
    }
    return 0;
}
