/* SPDX-License-Identifier: MIT */
/* Event channels: every kind of port, masks at both levels, delivery, status, unmask. */
#include "selftest.h"

static volatile unsigned count[PV_EVENT_PORTS];

static void on_event(unsigned port)
{
    count[port]++;
}

static long status_of(unsigned port)
{
    struct evtchn_status s = {.dom = DOMID_SELF, .port = port};
    long rc = pv_event_channel_op(EVTCHNOP_status, &s);

    return rc ? rc : (long)s.status;
}

static void check_ipi(void)
{
    long p = pv_event_bind_ipi();
    struct vcpu_info *v = pv_vcpu_info;

    CHECK("bind_ipi", p > 0);
    CHECK_EQ("status: ipi", status_of(p), EVTCHNSTAT_ipi);
    pv_event_set(p, on_event);
    pv_event_clear(p);
    pv_event_unmask(p);
    pv_events_off();
    CHECK_OK("send while masked", pv_event_send(p));
    CHECK("pending bit", pv_event_pending(p));
    CHECK("selector", v->evtchn_pending_sel >> (p / 64) & 1);
    CHECK("upcall pending", v->evtchn_upcall_pending);
    CHECK_EQ("not delivered", count[p], 0);
    pv_events_on();
    CHECK_EQ("delivered at the next cheap call", count[p], 1);
    CHECK_OK("send unmasked", pv_event_send(p));
    CHECK_EQ("delivered on the way out", count[p], 2);
    pv_event_mask(p);
    CHECK_OK("send to a masked port", pv_event_send(p));
    CHECK_EQ("held back", count[p], 2);
    CHECK("pending", pv_event_pending(p));
    pv_event_unmask(p);
    CHECK_EQ("unmask delivers", count[p], 3);
    pv_events_off();
    CHECK_OK("close", pv_event_close(p));
    CHECK_EQ("status: closed", status_of(p), EVTCHNSTAT_closed);
    CHECK_REFUSED("send after close", pv_event_send(p));
}

static void check_loop(void)
{
    long a = pv_event_alloc_unbound(DOMID_SELF), b;

    CHECK("alloc_unbound", a > 0);
    CHECK_EQ("status: unbound", status_of(a), EVTCHNSTAT_unbound);
    b = pv_event_bind_interdomain(DOMID_SELF, a);
    CHECK("bind_interdomain", b > 0 && b != a);
    CHECK_EQ("status: interdomain", status_of(a), EVTCHNSTAT_interdomain);
    CHECK_EQ("status: interdomain", status_of(b), EVTCHNSTAT_interdomain);
    pv_event_set(a, on_event);
    pv_event_set(b, on_event);
    pv_event_unmask(a);
    pv_event_unmask(b);
    pv_events_off();
    pv_event_clear(a);
    pv_event_clear(b);
    pv_events_on();
    count[a] = count[b] = 0;
    CHECK_OK("send", pv_event_send(a));
    CHECK_EQ("arrives at the other end", count[b], 1);
    CHECK_EQ("not at its own", count[a], 0);
    CHECK_OK("and back", pv_event_send(b));
    CHECK_EQ("arrives", count[a], 1);
    pv_events_off();
    CHECK_OK("close one end", pv_event_close(b));
    CHECK_EQ("the other is unbound", status_of(a), EVTCHNSTAT_unbound);
    CHECK_OK("close the other", pv_event_close(a));
}

static void check_virq(void)
{
    long p = pv_event_bind_virq(VIRQ_DEBUG);
    struct evtchn_bind_virq bad = {.virq = VIRQ_TIMER, .vcpu = 5};

    CHECK("bind_virq", p > 0);
    CHECK_EQ("status: virq", status_of(p), EVTCHNSTAT_virq);
    CHECK_EQ("twice", pv_event_bind_virq(VIRQ_DEBUG), -XEN_EEXIST);
    CHECK_EQ("vCPU that is not there", pv_event_channel_op(EVTCHNOP_bind_virq, &bad), -XEN_ENOENT);
    bad.vcpu = 0;
    bad.virq = 99;
    CHECK_EQ("VIRQ that is not there", pv_event_channel_op(EVTCHNOP_bind_virq, &bad), -XEN_EINVAL);
    CHECK_OK("close", pv_event_close(p));
    p = pv_event_bind_virq(VIRQ_DEBUG);
    CHECK("bind again", p > 0);
    pv_event_close(p);
}

static void check_other_ops(void)
{
    long p = pv_event_alloc_unbound(DOMID_SELF);
    struct evtchn_bind_vcpu bind = {.port = p, .vcpu = 0};
    struct evtchn_unmask unmask = {.port = 4000};

    CHECK_OK("bind_vcpu", pv_event_channel_op(EVTCHNOP_bind_vcpu, &bind));
    bind.vcpu = 7;
    CHECK_REFUSED("bind to a vCPU that is not there",
                  pv_event_channel_op(EVTCHNOP_bind_vcpu, &bind));
    pv_event_close(p);
    CHECK_REFUSED("close of port 0", pv_event_close(0));
    CHECK_REFUSED("close of a free port", pv_event_close(1000));
    CHECK_REFUSED("unmask beyond the ports",
                  (unmask.port = 1u << 20, pv_event_channel_op(EVTCHNOP_unmask, &unmask)));
    CHECK_EQ("unknown domain", pv_event_bind_interdomain(0x1234, 1), -XEN_ESRCH);
    CHECK_EQ("unknown command", pv_event_channel_op(99, &unmask), -XEN_ENOSYS);
}

static unsigned nested_port;
static void on_nested(unsigned port)
{
    count[port]++;
    if (count[port] < 3)
        pv_event_send(nested_port);
}

/* An event sent from within an upcall, where upcalls are masked, comes right after it. */
static void check_upcall_return(void)
{
    long p = pv_event_bind_ipi();

    nested_port = p;
    count[p] = 0;
    pv_event_set(p, on_nested);
    pv_events_off();
    pv_event_clear(p);
    pv_event_unmask(p);
    pv_events_on();
    CHECK_OK("send", pv_event_send(p));
    CHECK_EQ("iret delivers what came meanwhile", count[p], 3);
    CHECK_EQ("unmasked again afterwards", pv_vcpu_info->evtchn_upcall_mask, 0);
    pv_events_off();
    pv_event_close(p);
}

void test_events(void)
{
    check_ipi();
    check_loop();
    check_virq();
    check_other_ops();
    check_upcall_return();
}
