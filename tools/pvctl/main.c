/* SPDX-License-Identifier: MIT */
/* pvctl: the user's command. Runs in domain 0, on Debian's libxenctrl, libxenguest and libxenstore.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pvctl.h"

static const struct command {
    const char *name, *arguments, *what;
    int (*fn)(struct ctl *, int, char **);
    enum { NOTHING, HYPERVISOR, STORE } needs;
    bool options; /* it tells of them itself */
} commands[] = {
    {"run", "KERNEL [OPTION...]",
     "start a guest, be its console, end as it ends (--help lists the options)", cmd_run, STORE,
     true},
    {"create", "KERNEL [OPTION...]", "the same in the background; prints the domain's number",
     cmd_create, STORE, true},
    {"list", "[--json]", "the domains, with memory, CPU time and state", cmd_list, STORE, false},
    {"console", "DOMAIN", "attach to the console of a created guest; Ctrl-] leaves", cmd_console,
     STORE, false},
    {"pause", "DOMAIN", "keep its processors from running", cmd_pause, STORE, false},
    {"unpause", "DOMAIN", "let them run again", cmd_unpause, STORE, false},
    {"shutdown", "DOMAIN [--reboot]", "ask its kernel to power off", cmd_shutdown, STORE, false},
    {"destroy", "DOMAIN", "end it at once", cmd_destroy, STORE, false},
    {"stats", "DOMAIN [--json]", "what it has used so far: CPU time, hypercalls, grants, I/O",
     cmd_stats, STORE, false},
    {"trace", "DOMAIN [OPTION...]", "record its hypercalls (--help lists the options)", cmd_trace,
     STORE, true},
    {"advise", "DOMAIN|FILE [OPTION...]", "read such a record: what could be batched", cmd_advise,
     NOTHING, true},
    {"log", "", "the hypervisor's log", cmd_log, HYPERVISOR, false},
    {"why", "DOMAIN", "the sentences on what was refused to it", cmd_why, STORE, false},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("pvctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(EXIT_BROKEN);
}

void progress(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("pvctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static void usage(FILE *to)
{
    fputs("usage: pvctl COMMAND ...\nDOMAIN is a name or a number.\n", to);
    for (unsigned i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s%-20s %s\n", commands[i].name, commands[i].arguments, commands[i].what);
}

int main(int argc, char **argv)
{
    struct ctl c = {NULL, NULL};
    const struct command *cmd = NULL;

    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage(stdout);
        return 0;
    }
    for (unsigned i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            cmd = &commands[i];
    if (!cmd) {
        fprintf(stderr, "pvctl: no command '%s'\n", argv[1]);
        usage(stderr);
        return EXIT_USAGE;
    }
    if (argc > 2 && !strcmp(argv[2], "--help")) {
        if (cmd->options)
            return cmd->fn(&c, argc - 2, argv + 2);
        printf("usage: pvctl %s %s\n%s\n", cmd->name, cmd->arguments, cmd->what);
        return 0;
    }
    if (cmd->needs >= HYPERVISOR && !(c.xc = xc_interface_open(NULL, NULL, 0)))
        die("no hypervisor: /dev/xen/privcmd cannot be opened (is this domain 0, and xen-privcmd "
            "loaded?)");
    if (cmd->needs == STORE && !(c.xs = xs_open(0)))
        die("no store: start xenstore-lite first");
    return cmd->fn(&c, argc - 2, argv + 2);
}
