/* SPDX-License-Identifier: MIT */
/* Two-level event channels: which bits are whose, and in what order they are touched. */
#include <pvguest/event.h>

static pv_event_handler *handlers[PV_EVENT_PORTS];

static void bit_set(volatile unsigned long *map, unsigned bit)
{
    __asm__ volatile("lock btsq %1, %0" : "+m"(map[bit / 64]) : "r"(bit % 64ul) : "memory");
}

static void bit_clear(volatile unsigned long *map, unsigned bit)
{
    __asm__ volatile("lock btrq %1, %0" : "+m"(map[bit / 64]) : "r"(bit % 64ul) : "memory");
}

static bool bit_test(const volatile unsigned long *map, unsigned bit)
{
    return map[bit / 64] >> (bit % 64) & 1;
}

void pv_events_on(void)
{
    struct vcpu_info *v = pv_vcpu_info;

    pv_store(&v->evtchn_upcall_mask, 0);
    pv_barrier();
    if (pv_load(&v->evtchn_upcall_pending))
        pv_xen_version(0, NULL);
}

void pv_event_set(unsigned port, pv_event_handler *handler)
{
    handlers[port] = handler;
}

void pv_event_mask(unsigned port)
{
    bit_set((unsigned long *)pv_shared_info->evtchn_mask, port);
}

void pv_event_unmask(unsigned port)
{
    struct evtchn_unmask op = {.port = port};

    pv_event_channel_op(EVTCHNOP_unmask, &op);
}

bool pv_event_pending(unsigned port)
{
    return bit_test((unsigned long *)pv_shared_info->evtchn_pending, port);
}

void pv_event_clear(unsigned port)
{
    bit_clear((unsigned long *)pv_shared_info->evtchn_pending, port);
}

void pv_event_dispatch(void)
{
    struct vcpu_info *v = pv_vcpu_info;
    unsigned long words, bits;

    /* The flag first: an event that comes while the words are read sets it again. */
    pv_store(&v->evtchn_upcall_pending, 0);
    pv_barrier();
    words = __atomic_exchange_n((unsigned long *)&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned w = __builtin_ctzl(words);

        bits =
            pv_load(&pv_shared_info->evtchn_pending[w]) & ~pv_load(&pv_shared_info->evtchn_mask[w]);
        for (; bits; bits &= bits - 1) {
            unsigned port = w * 64 + __builtin_ctzl(bits);

            pv_event_clear(port);
            if (handlers[port])
                handlers[port](port);
        }
    }
}

long pv_event_bind_ipi(void)
{
    struct evtchn_bind_ipi op = {.vcpu = 0};
    long rc = pv_event_channel_op(EVTCHNOP_bind_ipi, &op);

    return rc ? rc : op.port;
}

long pv_event_bind_virq(unsigned virq)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = 0};
    long rc = pv_event_channel_op(EVTCHNOP_bind_virq, &op);

    return rc ? rc : op.port;
}

long pv_event_alloc_unbound(unsigned remote)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};
    long rc = pv_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    return rc ? rc : op.port;
}

long pv_event_bind_interdomain(unsigned remote, unsigned port)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote, .remote_port = port};
    long rc = pv_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    return rc ? rc : op.local_port;
}

long pv_event_send(unsigned port)
{
    struct evtchn_send op = {.port = port};

    return pv_event_channel_op(EVTCHNOP_send, &op);
}

long pv_event_close(unsigned port)
{
    struct evtchn_close op = {.port = port};

    return pv_event_channel_op(EVTCHNOP_close, &op);
}
