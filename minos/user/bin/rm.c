/* SPDX-License-Identifier: MIT */
/* Removes files and empty directories. */
#include "../lib.h"

int main(int argc, char **argv)
{
    int status = 0;

    for (int i = 1; i < argc; i++) {
        long error = CALL(unlink, argv[i]);

        if (error)
            status = complain(argv[i], error);
    }
    return status;
}
