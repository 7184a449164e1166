/* SPDX-License-Identifier: MIT */
/* Parsing of the command line. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: xenstore-lite [OPTION]...\n"
    "Serves the xenstore on its socket, to domain 0's kernel and to other domains.\n"
    "  -D, --no-domain-init     only the socket: no hypervisor is needed\n"
    "  -N, --no-fork            stay in the foreground\n"
    "  -F, --pid-file FILE      write the process's number there\n"
    "  -P, --output-pid         and to standard output\n"
    "  -T, --trace-file FILE    log there\n"
    "  -V, --verbose            log every request\n"
    "  -E, --entry-nb N         nodes a domain may have\n"
    "  -S, --entry-size N       bytes of value and permissions of a node\n"
    "  -W, --watch-nb N         watches a domain may have\n"
    "  -t, --transaction N      transactions a domain may have open\n"
    "  -A, --perm-nb N          permissions of a node\n"
    "  -M, --path-max N         characters of a path below a domain's directory\n"
    "  -Q, --quota NAME=N       any of these, by name (xenstore-control quota lists them)\n"
    "  -q, --quota-soft NAME=N  above this, the system's log has a warning\n"
    "  -w, --timeout watch-event=SECONDS\n"
    "                           until a domain that reads nothing loses its events\n"
    "      --no-holder          do not start another server when this one is killed\n"
    "      --no-journal         do not keep what is needed to go on after an end\n"
    "  -H, --help               print this\n"
    "XENSTORED_RUNDIR names the directory of the socket and the journal (/var/run/xenstored).\n"
    "-I, -R of C xenstored are accepted and mean nothing.\n";

enum { NO_HOLDER = 256, NO_JOURNAL };

static const struct option longs[] = {
    {"no-domain-init", no_argument, NULL, 'D'},
    {"no-fork", no_argument, NULL, 'N'},
    {"pid-file", required_argument, NULL, 'F'},
    {"output-pid", no_argument, NULL, 'P'},
    {"trace-file", required_argument, NULL, 'T'},
    {"verbose", no_argument, NULL, 'V'},
    {"entry-nb", required_argument, NULL, 'E'},
    {"entry-size", required_argument, NULL, 'S'},
    {"watch-nb", required_argument, NULL, 'W'},
    {"transaction", required_argument, NULL, 't'},
    {"perm-nb", required_argument, NULL, 'A'},
    {"path-max", required_argument, NULL, 'M'},
    {"quota", required_argument, NULL, 'Q'},
    {"quota-soft", required_argument, NULL, 'q'},
    {"timeout", required_argument, NULL, 'w'},
    {"no-recovery", no_argument, NULL, 'R'},
    {"internal-db", optional_argument, NULL, 'I'},
    {"no-holder", no_argument, NULL, NO_HOLDER},
    {"no-journal", no_argument, NULL, NO_JOURNAL},
    {"help", no_argument, NULL, 'H'},
    {0},
};

static void refuse(const char *what)
{
    fprintf(stderr, "xenstore-lite: '%s' makes no sense here; --help lists the options\n", what);
    exit(2);
}

static uint32_t number(const char *text)
{
    long long n;

    if (!wire_number(text, 0, UINT32_MAX, &n))
        refuse(text);
    return (uint32_t)n;
}

static void named(uint32_t *quota, char *text)
{
    char *equals = strchr(text, '=');
    int which;

    if (!equals)
        refuse(text);
    *equals = 0;
    which = quota_by_name(text);
    if (which < 0)
        refuse(text);
    quota[which] = number(equals + 1);
}

static void one(struct options *o, struct store *s, int option)
{
    static const char timeout[] = "watch-event=";

    switch (option) {
    case 'D':
        o->no_domains = true;
        break;
    case 'N':
        o->no_fork = true;
        break;
    case 'F':
        o->pid_file = optarg;
        break;
    case 'P':
        o->print_pid = true;
        break;
    case 'T':
        o->trace_file = optarg;
        break;
    case 'V':
        o->verbose = true;
        break;
    case 'E':
        s->quota[QUOTA_NODES] = number(optarg);
        break;
    case 'S':
        s->quota[QUOTA_NODE_SIZE] = number(optarg);
        break;
    case 'W':
        s->quota[QUOTA_WATCHES] = number(optarg);
        break;
    case 't':
        s->quota[QUOTA_TRANSACTIONS] = number(optarg);
        break;
    case 'A':
        s->quota[QUOTA_PERMISSIONS] = number(optarg);
        break;
    case 'M':
        s->quota[QUOTA_PATH] = number(optarg);
        break;
    case 'Q':
        named(s->quota, optarg);
        break;
    case 'q':
        named(s->soft_quota, optarg);
        break;
    case 'w':
        if (strncmp(optarg, timeout, strlen(timeout)))
            refuse(optarg);
        s->event_timeout = number(optarg + strlen(timeout)) * 1000;
        break;
    case 'R':
    case 'I':
        break;
    case NO_HOLDER:
        o->no_holder = true;
        break;
    case NO_JOURNAL:
        o->no_journal = true;
        break;
    case 'H':
        fputs(usage, stdout);
        exit(0);
    default:
        exit(2);
    }
}

void options_parse(struct options *o, struct store *s, int argc, char **argv)
{
    int option;

    memset(o, 0, sizeof(*o));
    o->directory = getenv("XENSTORED_RUNDIR");
    if (!o->directory)
        o->directory = "/var/run/xenstored";
    while ((option = getopt_long(argc, argv, "DNF:PT:VE:S:W:t:A:M:Q:q:w:RI::H", longs, NULL)) != -1)
        one(o, s, option);
    if (optind < argc)
        refuse(argv[optind]);
}
