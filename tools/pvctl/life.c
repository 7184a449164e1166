/* SPDX-License-Identifier: MIT */
/* Commands on domains that exist. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvctl.h"

const char *only_argument(int argc, char **argv, const char *option, bool *set)
{
    const char *what = NULL;

    for (int i = 0; i < argc; i++) {
        if (option && !strcmp(argv[i], option)) {
            *set = true;
        } else if (what || *argv[i] == '-') {
            what = NULL;
            break;
        } else {
            what = argv[i];
        }
    }
    if (!what) {
        fprintf(stderr, "pvctl: name one domain, by number or name%s%s\n",
                option ? "; the only option is " : "", option ? option : "");
        exit(EXIT_USAGE);
    }
    return what;
}

static int simple(struct ctl *c, int argc, char **argv, int (*call)(xc_interface *, uint32_t),
                  const char *what)
{
    uint32_t id = guest_find(c, only_argument(argc, argv, NULL, NULL));

    if (!id)
        die("domain 0 is where pvctl runs");
    if (!call(c->xc, id))
        return 0;
    progress("domain %u cannot be %s: %s", id, what, strerror(errno));
    return 1;
}

int cmd_pause(struct ctl *c, int argc, char **argv)
{
    return simple(c, argc, argv, xc_domain_pause, "paused");
}

int cmd_unpause(struct ctl *c, int argc, char **argv)
{
    return simple(c, argc, argv, xc_domain_unpause, "unpaused");
}

int cmd_shutdown(struct ctl *c, int argc, char **argv)
{
    bool reboot = false;
    uint32_t id = guest_find(c, only_argument(argc, argv, "--reboot", &reboot));

    if (node_write(c, id, "control/shutdown", "%s", reboot ? "reboot" : "poweroff"))
        return 0;
    progress("domain %u cannot be asked: %s", id, strerror(errno));
    return 1;
}

int cmd_destroy(struct ctl *c, int argc, char **argv)
{
    uint32_t id = guest_find(c, only_argument(argc, argv, NULL, NULL));

    if (!id)
        die("domain 0 is where pvctl runs");
    guest_destroy(c, id);
    return 0;
}

int cmd_console(struct ctl *c, int argc, char **argv)
{
    return console_attach(guest_find(c, only_argument(argc, argv, NULL, NULL)));
}

const char *domain_state(const xc_dominfo_t *d)
{
    return d->dying      ? "dying"
           : d->crashed  ? "crashed"
           : d->shutdown ? "shut down"
           : d->paused   ? "paused"
           : d->running  ? "running"
           : d->blocked  ? "blocked"
                         : "ready";
}

/* A name may hold anything. */
static void print_json_string(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < ' ')
            printf("\\u%04x", (unsigned)*s);
        else
            putchar(*s);
    }
    putchar('"');
}

static void print_domain(struct ctl *c, const xc_dominfo_t *d, bool json)
{
    char *name = guest_name(c, d->domid);

    if (json) {
        printf("{\"domain\": %u, \"name\": ", d->domid);
        print_json_string(name);
        printf(", \"memory_kib\": %lu, \"vcpus\": %u, \"cpu_ns\": %lu, \"state\": \"%s\"}",
               (unsigned long)d->nr_pages * 4, d->max_vcpu_id + 1, (unsigned long)d->cpu_time,
               domain_state(d));
    } else {
        printf("%5u  %-20s %8lu %5u %12.3f  %s\n", d->domid, name, (unsigned long)d->nr_pages / 256,
               d->max_vcpu_id + 1, (double)d->cpu_time / 1e9, domain_state(d));
    }
    free(name);
}

int cmd_list(struct ctl *c, int argc, char **argv)
{
    bool json = argc == 1 && !strcmp(argv[0], "--json");
    const char *comma = "";
    xc_dominfo_t info;

    if (argc && !json) {
        fputs("usage: pvctl list [--json]\n", stderr);
        return EXIT_USAGE;
    }
    if (json)
        printf("[");
    else
        printf("%5s  %-20s %8s %5s %12s  %s\n", "ID", "NAME", "MIB", "VCPUS", "CPU SECONDS",
               "STATE");
    for (uint32_t next = 0; xc_domain_getinfo(c->xc, next, 1, &info) == 1; next = info.domid + 1) {
        if (json)
            fputs(comma, stdout);
        print_domain(c, &info, json);
        comma = ",\n ";
    }
    if (json)
        puts("]");
    return 0;
}

/* ---- The hypervisor's log. ---- */

static char *read_log(struct ctl *c)
{
    static char buf[1 << 20];
    unsigned n = sizeof(buf) - 1;

    if (xc_readconsolering(c->xc, buf, &n, 0, 0, NULL))
        die("the hypervisor's log cannot be read: %s", strerror(errno));
    buf[n] = 0;
    return buf;
}

int cmd_log(struct ctl *c, int argc, char **argv)
{
    (void)argv;
    if (argc) {
        fputs("usage: pvctl log\n", stderr);
        return EXIT_USAGE;
    }
    fputs(read_log(c), stdout);
    return 0;
}

/* Sentences on domain 7 begin with "(PV) d7v0 " or, where no vCPU of it is to blame, "(PV) d7 ".
 * The domain may be gone. */
int cmd_why(struct ctl *c, int argc, char **argv)
{
    const char *what = only_argument(argc, argv, NULL, NULL);
    char *end, mark[16];
    unsigned long id = strtoul(what, &end, 10);
    bool any = false;

    if (*end)
        id = guest_find(c, what);
    snprintf(mark, sizeof(mark), "d%lu", id);
    for (char *line = strtok(read_log(c), "\n"); line; line = strtok(NULL, "\n")) {
        const char *at = strncmp(line, "(PV) ", 5) ? NULL : line + 5;
        size_t n = strlen(mark);

        if (!at || strncmp(at, mark, n) || (at[n] != 'v' && at[n] != ' '))
            continue;
        puts(at);
        any = true;
    }
    if (!any)
        progress("the hypervisor has nothing to say about domain %lu", id);
    return 0;
}
