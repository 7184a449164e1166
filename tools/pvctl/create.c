/* SPDX-License-Identifier: MIT */
/* The making of a PV domain, and its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pvctl.h"
#include <xenguest.h>

#define SLACK_KIB 1024 /* beyond the guest's memory, for what the builder takes */

struct build {
    struct ctl *c;
    const struct guest_config *config;
    struct guest *g;
    uint32_t store_port;
    uint64_t store_mfn, console_mfn;
};

static bool failed(const char *what)
{
    progress("%s: %s", what, strerror(errno));
    return false;
}

static bool make_domain(struct build *b)
{
    struct xen_domctl_createdomain create = {
        .max_vcpus = b->config->vcpus,
        .max_evtchn_port = (uint32_t)-1,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
    };
    xc_interface *xc = b->c->xc;
    uint64_t kib = b->config->memory_mib * 1024ull + SLACK_KIB;
    int store, console;

    if (getrandom(create.handle, sizeof(create.handle), 0) != sizeof(create.handle))
        return failed("no random numbers");
    if (xc_domain_create(xc, &b->g->id, &create))
        return failed("the domain cannot be created");
    if (xc_domain_max_vcpus(xc, b->g->id, b->config->vcpus))
        return failed("its processors cannot be made");
    if (xc_domain_setmaxmem(xc, b->g->id, kib))
        return failed("its memory limit cannot be set");
    store = xc_evtchn_alloc_unbound(xc, b->g->id, 0);
    console = xc_evtchn_alloc_unbound(xc, b->g->id, 0);
    if (store < 0 || console < 0)
        return failed("no event channels for store and console");
    b->store_port = (uint32_t)store;
    b->g->console_port = (uint32_t)console;
    return true;
}

static bool load_image(struct build *b)
{
    const struct guest_config *config = b->config;
    xc_interface *xc = b->c->xc;
    struct xc_dom_image *dom;
    const char *what = "the kernel cannot be loaded";
    bool ok = false;

    dom = xc_dom_allocate(xc, config->cmdline ? config->cmdline : "", NULL);
    if (!dom)
        return failed("no memory for building");
    dom->container_type = XC_DOM_PV_CONTAINER;
    dom->max_vcpus = (int)config->vcpus;
    dom->console_evtchn = (int)b->g->console_port;
    dom->xenstore_evtchn = (int)b->store_port;
    if (xc_dom_kernel_file(dom, config->kernel))
        goto out;
    if (config->ramdisk && (what = "the initial RAM disk cannot be read",
                            xc_dom_module_file(dom, config->ramdisk, NULL)))
        goto out;
    what = "this is not a kernel that runs as a PV guest";
    if (xc_dom_boot_xen_init(dom, xc, b->g->id) || xc_dom_parse_image(dom))
        goto out;
    what = "there is not enough memory";
    if (xc_dom_mem_init(dom, config->memory_mib) || xc_dom_boot_mem_init(dom))
        goto out;
    what = "the domain cannot be built";
    if (xc_dom_build_image(dom) || xc_dom_boot_image(dom) || xc_dom_gnttab_init(dom))
        goto out;
    b->store_mfn = xc_dom_p2m(dom, dom->xenstore_pfn);
    b->console_mfn = xc_dom_p2m(dom, dom->console_pfn);
    ok = true;
out:
    if (!ok)
        progress("%s: %s: %s", config->kernel, what,
                 xc_error_code_to_desc(xc_get_last_error(xc)->code));
    xc_dom_release(dom);
    return ok;
}

static bool fill_store(struct build *b)
{
    static const char *const writable[] = {"data",
                                           "device",
                                           "control/feature-poweroff",
                                           "control/feature-reboot",
                                           "control/feature-suspend",
                                           "control/shutdown"};
    static const char *const readable[] = {"control", "memory", "console", "store", "cpu"};
    struct ctl *c = b->c;
    uint32_t id = b->g->id;
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u", id);
    xs_rm(c->xs, XBT_NULL, path);
    if (!node_make(c, 0, path, 0, id))
        return failed("the store refuses the domain's node");
    for (unsigned i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
        node_make(c, id, readable[i], 0, id);
    for (unsigned i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
        node_make(c, id, writable[i], id, id);
    node_write(c, id, "name", "%s", b->config->name);
    node_write(c, id, "domid", "%u", id);
    node_write(c, id, "memory/static-max", "%u", b->config->memory_mib * 1024);
    node_write(c, id, "memory/target", "%u", b->config->memory_mib * 1024);
    node_write(c, id, "store/ring-ref", "%lu", (unsigned long)b->store_mfn);
    node_write(c, id, "store/port", "%u", b->store_port);
    node_write(c, id, "console/ring-ref", "%lu", (unsigned long)b->console_mfn);
    node_write(c, id, "console/port", "%u", b->g->console_port);
    node_write(c, id, "console/limit", "%u", 1048576);
    node_write(c, id, "console/type", "pvctl");
    for (unsigned i = 0; i < b->config->vcpus; i++) {
        snprintf(path, sizeof(path), "cpu/%u/availability", i);
        node_write(c, id, path, "online");
    }
    devices_add(c, b->config, id);
    if (!xs_introduce_domain(c->xs, id, b->store_mfn, b->store_port))
        return failed("the store does not take the domain");
    return true;
}

bool guest_create(struct ctl *c, const struct guest_config *config, struct guest *g)
{
    struct build b = {.c = c, .config = config, .g = g};

    g->id = 0;
    if (make_domain(&b) && load_image(&b) && fill_store(&b)) {
        struct xen_domctl_sched_credit weight = {.weight = (uint16_t)config->weight};

        if (config->weight && xc_sched_credit_domain_set(c->xc, g->id, &weight))
            progress("its weight cannot be set: %s", strerror(errno));
        return true;
    }
    if (g->id)
        guest_destroy(c, g->id);
    return false;
}

void guest_destroy(struct ctl *c, uint32_t id)
{
    char path[64];

    xc_domain_pause(c->xc, id);
    devices_remove(c, id);
    if (xc_domain_destroy(c->xc, id) && errno != ESRCH)
        progress("domain %u cannot be destroyed: %s", id, strerror(errno));
    xs_release_domain(c->xs, id);
    snprintf(path, sizeof(path), "/local/domain/%u", id);
    xs_rm(c->xs, XBT_NULL, path);
}

bool guest_info(struct ctl *c, uint32_t id, xc_dominfo_t *info)
{
    return xc_domain_getinfo(c->xc, id, 1, info) == 1 && info->domid == id;
}

char *guest_name(struct ctl *c, uint32_t id)
{
    char *name = node_read(c, id, "name");

    return name ? name : strdup(id ? "" : "Domain-0");
}

uint32_t guest_find(struct ctl *c, const char *what)
{
    xc_dominfo_t info;
    char *end;
    unsigned long id = strtoul(what, &end, 10);

    if (*what && !*end && guest_info(c, (uint32_t)id, &info))
        return (uint32_t)id;
    for (uint32_t next = 0; xc_domain_getinfo(c->xc, next, 1, &info) == 1; next = info.domid + 1) {
        char *name = guest_name(c, info.domid);
        bool same = name && !strcmp(name, what);

        free(name);
        if (same)
            return info.domid;
    }
    die("no domain '%s': pvctl list shows them", what);
}
