/* SPDX-License-Identifier: MIT */
/* Event channels: how ports are opened, connected, bound and closed. */
#include <string.h>

#include <pvabi/xen.h>

#include "event.h"
#include "subject.h"

/* Event locks of one or two domains, in the order that lock.h prescribes. */
static void lock_two(struct domain *a, struct domain *b)
{
    if (b->id < a->id) {
        struct domain *t = a;

        a = b;
        b = t;
    }
    event_lock(a);
    if (b != a)
        event_lock(b);
}

static void unlock_two(struct domain *a, struct domain *b)
{
    event_unlock(a);
    if (b != a)
        event_unlock(b);
}

static struct port *port_or_bucket(struct evtchn_table *t, unsigned n)
{
    struct port **bucket = &t->bucket[n / PORTS_PER_BUCKET];

    if (!*bucket)
        __atomic_store_n(bucket, page_alloc(0), __ATOMIC_RELEASE);
    return port_at(t, n);
}

/* Opens the lowest free port of d as `what`. Its number, or a negative error. */
static int open_port(struct domain *d, struct port what)
{
    struct evtchn_table *t = d->evtchn;
    struct port *p;
    unsigned n;

    if (t->closing || d->dying)
        return refuse(-XEN_EBUSY, "no port can be opened while all ports of domain %u are closed",
                      d->id);
    for (n = t->first_free; n < t->limit; n++) {
        p = port_or_bucket(t, n);
        if (!p)
            return refuse(-XEN_ENOMEM, "no memory for port %u", n);
        if (p->state == EVTCHNSTAT_closed) {
            *p = what;
            t->first_free = n + 1;
            t->open++;
            return (int)n;
        }
    }
    t->first_free = n;
    return refuse(-XEN_ENOSPC, "all %u ports of domain %u are open", n - 1, d->id);
}

static int open_locked(struct domain *d, struct port what, uint32_t *port)
{
    int n;

    event_lock(d);
    n = open_port(d, what);
    event_unlock(d);
    *port = (uint32_t)n;
    return MIN(n, 0);
}

int event_alloc_unbound(union event_arg *a)
{
    struct evtchn_alloc_unbound *op = &a->alloc_unbound;
    domid_t remote = op->remote_dom == DOMID_SELF ? current->domain->id : op->remote_dom;
    int rc = 0;
    struct domain *d = call_subject(op->dom, &rc);

    if (!d)
        return rc;
    return open_locked(d, (struct port){.state = EVTCHNSTAT_unbound, .peer_id = remote}, &op->port);
}

static int connect(struct domain *d, struct domain *peer, unsigned n)
{
    struct port *p = port_at(peer->evtchn, n);
    int local;

    if (!p || p->state != EVTCHNSTAT_unbound || p->peer_id != d->id)
        return refuse(-XEN_EINVAL, "port %u of domain %u does not wait for domain %u", n, peer->id,
                      d->id);
    local = open_port(d, (struct port){.state = EVTCHNSTAT_interdomain, .number = n, .peer = peer});
    if (local < 0)
        return local;
    *p = (struct port){
        .state = EVTCHNSTAT_interdomain, .vcpu = p->vcpu, .number = (unsigned)local, .peer = d};
    /* Whatever the peer sent before it had a partner was lost: let the newcomer look. */
    event_deliver(d, (unsigned)local);
    return local;
}

int event_bind_interdomain(union event_arg *a)
{
    struct evtchn_bind_interdomain *op = &a->bind_interdomain;
    struct domain *d = current->domain, *peer = domain_by_id(op->remote_dom);
    int rc;

    if (!peer)
        return refuse(-XEN_ESRCH, "remote domain %u: there is none of that number", op->remote_dom);
    lock_two(d, peer);
    rc = connect(d, peer, op->remote_port);
    unlock_two(d, peer);
    op->local_port = (uint32_t)rc;
    return MIN(rc, 0);
}

