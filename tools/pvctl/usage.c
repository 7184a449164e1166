/* SPDX-License-Identifier: MIT */
/* What a domain has used: the hypervisor's counts, and those of its devices' back ends. One JSON
 * object, from which `stats` also prints its text. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "op.h"
#include "pvctl.h"

#define BACKEND_SOCKET "/run/paravane-backend/control"

static void put(struct json_object *to, const char *name, uint64_t n)
{
    json_object_object_add(to, name, json_object_new_uint64(n));
}

/* ---- The hypervisor's counts. ---- */

static void put_counts(struct json_object *to, uint32_t id)
{
    struct paravane_op *op = op_prepare(PARAVANE_usage, id);
    const struct paravane_usage *u = &op->u.usage;
    struct json_object *calls, *events, *grants;

    if (op_call())
        return; /* Xen does not count */
    put(to, "refused", u->refused);
    calls = json_object_new_object();
    for (unsigned i = 0; i < sizeof(u->hypercall) / sizeof(u->hypercall[0]); i++)
        if (u->hypercall[i])
            put(calls, hypercall_name(i), u->hypercall[i]);
    json_object_object_add(to, "hypercalls", calls);
    events = json_object_new_object();
    put(events, "operations", u->hypercall[__HYPERVISOR_event_channel_op]);
    put(events, "ports", u->ports);
    json_object_object_add(to, "events", events);
    grants = json_object_new_object();
    put(grants, "operations", u->hypercall[__HYPERVISOR_grant_table_op]);
    put(grants, "used_by_others", u->grants_used);
    put(grants, "mapped", u->grants_mapped);
    json_object_object_add(to, "grants", grants);
}

/* ---- The back ends'. ---- */

/* The report of our daemon, or NULL: Linux's back ends have their counts elsewhere. */
static struct json_object *backend_report(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = BACKEND_SOCKET};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct json_tokener *t = json_tokener_new();
    struct json_object *report = NULL;
    char buf[4096];
    ssize_t n;

    if (s >= 0 && t && !connect(s, (struct sockaddr *)&a, sizeof(a)))
        while (!report && (n = read(s, buf, sizeof(buf))) > 0)
            report = json_tokener_parse_ex(t, buf, (int)n);
    if (s >= 0)
        close(s);
    if (t)
        json_tokener_free(t);
    return report;
}

static uint64_t get(struct json_object *from, const char *name)
{
    return json_object_get_uint64(json_object_object_get(from, name));
}

/* Sums one counter over a device's queues, and those that ended; `side` is tx or rx, or NULL. */
static uint64_t sum(struct json_object *device, const char *side, const char *name)
{
    struct json_object *queues = json_object_object_get(device, "queues");
    size_t count = queues ? json_object_array_length(queues) : 0;
    struct json_object *ended = json_object_object_get(device, "ended");
    uint64_t n = get(side ? json_object_object_get(ended, side) : ended, name);

    for (size_t i = 0; i < count; i++) {
        struct json_object *q = json_object_array_get_idx(queues, i);

        n += get(side ? json_object_object_get(q, side) : q, name);
    }
    return n;
}

static struct json_object *disk(struct json_object *device)
{
    static const char *const same[] = {"reads", "writes", "flushes", "discards", "errors"};
    struct json_object *d = json_object_new_object();

    put(d, "device", get(device, "device"));
    for (unsigned i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        put(d, same[i], sum(device, NULL, same[i]));
    put(d, "bytes_read", sum(device, NULL, "sectors_read") * 512);
    put(d, "bytes_written", sum(device, NULL, "sectors_written") * 512);
    return d;
}

/* As the guest sees it: tx is what it sent. */
static struct json_object *card(struct json_object *device)
{
    static const char *const what[] = {"frames", "bytes", "dropped", "errors"};
    struct json_object *d = json_object_new_object();
    char name[32];

    put(d, "device", get(device, "device"));
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
            snprintf(name, sizeof(name), "%s_%s", side ? "rx" : "tx", what[i]);
            put(d, name, sum(device, side ? "rx" : "tx", what[i]));
        }
    }
    return d;
}

static void put_devices(struct json_object *to, uint32_t id)
{
    struct json_object *report = backend_report(), *devices = NULL;
    struct json_object *disks = json_object_new_array(), *cards = json_object_new_array();

    if (report)
        devices = json_object_object_get(report, "devices");
    for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
        struct json_object *d = json_object_array_get_idx(devices, i);
        const char *class = json_object_get_string(json_object_object_get(d, "class"));

        if (get(d, "domain") != id || !class)
            continue;
        if (!strcmp(class, "vbd"))
            json_object_array_add(disks, disk(d));
        else if (!strcmp(class, "vif"))
            json_object_array_add(cards, card(d));
    }
    json_object_object_add(to, "disks", disks);
    json_object_object_add(to, "nets", cards);
    json_object_put(report);
}

struct json_object *usage_get(struct ctl *c, uint32_t id)
{
    struct json_object *o;
    xc_dominfo_t info;
    char *name;

    if (!guest_info(c, id, &info))
        return NULL;
    o = json_object_new_object();
    put(o, "domain", id);
    name = c->xs ? guest_name(c, id) : NULL; /* the store may have a break */
    json_object_object_add(o, "name", json_object_new_string(name ? name : ""));
    free(name);
    put(o, "memory_kib", info.nr_pages * 4);
    put(o, "vcpus", info.max_vcpu_id + 1);
    put(o, "cpu_ns", info.cpu_time);
    json_object_object_add(o, "state", json_object_new_string(domain_state(&info)));
    put_counts(o, id);
    put_devices(o, id);
    return o;
}

void usage_print(struct json_object *usage, uint32_t id, int status)
{
    if (!usage) { /* somebody destroyed it */
        usage = json_object_new_object();
        put(usage, "domain", id);
    }
    json_object_object_add(usage, "status", json_object_new_int(status));
    fprintf(stderr, "%s\n", json_object_to_json_string_ext(usage, JSON_C_TO_STRING_PLAIN));
    json_object_put(usage);
}

/* ---- stats ---- */

/* Names and numbers of an object, one a line, or strings; what is nested is indented. */
static void print_object(struct json_object *o, int indent)
{
    json_object_object_foreach(o, name, value)
    {
        printf("%*s%-*s", indent, "", 24 - indent, name);
        if (json_object_is_type(value, json_type_object)) {
            putchar('\n');
            print_object(value, indent + 2);
        } else if (json_object_is_type(value, json_type_array)) {
            puts(json_object_array_length(value) ? "" : "none");
            for (size_t i = 0; i < json_object_array_length(value); i++)
                print_object(json_object_array_get_idx(value, i), indent + 2);
        } else {
            printf(" %s\n", json_object_get_string(value));
        }
    }
}

int cmd_stats(struct ctl *c, int argc, char **argv)
{
    bool json = false;
    uint32_t id = guest_find(c, only_argument(argc, argv, "--json", &json));
    struct json_object *o = usage_get(c, id);

    if (!o)
        die("domain %u has just ended", id);
    if (json)
        puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    else
        print_object(o, 0);
    json_object_put(o);
    return 0;
}
