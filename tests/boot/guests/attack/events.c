/* SPDX-License-Identifier: MIT */
/* R21 and R22: the life of ports, and the bits of the shared page that are ours to scribble on. */
#include "attack.h"
#include <pvguest/event.h>

static void port_lives(void)
{
    long port = pv_event_bind_ipi(), virq = pv_event_bind_virq(VIRQ_DEBUG), pair, mate;
    struct evtchn_bind_vcpu bind = {.port = port, .vcpu = 3};
    struct evtchn_reset reset = {.dom = 99};

    refused("send on port 0", pv_event_send(0));
    refused("close of port 0", pv_event_close(0));
    refused("the same VIRQ twice", pv_event_bind_virq(VIRQ_DEBUG));
    refused("send on a VIRQ", pv_event_send(virq));
    refused("port moved to a vCPU that is not there",
            pv_event_channel_op(EVTCHNOP_bind_vcpu, &bind));
    refused("bind to a free port", pv_event_bind_interdomain(DOMID_SELF, 200));
    refused("bind to an IPI", pv_event_bind_interdomain(DOMID_SELF, port));
    refused("bind to a domain that is not there", pv_event_bind_interdomain(77, 1));
    refused("reset of another domain", pv_event_channel_op(EVTCHNOP_reset, &reset));
    holds("close", !pv_event_close(port));
    refused("send after close", pv_event_send(port));
    refused("close twice", pv_event_close(port));
    pair = pv_event_alloc_unbound(DOMID_SELF);
    mate = pv_event_bind_interdomain(DOMID_SELF, pair);
    holds("pair", pair > 0 && mate > 0);
    refused("third end", pv_event_bind_interdomain(DOMID_SELF, pair));
    holds("one end closed", !pv_event_close(pair));
    holds("send to a closed end", (pv_event_send(mate), true));
    holds("other end closed", !pv_event_close(mate));
}

static void port_exhaustion(void)
{
    unsigned got[2];

    for (unsigned round = 0; round < 2; round++) {
        long port;

        got[round] = 0;
        while ((port = pv_event_bind_ipi()) > 0 && got[round] < 10000)
            got[round]++;
        refused("one port too many", port);
        for (unsigned p = 1; p < PV_EVENT_PORTS; p++)
            pv_event_close(p);
    }
    holds("as many after closing all", got[1] >= got[0]);
    holds("bounded", got[0] < PV_EVENT_PORTS);
}

static void ports(void)
{
    port_lives();
    port_exhaustion();
}

/* R22: no state of the hypervisor may follow from what we write here. */
static void scribbles(void)
{
    uint64_t *page = (uint64_t *)pv_shared_info;
    long port = pv_event_bind_ipi();
    struct vcpu_info *v = pv_vcpu_info;
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = 1};

    for (unsigned n = 0; n < 200; n++) {
        for (unsigned i = 0; i < 512; i++)
            page[i] = attack_random();
        v->evtchn_upcall_mask = 1;
        pv_event_send(port);
        pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer);
        pv_sched_op(SCHEDOP_yield, NULL);
        holds("port still ours", !pv_event_send(port));
    }
    memset(page, 0xff, PAGE_SIZE);
    holds("block with everything pending", (pv_sched_op(SCHEDOP_block, NULL), true));
    memset(page, 0, PAGE_SIZE);
    v->evtchn_upcall_mask = 1;
    holds("send after all that", !pv_event_send(port) && pv_event_pending(port));
    if (!attack_on_xen) {
        struct {
            uint64_t gfn;
            uint32_t offset, vcpu;
            uint8_t link_bits, pad[7];
        } fifo = {.gfn = pv_va_to_mfn(pv_page_alloc())};

        refused("FIFO ports", pv_event_channel_op(EVTCHNOP_init_control, &fifo));
    }
}

const struct attack event_attacks[] = {
    {"r21", "ports: closed, unfinished, exhausted", ports, ATTACK_SURVIVES},
    {"r22", "the shared page full of nonsense", scribbles, ATTACK_SURVIVES},
    {.name = NULL},
};
