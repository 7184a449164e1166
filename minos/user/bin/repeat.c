/* SPDX-License-Identifier: MIT */
/* repeat COUNT COMMAND [ARGUMENT...]: so often, or, if COUNT is 0, for ever; until it fails. */
#include "../lib.h"

int main(int argc, char **argv)
{
    unsigned long left = argc > 2 ? number(argv[1]) : 0;
    int status = 0;

    if (argc < 3)
        return complain("usage: repeat COUNT COMMAND [ARGUMENT...]", 0);
    do {
        int child = CALL(fork), ended;

        if (child < 0)
            return complain(argv[2], child);
        if (!child) {
            int error = exec(argv + 2);

            complain(argv[2], error);
            exit(127);
        }
        do
            ended = CALL(wait, &status);
        while (ended > 0 && ended != child);
    } while (!status && --left);
    return status;
}
