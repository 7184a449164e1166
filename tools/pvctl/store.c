/* SPDX-License-Identifier: MIT */
/* A domain's nodes in the store, and those of its devices. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <poll.h>

#include "pvctl.h"

#define PATH_MAX_LEN   256
#define LET_GO_SECONDS 10

static void full_path(char out[PATH_MAX_LEN], uint32_t id, const char *path)
{
    if (*path == '/')
        snprintf(out, PATH_MAX_LEN, "%s", path);
    else
        snprintf(out, PATH_MAX_LEN, "/local/domain/%u/%s", id, path);
}

bool node_write(struct ctl *c, uint32_t id, const char *path, const char *fmt, ...)
{
    char full[PATH_MAX_LEN], value[1024];
    va_list ap;
    int n;

    full_path(full, id, path);
    va_start(ap, fmt);
    n = vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    return n >= 0 && (size_t)n < sizeof(value) &&
           xs_write(c->xs, XBT_NULL, full, value, (unsigned)n);
}

char *node_read(struct ctl *c, uint32_t id, const char *path)
{
    char full[PATH_MAX_LEN];
    unsigned len;

    full_path(full, id, path);
    return xs_read(c->xs, XBT_NULL, full, &len);
}

bool node_make(struct ctl *c, uint32_t id, const char *path, uint32_t owner, uint32_t reader)
{
    char full[PATH_MAX_LEN];
    struct xs_permissions perms[2] = {{.id = owner, .perms = XS_PERM_NONE},
                                      {.id = reader, .perms = XS_PERM_READ}};

    full_path(full, id, path);
    return xs_mkdir(c->xs, XBT_NULL, full) &&
           xs_set_permissions(c->xs, XBT_NULL, full, perms, owner == reader ? 1 : 2);
}

struct device {
    const char *class;
    unsigned number;
    char front[PATH_MAX_LEN], back[PATH_MAX_LEN];
};

static void device_begin(struct ctl *c, struct device *d, uint32_t id, const char *class,
                         unsigned number)
{
    d->class = class;
    d->number = number;
    snprintf(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%u", id, class, number);
    snprintf(d->back, sizeof(d->back), "/local/domain/0/backend/%s/%u/%u", class, id, number);
    node_make(c, 0, d->front, id, 0);
    node_make(c, 0, d->back, 0, id);
}

static void put(struct ctl *c, const char *dir, const char *key, const char *value)
{
    char path[2 * PATH_MAX_LEN];

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    node_write(c, 0, path, "%s", value);
}

static void put_number(struct ctl *c, const char *dir, const char *key, unsigned value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    put(c, dir, key, text);
}

/* State 1 comes last: it is what both ends wait for. */
static void device_end(struct ctl *c, const struct device *d, uint32_t id)
{
    put(c, d->back, "frontend", d->front);
    put_number(c, d->back, "frontend-id", id);
    put_number(c, d->back, "online", 1);
    put_number(c, d->front, "backend-id", 0);
    put(c, d->front, "backend", d->back);
    put_number(c, d->front, "state", 1);
    put_number(c, d->back, "state", 1);
}

static void disk_add(struct ctl *c, uint32_t id, unsigned i, const char *image, bool read_only)
{
    struct device d;
    char name[8] = "xvda";

    name[3] = (char)('a' + i);
    device_begin(c, &d, id, "vbd", 202u << 8 | i << 4);
    put(c, d.back, "params", image);
    put(c, d.back, "mode", read_only ? "r" : "w");
    put(c, d.back, "device-type", "disk");
    put(c, d.back, "dev", name);
    put(c, d.back, "removable", "0");
    put(c, d.front, "device-type", "disk");
    put_number(c, d.front, "virtual-device", d.number);
    device_end(c, &d, id);
}

static void net_add(struct ctl *c, uint32_t id, unsigned i, const char *bridge)
{
    struct device d;
    char text[32];

    device_begin(c, &d, id, "vif", i);
    snprintf(text, sizeof(text), "00:16:3e:%02x:%02x:%02x", id >> 8 & 0xff, id & 0xff, i);
    put(c, d.back, "mac", text);
    put(c, d.front, "mac", text);
    snprintf(text, sizeof(text), "vif%u.%u", id, i);
    put(c, d.back, "vifname", text);
    if (*bridge)
        put(c, d.back, "bridge", bridge);
    put_number(c, d.back, "handle", i);
    put_number(c, d.front, "handle", i);
    device_end(c, &d, id);
}

void devices_add(struct ctl *c, const struct guest_config *config, uint32_t id)
{
    for (unsigned i = 0; i < config->disks; i++)
        disk_add(c, id, i, config->disk[i].image, config->disk[i].read_only);
    for (unsigned i = 0; i < config->nets; i++)
        net_add(c, id, i, config->bridge[i]);
}

static bool closed(struct ctl *c, const char *back)
{
    char path[PATH_MAX_LEN + 8], *state;
    bool is_closed;

    snprintf(path, sizeof(path), "%s/state", back);
    state = node_read(c, 0, path);
    is_closed = !state || atoi(state) == 6;
    free(state);
    return is_closed;
}

/* Waits for a back end to see that its device is to go; it tells by its state, which is watched. */
static void wait_closed(struct ctl *c, const char *back)
{
    time_t end = time(NULL) + LET_GO_SECONDS;
    unsigned n;

    xs_watch(c->xs, back, "closing");
    while (!closed(c, back) && time(NULL) < end) {
        struct pollfd p = {.fd = xs_fileno(c->xs), .events = POLLIN};

        if (poll(&p, 1, 1000) == 1)
            free(xs_read_watch(c->xs, &n));
    }
    xs_unwatch(c->xs, back, "closing");
}

/* The domain is dead: we close in its front end's name, for the back end heeds the front end. */
void devices_remove(struct ctl *c, uint32_t id)
{
    static const char *const classes[] = {"vbd", "vif"};

    for (unsigned k = 0; k < sizeof(classes) / sizeof(classes[0]); k++) {
        char dir[PATH_MAX_LEN], back[2 * PATH_MAX_LEN], front[PATH_MAX_LEN];
        unsigned count = 0;
        char **names;

        snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%u", classes[k], id);
        names = xs_directory(c->xs, XBT_NULL, dir, &count);
        for (unsigned i = 0; names && i < count; i++) {
            snprintf(back, sizeof(back), "%s/%s", dir, names[i]);
            put_number(c, back, "online", 0);
            snprintf(front, sizeof(front), "/local/domain/%u/device/%s/%s", id, classes[k],
                     names[i]);
            put_number(c, front, "state", 6);
        }
        for (unsigned i = 0; names && i < count; i++) {
            snprintf(back, sizeof(back), "%s/%s", dir, names[i]);
            wait_closed(c, back);
        }
        free(names);
        xs_rm(c->xs, XBT_NULL, dir);
    }
}
