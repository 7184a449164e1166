/* SPDX-License-Identifier: MIT */
/* The first program: runs a shell, takes in orphans. When the shell ends, so does the machine. */
#include "../lib.h"

int main(int argc, char **argv)
{
    char *shell[] = {"sh", NULL};
    int status = 0, child, ended;

    (void)argc, (void)argv;
    child = CALL(fork);
    if (!child) {
        exec(shell);
        exit(127);
    }
    do
        ended = CALL(wait, &status);
    while (ended != child);
    CALL(halt, status);
    return 0;
}
