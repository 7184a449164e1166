/* SPDX-License-Identifier: MIT */
/* run and create: options, and the two ways to keep a guest. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pvctl.h"

static const char help[] =
    "usage: pvctl run|create KERNEL [OPTION...]\n"
    "  --name NAME           what list shows (the kernel's file name)\n"
    "  --ramdisk FILE        initial RAM disk\n"
    "  --cmdline TEXT        the kernel's command line\n"
    "  --memory MIB          its memory (128)\n"
    "  --vcpus N             its processors (1)\n"
    "  --weight N            its share of a contended processor, relative to others' (256)\n"
    "  --disk IMAGE[,ro]     a disk: a raw file or a block device; may be repeated: xvda, xvdb, "
    "...\n"
    "  --net BRIDGE          a network card on that bridge ('': on none); may be repeated\n"
    "  --json                run: at the end, print what the guest used on standard error\n"
    "run ends with the status that the guest left in its store node data/exit-status (pv_exit() "
    "does), else with 0 when\n"
    "it powered off; 126 when it crashed or was destroyed; 125 when it could not be started.\n";

enum {
    O_NAME = 256,
    O_RAMDISK,
    O_CMDLINE,
    O_MEMORY,
    O_VCPUS,
    O_WEIGHT,
    O_DISK,
    O_NET,
    O_JSON,
    O_HELP
};

static const struct option longs[] = {{"name", required_argument, NULL, O_NAME},
                                      {"ramdisk", required_argument, NULL, O_RAMDISK},
                                      {"cmdline", required_argument, NULL, O_CMDLINE},
                                      {"memory", required_argument, NULL, O_MEMORY},
                                      {"vcpus", required_argument, NULL, O_VCPUS},
                                      {"weight", required_argument, NULL, O_WEIGHT},
                                      {"disk", required_argument, NULL, O_DISK},
                                      {"net", required_argument, NULL, O_NET},
                                      {"json", no_argument, NULL, O_JSON},
                                      {"help", no_argument, NULL, O_HELP},
                                      {NULL, 0, NULL, 0}};

static unsigned number(const char *text, const char *what, unsigned least, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!*text || *end || n < least || n > most) {
        fprintf(stderr, "pvctl: %s '%s': a number from %u to %u\n", what, text, least, most);
        exit(EXIT_USAGE);
    }
    return (unsigned)n;
}

static void add_disk(struct guest_config *g, char *text)
{
    char *comma = strrchr(text, ','), *path;

    if (g->disks == DISKS_MAX)
        die("at most %d disks", DISKS_MAX);
    if (comma && !strcmp(comma, ",ro")) {
        *comma = 0;
        g->disk[g->disks].read_only = true;
    }
    path = realpath(text, NULL); /* the back end has another working directory */
    if (!path)
        die("disk %s: %s", text, strerror(errno));
    g->disk[g->disks++].image = path;
}

static void add_net(struct guest_config *g, const char *bridge)
{
    if (g->nets == NETS_MAX)
        die("at most %d network cards", NETS_MAX);
    g->bridge[g->nets++] = bridge;
}

static void parse(int argc, char **argv, struct guest_config *g, bool *json)
{
    int option;

    *g = (struct guest_config){.memory_mib = 128, .vcpus = 1};
    argv--, argc++; /* getopt skips the first */
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case O_NAME:
            g->name = optarg;
            break;
        case O_RAMDISK:
            g->ramdisk = optarg;
            break;
        case O_CMDLINE:
            g->cmdline = optarg;
            break;
        case O_MEMORY:
            g->memory_mib = number(optarg, "memory", 4, 1 << 20);
            break;
        case O_VCPUS:
            g->vcpus = number(optarg, "vcpus", 1, 32);
            break;
        case O_WEIGHT:
            g->weight = number(optarg, "weight", 1, 65535);
            break;
        case O_DISK:
            add_disk(g, optarg);
            break;
        case O_NET:
            add_net(g, optarg);
            break;
        case O_JSON:
            *json = true;
            break;
        case O_HELP:
            fputs(help, stdout);
            exit(0);
        default:
            fputs(help, stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind + 1 != argc) { /* getopt has put it behind the options, wherever it stood */
        fputs(help, stderr);
        exit(EXIT_USAGE);
    }
    g->kernel = argv[optind];
    if (!g->name)
        g->name = strrchr(g->kernel, '/') ? strrchr(g->kernel, '/') + 1 : g->kernel;
}

int cmd_run(struct ctl *c, int argc, char **argv)
{
    struct guest_config config;
    struct guest g;
    struct json_object *usage = NULL;
    bool json = false;
    int status;

    parse(argc, argv, &config, &json);
    progress("building %s: %u MiB, %u processor(s), %u disk(s), %u network card(s)", config.name,
             config.memory_mib, config.vcpus, config.disks, config.nets);
    if (!guest_create(c, &config, &g))
        return EXIT_BROKEN;
    progress("domain %u runs%s", g.id,
             isatty(STDIN_FILENO) ? "; Ctrl-] asks it to power off, once more ends it" : "");
    status = keeper_run(c, &g, true, json ? &usage : NULL);
    if (json)
        usage_print(usage, g.id, status);
    return status;
}

int cmd_create(struct ctl *c, int argc, char **argv)
{
    struct guest_config config;
    struct guest g;
    bool json = false;
    pid_t pid;

    parse(argc, argv, &config, &json);
    if (!guest_create(c, &config, &g))
        return EXIT_BROKEN;
    pid = fork();
    if (pid < 0)
        die("no process to keep the domain: %s", strerror(errno));
    if (pid) {
        printf("%u\n", g.id);
        return 0;
    }
    setsid();
    c->xc = xc_interface_open(NULL, NULL, 0); /* neither is meant to be shared by processes */
    c->xs = xs_open(0);
    if (!c->xc || !c->xs)
        die("the keeper of domain %u cannot connect", g.id);
    for (int fd = 0; fd < 3; fd++)
        dup2(open("/dev/null", O_RDWR), fd);
    exit(keeper_run(c, &g, false, NULL));
}
