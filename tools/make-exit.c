/* SPDX-License-Identifier: MIT */
/* $(exit-with N) for the Makefile: ends make with status N unless N is 0. By itself make knows the
 * statuses 0, 1 and 2 only, but `make run CMD=...` is to end as its command did. */
#include <gnumake.h>
#include <stdlib.h>

/* Names that make looks for: a promise about the licence, and this file's name up to the dash. */
int plugin_is_GPL_compatible;
int make_gmk_setup(void);

static char *exit_with(const char *name, unsigned argc, char **argv)
{
    int status = atoi(argv[0]);

    (void)name;
    (void)argc;
    if (status)
        exit(status);
    return NULL;
}

int make_gmk_setup(void)
{
    gmk_add_function("exit-with", exit_with, 1, 1, GMK_FUNC_DEFAULT);
    return 1;
}
