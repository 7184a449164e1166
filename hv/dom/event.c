/* SPDX-License-Identifier: MIT */
/* Event channels, two-level: how an event reaches its vCPU, and the hypercall. The life of ports:
 * event_bind.c. */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/print.h>

#include "event.h"

/* Sets bit n of a shared array; whether it was set already. */
static always_inline bool set_bit(uint64_t *array, uint64_t n)
{
    bool was;

    __asm__ volatile("lock bts %2, %1" : "=@ccc"(was), "+m"(*array) : "r"(n) : "memory");
    return was;
}
static always_inline bool get_bit(const uint64_t *array, uint64_t n)
{
    bool is;

    __asm__ volatile("bt %2, %1" : "=@ccc"(is) : "m"(*array), "r"(n) : "memory");
    return is;
}

/* The vCPU has something to look at. The guest may have written into `info` whatever it likes: at
 * worst it is not told. */
static always_inline void raise_upcall(struct vcpu *v, struct vcpu_info *info)
{
    if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST) && v != current)
        aside1(vcpu_kick,
               v); /* blocked, too: it says so before it looks at the flag for the last time */
}

/* Some port of that word of bits is pending and not masked. */
static always_inline void announce(struct vcpu *v, unsigned word)
{
    struct vcpu_info *info;

    if (unlikely(!v)) /* not made yet: registering its vcpu_info will announce everything */
        return;
    info = READ_ONCE(v->info);
    if (!set_bit(&info->evtchn_pending_sel, word))
        raise_upcall(v, info);
}

static cold noinline void wake_pollers(struct domain *d)
{
    for_each_vcpu(d, v) {
        if (READ_ONCE(v->polling))
            vcpu_wake(v);
    }
}

/* Makes port n pending, whose upcalls go to vCPU `target`. Takes no event lock; may be called with
 * any. */
static always_inline void deliver(struct domain *d, unsigned n, unsigned target)
{
    struct shared_info *s = d->shared;

    if (set_bit(s->evtchn_pending, n))
        return;
    if (!get_bit(s->evtchn_mask, n))
        announce(d->vcpu[target], n / 64);
    if (unlikely(d->pollers)) /* looked at after the bit was set: that is a barrier */
        aside1(wake_pollers, d);
}

void event_deliver(struct domain *d, unsigned n)
{
    const struct port *p = port_at(d->evtchn, n);

    if (p)
        deliver(d, n, READ_ONCE(p->vcpu));
}

void event_clear(struct domain *d, unsigned n)
{
    __atomic_fetch_and(&d->shared->evtchn_pending[n / 64], ~(1ull << n % 64), __ATOMIC_SEQ_CST);
}

bool evtchn_port_pending(const struct domain *d, uint64_t n)
{
    return n < EVTCHN_2L_NR_CHANNELS &&
           (READ_ONCE(d->shared->evtchn_pending[n / 64]) >> n % 64 & 1);
}

void evtchn_info_moved(struct vcpu *v)
{
    struct vcpu_info *info = v->info;

    __atomic_store_n(&info->evtchn_pending_sel, ~0ull, __ATOMIC_SEQ_CST);
    raise_upcall(v, info);
}

/* VIRQs and pirqs come from interrupt handlers and from under other locks, so they take none. One
 * that meets the closing of its port may leave the closed port pending, which its next owner takes
 * for a spurious event. */
void send_virq(struct vcpu *v, unsigned virq)
{
    unsigned n = READ_ONCE(v->virq_port[virq]);

    if (n)
        event_deliver(v->domain, n);
}

void send_global_virq(unsigned virq)
{
    struct domain *d = hardware_domain;

    if (d && d->vcpu[0])
        send_virq(d->vcpu[0], virq);
}

void send_pirq_event(struct domain *d, unsigned pirq)
{
    unsigned n = pirq < NR_PIRQS ? READ_ONCE(d->evtchn->pirq_port[pirq]) : 0;

    if (n)
        event_deliver(d, n);
}

