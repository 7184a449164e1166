/* SPDX-License-Identifier: MIT */
/* Pages, event channels and states of domains. */
/* xenctrl.h has to come first: it chooses the interfaces that the other headers show. */
#include <xenctrl.h>

#include "xen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>
#include <xen/grant_table.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include "io.h"
#include "mem.h"
#include "ring.h"

#define PAGE 4096

struct libxen {
    struct xen ops; /* first: the two are cast into each other */
    xc_interface *ctrl;
    xenevtchn_handle *evtchn;
    xengnttab_handle *gnttab;
    xenforeignmemory_handle *foreign;
    uint32_t dom_exc;           /* port of the interrupt that says a domain ended */
    bool by_grant[DOMID_LIMIT]; /* how the ring was mapped */
};

static struct libxen *of(struct xen *x)
{
    return (struct libxen *)x;
}

static struct xenstore_domain_interface *map(struct xen *x, unsigned domid, uint64_t gfn)
{
    xen_pfn_t frame = gfn;
    void *ring = xengnttab_map_grant_ref(of(x)->gnttab, domid, GNTTAB_RESERVED_XENSTORE,
                                         PROT_READ | PROT_WRITE);

    of(x)->by_grant[domid] = ring;
    if (!ring)
        ring = xenforeignmemory_map(of(x)->foreign, domid, PROT_READ | PROT_WRITE, 1, &frame, NULL);
    return ring;
}

static void unmap(struct xen *x, unsigned domid, struct xenstore_domain_interface *ring)
{
    if (of(x)->by_grant[domid])
        xengnttab_unmap(of(x)->gnttab, ring, 1);
    else
        munmap(ring, PAGE);
}

static int bind_port(struct xen *x, unsigned domid, uint32_t remote_port)
{
    return xenevtchn_bind_interdomain(of(x)->evtchn, domid, remote_port);
}

static void unbind(struct xen *x, uint32_t port)
{
    xenevtchn_unbind(of(x)->evtchn, port);
}

static void notify(struct xen *x, uint32_t port)
{
    xenevtchn_notify(of(x)->evtchn, port);
}

static enum domain_state state(struct xen *x, unsigned domid)
{
    xc_dominfo_t info;

    if (xc_domain_getinfo(of(x)->ctrl, domid, 1, &info) != 1 || info.domid != domid || info.dying)
        return DOMAIN_GONE;
    return info.crashed || info.shutdown ? DOMAIN_SHUT_DOWN : DOMAIN_RUNNING;
}

static bool add_domain0(struct store *s)
{
    struct xenstore_domain_interface *ring = MAP_FAILED;
    int fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC), port = -1;
    FILE *f = fopen("/proc/xen/xsd_port", "re");
    unsigned remote = 0;
    struct domain *d;

    if (fd >= 0) {
        ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (f) {
        if (fscanf(f, "%u", &remote) == 1)
            port = bind_port(s->xen, 0, remote);
        fclose(f);
    }
    if (ring == MAP_FAILED || port < 0) {
        syslog(LOG_ERR, "domain 0's ring: %s", ring == MAP_FAILED ? "no page" : "no event channel");
        return false;
    }
    d = domain_add(s, 0, ring, (uint32_t)port);
    d->remote_port = remote;
    return true;
}

bool xen_open(struct store *s)
{
    struct libxen *x = mem_zalloc(sizeof(*x));
    int port;

    x->ops = (struct xen){map, unmap, bind_port, unbind, notify, state};
    x->ctrl = xc_interface_open(NULL, NULL, 0);
    x->evtchn = xenevtchn_open(NULL, 0);
    x->gnttab = xengnttab_open(NULL, 0);
    x->foreign = xenforeignmemory_open(NULL, 0);
    if (!x->ctrl || !x->evtchn || !x->gnttab || !x->foreign) {
        syslog(LOG_ERR, "cannot open %s: %m",
               !x->ctrl     ? "libxenctrl"
               : !x->evtchn ? "libxenevtchn"
                            : "libxengnttab");
        return false;
    }
    port = xenevtchn_bind_virq(x->evtchn, VIRQ_DOM_EXC);
    if (port < 0) {
        syslog(LOG_ERR, "cannot be told of ended domains: %m");
        return false;
    }
    x->dom_exc = (uint32_t)port;
    s->xen = &x->ops;
    return add_domain0(s);
}

static struct domain *domain_of_port(struct store *s, uint32_t port)
{
    struct domain *d;

    LIST_FOREACH(d, &s->domains, link)
        if (d->port == port)
            return d;
    return NULL;
}

/* One port is taken at a time; the file stays readable while there are more. */
static void on_port(evutil_socket_t fd, short what, void *store)
{
    struct store *s = store;
    struct libxen *x = of(s->xen);
    xenevtchn_port_or_error_t port = xenevtchn_pending(x->evtchn);
    struct domain *d;

    (void)fd;
    (void)what;
    if (port < 0)
        return;
    io_in += sizeof(evtchn_port_t); /* how libxenevtchn speaks to the kernel */
    if (!xenevtchn_unmask(x->evtchn, (evtchn_port_t)port))
        io_out += sizeof(evtchn_port_t);
    if ((uint32_t)port == x->dom_exc) {
        domain_look_around(s);
        return;
    }
    d = domain_of_port(s, (uint32_t)port);
    if (d)
        ring_input(d);
}

bool xen_serve(struct event_base *base, struct store *s)
{
    int fd = xenevtchn_fd(of(s->xen)->evtchn);
    struct event *e;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    e = event_new(base, fd, EV_READ | EV_PERSIST, on_port, s);
    return e && !event_add(e, NULL);
}
