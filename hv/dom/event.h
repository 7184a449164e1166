/* SPDX-License-Identifier: MIT */
/* Ports of a domain: what event.c (delivery) and event_bind.c (life of a port) share.
 *
 * Everything here is private: the guest's pending and mask bits are only ever written for its sake,
 * and nothing that a port is or does is read back from them. A port changes under its domain's
 * event lock. The two ends of a connection refer to each other, so both change together, under both
 * locks. */
#ifndef HV_DOM_EVENT_H
#define HV_DOM_EVENT_H

#include <hv/cpu.h>
#include <hv/irq.h>
#include <pvabi/event_channel.h>

#define PORTS_PER_BUCKET (PAGE_SIZE / sizeof(struct port))
#define BUCKETS          (EVTCHN_2L_NR_CHANNELS / PORTS_PER_BUCKET)

struct port {
    uint8_t state;       /* EVTCHNSTAT_* */
    uint8_t vcpu;        /* whose upcall it is; read without the lock */
    domid_t peer_id;     /* unbound: who may connect */
    uint32_t number;     /* interdomain: port of the peer; else VIRQ or pirq */
    struct domain *peer; /* interdomain; lives while the connection does */
};

struct evtchn_table {
    struct spinlock lock;         /* RANK_EVENT */
    bool closing;                 /* lock: all ports are being closed, none may be opened */
    unsigned first_free;          /* lock: no free port is below */
    unsigned limit;               /* all ports are below */
    unsigned open;                /* lock: number of open ports */
    uint16_t pirq_port[NR_PIRQS]; /* written under the lock; 0 none */
    struct port *bucket[BUCKETS]; /* made on demand under the lock, never taken away; read without
                                     it: the address orders what is read through it */
};
_Static_assert(sizeof(struct evtchn_table) <= PAGE_SIZE, "a table takes one page");

/* Port n, or NULL: beyond the limit, or nothing near it was ever opened. */
static always_inline struct port *port_at(const struct evtchn_table *t, uint64_t n)
{
    struct port *bucket;

    if (unlikely(n >= EVTCHN_2L_NR_CHANNELS))
        return NULL;
    bucket = READ_ONCE(t->bucket[n / PORTS_PER_BUCKET % BUCKETS]);
    return likely(bucket) ? &bucket[n % PORTS_PER_BUCKET] : NULL;
}

static always_inline void event_lock(struct domain *d)
{
    lock(&d->evtchn->lock);
}
static always_inline void event_unlock(struct domain *d)
{
    unlock(&d->evtchn->lock);
}

/* Makes port n of d pending. Takes no event lock; may be called with any. */
void event_deliver(struct domain *d, unsigned n);
/* Forgets what a port's former life left pending. */
void event_clear(struct domain *d, unsigned n);

union event_arg {
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
};
/* 0 or a negative error; replies are stored in the argument (event_bind.c). */
typedef int event_fn(union event_arg *a);
event_fn event_alloc_unbound, event_bind_interdomain, event_bind_virq, event_bind_pirq,
    event_bind_ipi, event_bind_vcpu, event_close, event_status, event_reset;

#endif
