/* SPDX-License-Identifier: MIT */
/* Domains come and go. */
#include "domain.h"

#include <errno.h>
#include <stdlib.h>
#include "conn.h"
#include "journal.h"
#include "mem.h"
#include "ring.h"
#include "tree.h"
#include "watch.h"

struct domain *domain_find(struct store *s, unsigned domid)
{
    struct domain *d;

    LIST_FOREACH(d, &s->domains, link)
        if (d->conn->domid == domid)
            return d;
    return NULL;
}

struct domain *domain_add(struct store *s, unsigned domid, struct xenstore_domain_interface *ring,
                          uint32_t port)
{
    struct domain *d = mem_zalloc(sizeof(*d));

    d->store = s;
    d->ring = ring;
    d->port = port;
    d->conn = conn_open(s, domid, &ring_transport, d);
    LIST_INSERT_HEAD(&s->domains, d, link);
    ring_attach(d);
    return d;
}

static int reintroduce(struct domain *d, uint32_t remote_port)
{
    struct xen *x = d->store->xen;
    int port = x->bind(x, d->conn->domid, remote_port);

    if (port < 0)
        return EINVAL;
    x->unbind(x, d->port);
    d->port = (uint32_t)port;
    d->remote_port = remote_port;
    conn_reset(d->conn);
    ring_reset(d);
    return 0;
}

struct domain *domain_reattach(struct store *s, unsigned domid, uint64_t gfn, uint32_t remote_port)
{
    struct xen *x = s->xen;
    struct xenstore_domain_interface *ring = x->map(x, domid, gfn);
    struct domain *d;
    int port;

    if (!ring)
        return NULL;
    port = x->bind(x, domid, remote_port);
    if (port < 0) {
        x->unmap(x, domid, ring);
        return NULL;
    }
    d = domain_add(s, domid, ring, (uint32_t)port);
    d->gfn = gfn;
    d->remote_port = remote_port;
    return d;
}

int domain_introduce(struct store *s, unsigned domid, uint64_t gfn, uint32_t remote_port)
{
    struct domain *d = domain_find(s, domid);
    struct xen *x = s->xen;
    int error;

    if (!x)
        return ENOSYS;
    if (d) {
        error = reintroduce(d, remote_port);
        if (!error)
            journal_conn(d->conn);
        return error;
    }
    if (x->state(x, domid) == DOMAIN_GONE)
        return ENOENT;
    d = domain_reattach(s, domid, gfn, remote_port);
    if (!d)
        return EINVAL;
    journal_conn(d->conn);
    watch_fire_special(s, "@introduceDomain", domid);
    return 0;
}

void domain_drop(struct domain *d)
{
    struct store *s = d->store;
    struct xen *x = s->xen;

    d->leaving = true;
    conn_close(d->conn, XENSTORE_ERROR_NONE);
    if (d->kicked)
        TAILQ_REMOVE(&s->kicks, d, kick);
    x->unbind(x, d->port);
    x->unmap(x, d->conn->domid, d->ring);
    LIST_REMOVE(d, link);
    free(d);
}

void domain_died(struct store *s, unsigned domid)
{
    tree_remove_owned(s, domid);
    account_get(s, domid)->died = ++s->generation;
    journal_died(s, domid);
    watch_fire_special(s, "@releaseDomain", domid);
}

void domain_release(struct domain *d)
{
    struct store *s = d->store;
    unsigned domid = d->conn->domid;

    domain_drop(d);
    domain_died(s, domid);
}

void domain_look_around(struct store *s)
{
    struct domain *d, *next;
    enum domain_state state;

    for (d = LIST_FIRST(&s->domains); d; d = next) {
        next = LIST_NEXT(d, link);
        if (!d->conn->domid)
            continue;
        state = s->xen->state(s->xen, d->conn->domid);
        if (state == DOMAIN_GONE) {
            domain_release(d);
        } else if (state == DOMAIN_SHUT_DOWN && !d->shutdown_told) {
            d->shutdown_told = true;
            watch_fire_special(s, "@releaseDomain", d->conn->domid);
        }
    }
}