static bool virq_is_global(unsigned virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

static cold noinline int refuse_vcpu(uint32_t id)
{
    return refuse(-XEN_ENOENT, "vCPU %u: the domain has none of that number", id);
}

int event_bind_virq(union event_arg *a)
{
    struct evtchn_bind_virq *op = &a->bind_virq;
    struct domain *d = current->domain;
    struct vcpu *v = domain_vcpu(d, op->vcpu);
    int rc;

    if (op->virq >= NR_VIRQS)
        return refuse(-XEN_EINVAL, "VIRQ %u: there are %d", op->virq, NR_VIRQS);
    if (!v)
        return refuse_vcpu(op->vcpu);
    if (op->vcpu && virq_is_global(op->virq))
        return refuse(-XEN_EINVAL, "VIRQ %u is the domain's: it binds to vCPU 0, not %u", op->virq,
                      op->vcpu);
    event_lock(d);
    /* Kernels try, and look for the port that they have. */
    rc = v->virq_port[op->virq] ? -XEN_EEXIST
                                : open_port(d, (struct port){.state = EVTCHNSTAT_virq,
                                                             .vcpu = (uint8_t)op->vcpu,
                                                             .number = op->virq});
    if (rc > 0)
        WRITE_ONCE(v->virq_port[op->virq], (uint32_t)rc);
    event_unlock(d);
    op->port = (uint32_t)rc;
    return MIN(rc, 0);
}

int event_bind_ipi(union event_arg *a)
{
    struct evtchn_bind_ipi *op = &a->bind_ipi;
    struct domain *d = current->domain;

    if (!domain_vcpu(d, op->vcpu))
        return refuse_vcpu(op->vcpu);
    return open_locked(d, (struct port){.state = EVTCHNSTAT_ipi, .vcpu = (uint8_t)op->vcpu}, &op->port);
}

static void shut(struct domain *d, unsigned n, struct port *p)
{
    *p = (struct port){.state = EVTCHNSTAT_closed};
    d->evtchn->first_free = MIN(d->evtchn->first_free, n);
    d->evtchn->open--;
    event_clear(d, n);
}

static int open_pirq(struct domain *d, const struct evtchn_bind_pirq *op)
{
    uint16_t *slot = &d->evtchn->pirq_port[op->pirq];
    int rc, n;

    if (*slot)
        return refuse(-XEN_EEXIST, "pirq %u is bound to port %u already", op->pirq, *slot);
    n = open_port(d, (struct port){.state = EVTCHNSTAT_pirq, .number = op->pirq});
    if (n < 0)
        return n;
    WRITE_ONCE(*slot, (uint16_t)n); /* before the line is opened: it may interrupt at once */
    rc = pirq_bind(op->pirq); /* what shares a line shares it in one domain: no flag says more */
    if (rc) {
        WRITE_ONCE(*slot, 0);
        shut(d, (unsigned)n, port_at(d->evtchn, (unsigned)n));
        return rc;
    }
    return n;
}

int event_bind_pirq(union event_arg *a)
{
    struct evtchn_bind_pirq *op = &a->bind_pirq;
    struct domain *d = current->domain;
    int rc;

    if (!d->is_hardware)
        return refuse(-XEN_EPERM, "pirq %u: devices are the hardware domain's", op->pirq);
    if (op->pirq >= NR_PIRQS)
        return refuse(-XEN_EINVAL, "pirq %u: there are %d", op->pirq, NR_PIRQS);
    event_lock(d);
    rc = open_pirq(d, op);
    event_unlock(d);
    op->port = (uint32_t)rc;
    return MIN(rc, 0);
}

int event_bind_vcpu(union event_arg *a)
{
    const struct evtchn_bind_vcpu *op = &a->bind_vcpu;
    struct domain *d = current->domain;
    struct port *p;
    int rc = 0;

    if (!domain_vcpu(d, op->vcpu))
        return refuse_vcpu(op->vcpu);
    event_lock(d);
    p = port_at(d->evtchn, op->port);
    if (!p || p->state == EVTCHNSTAT_closed || p->state == EVTCHNSTAT_ipi ||
        (p->state == EVTCHNSTAT_virq && !virq_is_global(p->number)))
        rc = refuse(-XEN_EINVAL, "port %u is closed or belongs to one vCPU for good", op->port);
    else
        WRITE_ONCE(p->vcpu, (uint8_t)op->vcpu);
    event_unlock(d);
    return rc;
}

/* Locks d and, if its port n is connected, the peer (else the result is d). */
static struct domain *lock_ends(struct domain *d, unsigned n)
{
    struct domain *other = d;

    for (;;) {
        const struct port *p = port_at(d->evtchn, n);
        struct domain *peer;

        lock_two(d, other);
        peer = p && p->state == EVTCHNSTAT_interdomain ? p->peer : d;
        if (peer == other)
            return other;
        unlock_two(d, other);
        other = peer;
    }
}

/* What refers to the port forgets it. */
static void detach(struct domain *d, const struct port *p)
{
    if (p->state == EVTCHNSTAT_interdomain) {
        struct port *q = port_at(p->peer->evtchn, p->number);

        /* Who has the number of a dead domain next has no right to the port. */
        *q = (struct port){.state = EVTCHNSTAT_unbound,
                           .vcpu = q->vcpu,
                           .peer_id = d->dying ? DOMID_INVALID : d->id};
    } else if (p->state == EVTCHNSTAT_virq) {
        struct vcpu *v = d->vcpu[virq_is_global(p->number) ? 0 : p->vcpu];

        WRITE_ONCE(v->virq_port[p->number], 0);
    } else if (p->state == EVTCHNSTAT_pirq) {
        pirq_unbind(p->number);
        WRITE_ONCE(d->evtchn->pirq_port[p->number], 0);
    }
}

static int close_port(struct domain *d, unsigned n)
{
    struct domain *peer = lock_ends(d, n);
    struct port *p = port_at(d->evtchn, n);
    int rc = 0;

    if (!p || p->state == EVTCHNSTAT_closed) {
        rc = -XEN_EINVAL;
    } else {
        detach(d, p);
        shut(d, n, p);
    }
    unlock_two(d, peer);
    return rc;
}

int event_close(union event_arg *a)
{
    int rc = close_port(current->domain, a->close.port);

    return rc ? refuse(rc, "close of port %u, which is not open", a->close.port) : 0;
}

/* Nobody can open ports meanwhile. */
static void close_all(struct domain *d)
{
    for (unsigned n = 1; n < EVTCHN_2L_NR_CHANNELS; n++) {
        const struct port *p = port_at(d->evtchn, n);

        if (n % 64 == 0)
            preempt_point();
        if (p && p->state != EVTCHNSTAT_closed)
            close_port(d, n);
    }
}

int event_reset(union event_arg *a)
{
    int rc = 0;
    struct domain *d = call_subject(a->reset.dom, &rc);

    if (!d)
        return rc;
    event_lock(d);
    if (d->evtchn->closing)
        rc = refuse(-XEN_EBUSY, "ports of domain %u are being closed already", d->id);
    d->evtchn->closing = true;
    event_unlock(d);
    if (rc)
        return rc;
    close_all(d);
    event_lock(d);
    d->evtchn->closing = false;
    event_unlock(d);
    return 0;
}

int event_status(union event_arg *a)
{
    struct evtchn_status *op = &a->status;
    domid_t id = op->dom;
    unsigned n = op->port;
    int rc = 0;
    struct domain *d = call_subject(id, &rc);
    struct port p = {.state = EVTCHNSTAT_closed};

    if (!d)
        return rc;
    if (n >= EVTCHN_2L_NR_CHANNELS)
        return -XEN_EINVAL; /* so ends who asks for one after the other */
    event_lock(d);
    if (port_at(d->evtchn, n))
        p = *port_at(d->evtchn, n);
    memset(op, 0, sizeof(*op));
    op->dom = id;
    op->port = n;
    op->status = p.state;
    op->vcpu = p.vcpu;
    if (p.state == EVTCHNSTAT_unbound) {
        op->u.unbound.dom = p.peer_id;
    } else if (p.state == EVTCHNSTAT_interdomain) {
        op->u.interdomain.dom = p.peer->id;
        op->u.interdomain.port = p.number;
    } else {
        op->u.virq = p.number; /* or the pirq */
    }
    event_unlock(d);
    return 0;
}

int evtchn_domain_init(struct domain *d)
{
    struct evtchn_table *t = page_alloc(0);

    if (!t)
        return -XEN_ENOMEM;
    lock_init(&t->lock, RANK_EVENT);
    t->first_free = 1; /* port 0 means "none" */
    t->limit = EVTCHN_2L_NR_CHANNELS;
    d->evtchn = t;
    return 0;
}

void evtchn_limit(struct domain *d, uint32_t max_port)
{
    d->evtchn->limit = MAX(MIN(max_port, EVTCHN_2L_NR_CHANNELS - 1u), 1u) + 1;
}

void evtchn_domain_close(struct domain *d)
{
    close_all(d);
}

void evtchn_domain_free(struct domain *d)
{
    struct evtchn_table *t = d->evtchn;

    d->evtchn = NULL;
    if (!t)
        return;
    for (unsigned i = 0; i < BUCKETS; i++) {
        if (t->bucket[i])
            page_free(t->bucket[i], 0);
    }
    page_free(t, 0);
}
