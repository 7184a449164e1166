/* SPDX-License-Identifier: MIT */
/* Domains with a ring, and what is asked of the hypervisor for them. */
#ifndef XSL_DOMAIN_H
#define XSL_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "store.h"
#include "wire.h"

enum domain_state { DOMAIN_GONE, DOMAIN_RUNNING, DOMAIN_SHUT_DOWN };

/* The hypervisor; tests have one of their own. */
struct xen {
    struct xenstore_domain_interface *(*map)(struct xen *x, unsigned domid, uint64_t gfn);
    void (*unmap)(struct xen *x, unsigned domid, struct xenstore_domain_interface *ring);
    int (*bind)(struct xen *x, unsigned domid, uint32_t remote_port); /* local port, or -1 */
    void (*unbind)(struct xen *x, uint32_t port);
    void (*notify)(struct xen *x, uint32_t port);
    enum domain_state (*state)(struct xen *x, unsigned domid);
};

struct domain {
    LIST_ENTRY(domain) link;
    TAILQ_ENTRY(domain) kick;
    struct store *store;
    struct conn *conn;
    struct xenstore_domain_interface *ring;
    uint64_t gfn;
    uint32_t port, remote_port;
    uint32_t req_cons, rsp_prod; /* our indexes of the ring */
    bool shutdown_told;          /* @releaseDomain was fired once already */
    bool kicked;                 /* in store.kicks */
    bool leaving;                /* its connection may be closed */
};

struct domain *domain_find(struct store *s, unsigned domid);

/* Domain 0 has a ring from the start, which its kernel shares with us. */
struct domain *domain_add(struct store *s, unsigned domid, struct xenstore_domain_interface *ring,
                          uint32_t port);

int domain_introduce(struct store *s, unsigned domid, uint64_t gfn, uint32_t remote_port);

/* A domain that a former process had introduced: its ring goes on as it is. Its end of the event
 * channel became unbound when that process ended, and is bound again. NULL: the domain is gone
 * meanwhile. */
struct domain *domain_reattach(struct store *s, unsigned domid, uint64_t gfn, uint32_t remote_port);

void domain_drop(struct domain *d);    /* lets go of ring and port, nothing else */
void domain_release(struct domain *d); /* it is gone: so are its nodes and what it was allowed */

/* What remains to be done of domain_release() when there is no ring any more. */
void domain_died(struct store *s, unsigned domid);

/* A domain shut down, crashed or went: find out which. */
void domain_look_around(struct store *s);

#endif
