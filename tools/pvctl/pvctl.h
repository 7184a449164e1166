/* SPDX-License-Identifier: MIT */
/* pvctl: what its files share. */
#ifndef PVCTL_H
#define PVCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "say.h"

#define EXIT_CRASH 126 /* the guest crashed */
#define DISKS_MAX  16
#define NETS_MAX   8

struct ctl {
    xc_interface *xc;
    struct xs_handle *xs;
};

/* What a domain is to be made of. */
struct guest_config {
    const char *name, *kernel, *ramdisk, *cmdline;
    unsigned memory_mib, vcpus, weight;
    struct {
        const char *image;
        bool read_only;
    } disk[DISKS_MAX];
    unsigned disks;
    const char *bridge[NETS_MAX]; /* "": a tap that no bridge has */
    unsigned nets;
};
struct guest {
    uint32_t id;
    uint32_t console_port; /* the guest's end, offered to this domain */
};

/* Makes the domain, paused. On failure everything is taken back and false returned, after a
 * message. */
bool guest_create(struct ctl *c, const struct guest_config *config, struct guest *g);
/* Ends the domain and removes its nodes; its devices' back ends get a moment to let go. */
void guest_destroy(struct ctl *c, uint32_t id);
/* By number or name. Dies if there is none. */
uint32_t guest_find(struct ctl *c, const char *what);
char *guest_name(struct ctl *c, uint32_t id); /* malloc'ed */
bool guest_info(struct ctl *c, uint32_t id, xc_dominfo_t *info);

/* Nodes of the store (store.c). path is relative to /local/domain/ID unless it begins with '/'. */
bool node_write(struct ctl *c, uint32_t id, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
char *node_read(struct ctl *c, uint32_t id, const char *path);
bool node_make(struct ctl *c, uint32_t id, const char *path, uint32_t owner, uint32_t reader);
void devices_add(struct ctl *c, const struct guest_config *config, uint32_t id);
void devices_remove(struct ctl *c, uint32_t id);

/* Serves a domain's console until the domain ends (keeper.c): the terminal's (attached), or a log
 * file and whoever attaches by the socket. Unpauses the domain. Returns the exit status; the domain
 * is gone then, and *usage (if wanted) what it had used. */
struct json_object;
int keeper_run(struct ctl *c, const struct guest *g, bool attached, struct json_object **usage);
/* Connects the terminal to a keeper's socket. */
int console_attach(uint32_t id);
#define RUN_DIR "/run/pvctl"

/* What a domain has used so far (usage.c): one object, or NULL if there is no such domain. */
struct json_object *usage_get(struct ctl *c, uint32_t id);
/* At its end: that and its status, on standard error. */
void usage_print(struct json_object *usage, uint32_t id, int status);
const char *domain_state(const xc_dominfo_t *d);
/* The one argument, and whether the one option that there may be is given; exits if there is
 * anything else (life.c). */
const char *only_argument(int argc, char **argv, const char *option, bool *set);

/* Before a domain that has ended by itself is destroyed: who traces it may fetch the rest
 * (trace.c). */
void trace_wait(uint32_t id);
#define TRACE_NAME RUN_DIR "/%u.trace" /* the trace of a domain, unless told otherwise */

/* Commands: arguments behind the name. The exit status. */
int cmd_run(struct ctl *c, int argc, char **argv);
int cmd_create(struct ctl *c, int argc, char **argv);
int cmd_list(struct ctl *c, int argc, char **argv);
int cmd_stats(struct ctl *c, int argc, char **argv);
int cmd_console(struct ctl *c, int argc, char **argv);
int cmd_pause(struct ctl *c, int argc, char **argv);
int cmd_unpause(struct ctl *c, int argc, char **argv);
int cmd_shutdown(struct ctl *c, int argc, char **argv);
int cmd_destroy(struct ctl *c, int argc, char **argv);
int cmd_log(struct ctl *c, int argc, char **argv);
int cmd_why(struct ctl *c, int argc, char **argv);
int cmd_trace(struct ctl *c, int argc, char **argv);
int cmd_advise(struct ctl *c, int argc, char **argv);

#endif
