/* SPDX-License-Identifier: MIT */
/* The command line, which is C xenstored's as far as it makes sense here. */
#ifndef XSL_OPTIONS_H
#define XSL_OPTIONS_H

#include <stdbool.h>
#include "store.h"

struct options {
    bool no_domains, no_fork, no_holder, no_journal, print_pid, verbose;
    const char *pid_file, *trace_file;
    const char *directory; /* of the socket and the journal */
};

/* Also sets quotas of the store. Ends the process if the arguments are wrong, or ask for help. */
void options_parse(struct options *o, struct store *s, int argc, char **argv);

#endif