static noinline int send_locked(struct domain *d, unsigned n)
{
    static const char *const names[] = {"closed", "", "", "a pirq's", "a VIRQ's", ""};
    const struct port *p;
    unsigned state;
    int rc = 0;

    event_lock(d);
    p = port_at(d->evtchn, n);
    state = p ? p->state : EVTCHNSTAT_closed;
    if (likely(state == EVTCHNSTAT_interdomain))
        event_deliver(p->peer, p->number); /* the connection stands while our lock is held */
    else if (state == EVTCHNSTAT_ipi)
        event_deliver(d, n);
    else if (state != EVTCHNSTAT_unbound) /* there nobody hears it, as if the peer had just left */
        rc = refuse(-XEN_EINVAL,
                    "send on port %u, which is %s; only connected and IPI ports can be sent on", n,
                    names[state]);
    event_unlock(d);
    return rc;
}

/* An IPI stays in its domain and may, like a VIRQ, meet the closing of its port: it needs no lock.
 */
static always_inline int send(unsigned n)
{
    struct domain *d = current->domain;
    const struct port *p = port_at(d->evtchn, n);

    if (unlikely(!p) || unlikely(p->state != EVTCHNSTAT_ipi))
        return send_locked(d, n);
    deliver(d, n, READ_ONCE(p->vcpu));
    return 0;
}

static int event_send(union event_arg *a)
{
    return send(a->send.port);
}

static int event_unmask(union event_arg *a)
{
    struct domain *d = current->domain;
    unsigned n = a->unmask.port, word = n / 64;
    uint64_t bit = 1ull << n % 64;
    const struct port *p = port_at(d->evtchn, n);

    if (!p)
        return refuse(-XEN_EINVAL, "unmask of port %u, which was never opened", n);
    if ((__atomic_fetch_and(&d->shared->evtchn_mask[word], ~bit, __ATOMIC_SEQ_CST) & bit) &&
        (READ_ONCE(d->shared->evtchn_pending[word]) & bit))
        announce(d->vcpu[READ_ONCE(p->vcpu)], word);
    return 0;
}

#define OP(name, replies) [EVTCHNOP_##name] = {event_##name, sizeof(struct evtchn_##name), replies}
static const struct {
    event_fn *fn;
    uint8_t size;
    bool replies;
} event_ops[] = {
    OP(bind_interdomain, true), OP(bind_virq, true), OP(bind_pirq, true),
    OP(close, false),           OP(send, false),     OP(status, true),
    OP(alloc_unbound, true),    OP(bind_ipi, true),  OP(bind_vcpu, false),
    OP(unmask, false),          OP(reset, false),
};
#undef OP

static noinline long any_op(uint64_t cmd, uint64_t arg)
{
    uint32_t op = (uint32_t)cmd;
    union event_arg a;
    int rc;

    /* Kernels ask for the FIFO layout first and take this answer for "two-level only". */
    if (op >= ARRAY_SIZE(event_ops))
        return -XEN_ENOSYS;
    if (copy_from_guest(&a, arg, event_ops[op].size))
        return -XEN_EFAULT;
    rc = event_ops[op].fn(&a);
    if (!rc && event_ops[op].replies && copy_to_guest(arg, &a, event_ops[op].size))
        rc = -XEN_EFAULT;
    return rc;
}

long do_event_channel_op(uint64_t cmd, uint64_t arg)
{
    uint32_t port;

    if (likely((uint32_t)cmd == EVTCHNOP_send) && guest_range_ok(arg, sizeof(port)) &&
        guest_load32(&port, arg))
        return send(port);
    return any_op(cmd, arg);
}

long do_event_channel_op_compat(uint64_t arg)
{
    uint32_t cmd;

    if (get_guest(&cmd, arg))
        return -XEN_EFAULT;
    /* What came after unmask was never part of the old form. */
    return cmd > EVTCHNOP_unmask ? -XEN_ENOSYS
                                 : do_event_channel_op(cmd, arg + offsetof(struct evtchn_op, u));
}
