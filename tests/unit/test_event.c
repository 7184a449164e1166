/* SPDX-License-Identifier: MIT */
/* Event channels where test_mm_event.c does not look: what guests can write is believed nowhere,
 * vCPUs that move or are not there yet, the old form of the call, faults half-way, the end of a
 * table. */
#include "fake_test.h"
#include "../../hv/dom/event.h"

#define OP(name, ...)                                                                              \
    ({                                                                                             \
        struct evtchn_##name arg_ = {__VA_ARGS__};                                                 \
        op_rc = call_event(EVTCHNOP_##name, &arg_, sizeof(arg_));                                  \
        arg_;                                                                                      \
    })
static long op_rc;

static unsigned ipi(unsigned vcpu)
{
    unsigned port = OP(bind_ipi, .vcpu = vcpu).port;

    ck_assert_int_eq(op_rc, 0);
    return port;
}

static uint64_t noise(void)
{
    static uint64_t x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

START_TEST(ports_do_not_depend_on_guest_bits)
{
    unsigned port = ipi(0), virq = OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 0).port;
    uint64_t *page = (uint64_t *)d1->shared;

    for (unsigned round = 0; round < 500; round++) {
        for (unsigned i = 0; i < sizeof(*d1->shared) / 8; i++)
            page[i] = noise();
        OP(send, .port = port);
        ck_assert_int_eq(op_rc, 0);
        ck_assert(evtchn_port_pending(d1, port));
        OP(unmask, .port = (uint32_t)(noise() % 300));
        send_virq(d1->vcpu[0], VIRQ_TIMER);
        ck_assert_uint_eq(OP(status, .dom = DOMID_SELF, .port = port).status, EVTCHNSTAT_ipi);
        fake_event_check();
    }
    memset(page, 0xff, sizeof(*d1->shared)); /* all ports pending: none is open for that */
    ck_assert_uint_eq(OP(status, .dom = DOMID_SELF, .port = virq + 1).status, EVTCHNSTAT_closed);
    ck_assert_uint_eq(ipi(1), virq + 1);
}
END_TEST

/* Both levels, one after the other: a set bit stops the event there, at no harm but the guest's
 * own. */
START_TEST(each_level_is_announced_once)
{
    unsigned port = ipi(0);
    struct vcpu_info *info = d1->vcpu[0]->info;

    fake_run(d1->vcpu[1]);
    fake_kicks = 0;
    OP(send, .port = port);
    ck_assert_uint_eq(fake_kicks, 1);
    ck_assert_uint_eq(info->evtchn_pending_sel, 1);
    OP(send, .port = port);
    event_clear(d1, port);
    OP(send, .port = port); /* the selector says so already */
    ck_assert_uint_eq(fake_kicks, 1);
    event_clear(d1, port);
    info->evtchn_pending_sel = 0;
    OP(send, .port = port); /* the flag says so already */
    ck_assert_uint_eq(fake_kicks, 1);
    ck_assert_uint_eq(info->evtchn_pending_sel, 1);
    event_clear(d1, port);
    info->evtchn_pending_sel = info->evtchn_upcall_pending = 0;
    fake_run(d1->vcpu[0]);
    OP(send, .port = port); /* to oneself: the way out looks */
    ck_assert_uint_eq(fake_kicks, 1);
    ck_assert_uint_eq(info->evtchn_upcall_pending, 1);
    ck_assert(event_deliverable(d1->vcpu[0]));
    info->evtchn_upcall_mask = 1;
    ck_assert(!event_deliverable(d1->vcpu[0]));
}
END_TEST

START_TEST(unmask_raises_only_what_was_held_back)
{
    unsigned port = ipi(0);
    struct vcpu_info *info = d1->vcpu[0]->info;

    OP(unmask, .port = port); /* not masked, not pending */
    d1->shared->evtchn_mask[0] = ~0ull;
    OP(unmask, .port = port); /* masked, not pending */
    ck_assert_uint_eq(d1->shared->evtchn_mask[0], ~(1ull << port));
    OP(send, .port = port);
    info->evtchn_pending_sel = info->evtchn_upcall_pending = 0;
    OP(unmask, .port = port); /* pending, not masked: known already */
    ck_assert_uint_eq(info->evtchn_upcall_pending, 0);
}
END_TEST

START_TEST(every_poller_is_woken)
{
    unsigned port = ipi(0);

    d1->shared->evtchn_mask[0] = ~0ull;
    vcpu_set_polling(d1->vcpu[0], true);
    vcpu_set_polling(d1->vcpu[1], true);
    fake_wakes = 0;
    OP(send, .port = port);
    ck_assert_uint_eq(fake_wakes, 2);
    ck_assert(evtchn_port_pending(d1, port));
    ck_assert(!evtchn_port_pending(d1, port + 1));
    ck_assert(!evtchn_port_pending(d1, EVTCHN_2L_NR_CHANNELS));
    ck_assert(!evtchn_port_pending(d1, ~0ull));
}
END_TEST

START_TEST(a_moved_vcpu_info_announces_everything)
{
    static struct vcpu_info moved;
    struct vcpu *v = d1->vcpu[1];

    memset(&moved, 0, sizeof(moved));
    v->info = &moved;
    fake_kicks = 0;
    evtchn_info_moved(v);
    ck_assert_uint_eq(moved.evtchn_pending_sel, ~0ull);
    ck_assert_uint_eq(moved.evtchn_upcall_pending, 1);
    ck_assert_uint_eq(fake_kicks, 1);
    OP(send, .port = ipi(1));
    ck_assert_uint_eq(d1->shared->vcpu_info[1].evtchn_upcall_pending, 0);
}
END_TEST

START_TEST(vcpus_may_come_later)
{
    unsigned port = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 2).port, far;
    struct vcpu *v1 = d1->vcpu[0], *v0 = d0->vcpu[0];

    run_as(d2);
    far = OP(bind_interdomain, .remote_dom = 1, .remote_port = port).local_port;
    d1->vcpu[0] = d0->vcpu[0] = NULL;
    memcpy(fake_guest, &far, sizeof(far));
    ck_assert_int_eq(do_event_channel_op(EVTCHNOP_send, FAKE_GUEST), 0);
    send_global_virq(VIRQ_CONSOLE);
    d1->vcpu[0] = v1;
    d0->vcpu[0] = v0;
    ck_assert(evtchn_port_pending(d1, port));
    hardware_domain = NULL;
    send_global_virq(VIRQ_CONSOLE);
    hardware_domain = d0;
}
END_TEST

/* Locks of one rank are taken in one order, whoever begins: the fake machine sees to it. */
START_TEST(two_domains_lock_in_order)
{
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        for (unsigned k = 0; k < FAKE_DOMAINS; k++) {
            unsigned there, here;

            run_as(fake_dom[i]);
            there = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = (domid_t)k).port;
            run_as(fake_dom[k]);
            here = OP(bind_interdomain, .remote_dom = (domid_t)i, .remote_port = there).local_port;
            ck_assert_int_eq(op_rc, 0);
            OP(send, .port = here);
            OP(close, .port = here);
            ck_assert_int_eq(op_rc, 0);
            run_as(fake_dom[i]);
            OP(close, .port = there);
            ck_assert_int_eq(op_rc, 0);
            ck_assert_uint_eq(fake_dom[k]->evtchn->open, 0);
        }
    }
}
END_TEST

START_TEST(the_hardware_domain_acts_for_others)
{
    unsigned port;

    run_as(d0);
    port = OP(alloc_unbound, .dom = 1, .remote_dom = DOMID_SELF).port;
    ck_assert_int_eq(op_rc, 0);
    ck_assert_uint_eq(port_at(d1->evtchn, port)->peer_id, 0); /* the caller's self, not domain 1 */
    OP(alloc_unbound, .dom = 77, .remote_dom = DOMID_SELF);
    ck_assert_int_eq(op_rc, -XEN_ESRCH);
    run_as(d1);
    OP(alloc_unbound, .dom = 77,
       .remote_dom = DOMID_SELF); /* does not learn that it is not there */
    ck_assert_int_eq(op_rc, -XEN_EPERM);
    OP(reset, .dom = 77);
    ck_assert_int_eq(op_rc, -XEN_EPERM);
}
END_TEST

static void status_is(const struct domain *d, unsigned port, unsigned status, unsigned vcpu,
                      unsigned number)
{
    struct evtchn_status s;

    memset(&s, 0x5a, sizeof(s)); /* nothing of what was there may come back */
    s.dom = d->id;
    s.port = port;
    ck_assert_int_eq(call_event(EVTCHNOP_status, &s, sizeof(s)), 0);
    ck_assert_uint_eq(s.status, status);
    ck_assert_uint_eq(s.vcpu, vcpu);
    ck_assert_uint_eq(s.u.virq, number);
    ck_assert_uint_eq(s.u.interdomain.port, 0);
}

START_TEST(status_of_what_has_a_number)
{
    unsigned port;

    run_as(d0);
    port = OP(bind_pirq, .pirq = 5, .flags = BIND_PIRQ__WILL_SHARE).port;
    status_is(d0, port, EVTCHNSTAT_pirq, 0, 5);
    OP(bind_vcpu, .port = port, .vcpu = 1);
    ck_assert_int_eq(op_rc, 0);
    status_is(d0, port, EVTCHNSTAT_pirq, 1, 5);
    status_is(d0, OP(bind_virq, .virq = VIRQ_DEBUG, .vcpu = 1).port, EVTCHNSTAT_virq, 1,
              VIRQ_DEBUG);
    status_is(d0, OP(bind_virq, .virq = VIRQ_DOM_EXC, .vcpu = 0).port, EVTCHNSTAT_virq, 0,
              VIRQ_DOM_EXC);
    status_is(d0, ipi(1), EVTCHNSTAT_ipi, 1, 0);
    status_is(d0, 0, EVTCHNSTAT_closed, 0, 0);
    send_pirq_event(d0, 5);
    ck_assert(d0->shared->vcpu_info[1].evtchn_upcall_pending);
}
END_TEST

START_TEST(sends_of_other_kinds_are_explained)
{
    run_as(d0);
    OP(send, .port = OP(bind_pirq, .pirq = 5).port);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    said("a pirq's");
    OP(send, .port = OP(bind_virq, .virq = VIRQ_TIMER).port);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    said("a VIRQ's");
    OP(send, .port = 0);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(send, .port = ~0u);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(close, .port = 0);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(close, .port = EVTCHN_2L_NR_CHANNELS);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(bind_vcpu, .port = OP(bind_virq, .virq = VIRQ_XENPMU).port, .vcpu = 1);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
}
END_TEST

/* The word around the port is loaded: it may lie anywhere, and never reaches into another page. */
START_TEST(the_argument_of_send_lies_anywhere)
{
    unsigned port = ipi(0);
    const unsigned at[] = {0, 4, 8, 1, 2, 7, FAKE_GUEST_SIZE - 4, FAKE_GUEST_SIZE - 5};

    for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
        memset(fake_guest, 0xee, 32);
        memcpy(fake_guest + at[i], &port, 4);
        event_clear(d1, port);
        ck_assert_int_eq(
            call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, FAKE_GUEST + at[i], 0, 0), 0);
        ck_assert(evtchn_port_pending(d1, port));
    }
    ck_assert_int_eq(
        call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, FAKE_GUEST + FAKE_GUEST_SIZE - 3, 0, 0),
        -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, HV_VIRT_START, 0, 0),
                     -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, HV_VIRT_END - 4, 0, 0),
                     -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, ~3ull, 0, 0), -XEN_EFAULT);
}
END_TEST

START_TEST(the_old_form_of_the_call)
{
    struct evtchn_op op = {.cmd = EVTCHNOP_bind_ipi, .u.bind_ipi.vcpu = 1};
    unsigned port;

    memcpy(fake_guest, &op, sizeof(op));
    ck_assert_int_eq(do_event_channel_op_compat(FAKE_GUEST), 0);
    memcpy(&op, fake_guest, sizeof(op));
    port = op.u.bind_ipi.port;
    ck_assert_uint_gt(port, 0);
    op = (struct evtchn_op){.cmd = EVTCHNOP_send, .u.send.port = port};
    memcpy(fake_guest, &op, sizeof(op));
    ck_assert_int_eq(do_event_channel_op_compat(FAKE_GUEST), 0);
    ck_assert(evtchn_port_pending(d1, port));
    op.cmd = EVTCHNOP_reset;
    memcpy(fake_guest, &op, sizeof(op));
    ck_assert_int_eq(do_event_channel_op_compat(FAKE_GUEST), -XEN_ENOSYS);
    ck_assert_int_eq(do_event_channel_op_compat(0x1000), -XEN_EFAULT);
    for (unsigned cmd = EVTCHNOP_init_control; cmd <= EVTCHNOP_set_priority + 1; cmd++)
        ck_assert_int_eq(do_event_channel_op(cmd, FAKE_GUEST), -XEN_ENOSYS);
    ck_assert_int_eq(do_event_channel_op(~0ull, FAKE_GUEST), -XEN_ENOSYS);
}
END_TEST

/* The port is open then, and the guest does not know; it can find out. */
START_TEST(a_reply_that_faults)
{
    struct evtchn_bind_ipi op = {.vcpu = 0};

    fake_fault_after = sizeof(op);
    ck_assert_int_eq(call_event(EVTCHNOP_bind_ipi, &op, sizeof(op)), -XEN_EFAULT);
    fake_fault_after = -1;
    status_is(d1, 1, EVTCHNSTAT_ipi, 0, 0);
}
END_TEST

static long during_rc[3];

/* What another vCPU tries at the first preemption point of a reset. */
static void meddle(void)
{
    struct vcpu *before = host_current;
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    struct evtchn_close close = {.port = 200};

    fake_on_preempt = NULL;
    fake_run(d1->vcpu[1]);
    memcpy(fake_guest, &bind, sizeof(bind));
    during_rc[0] = do_event_channel_op(EVTCHNOP_bind_ipi, FAKE_GUEST);
    memcpy(fake_guest, &reset, sizeof(reset));
    during_rc[1] = do_event_channel_op(EVTCHNOP_reset, FAKE_GUEST);
    memcpy(fake_guest, &close, sizeof(close));
    during_rc[2] = do_event_channel_op(EVTCHNOP_close, FAKE_GUEST);
    fake_run(before);
}

START_TEST(nothing_opens_during_a_reset)
{
    for (unsigned i = 0; i < 300; i++)
        ipi(0);
    fake_preempts = 0;
    fake_on_preempt = meddle;
    OP(reset, .dom = DOMID_SELF);
    ck_assert_int_eq(op_rc, 0);
    ck_assert_int_eq(during_rc[0], -XEN_EBUSY);
    ck_assert_int_eq(during_rc[1], -XEN_EBUSY);
    ck_assert_int_eq(during_rc[2], 0);
    ck_assert_uint_ge(fake_preempts, 60);
    ck_assert_uint_eq(d1->evtchn->open, 0);
    ck_assert_uint_eq(ipi(0), 1); /* and afterwards all is as at first */
}
END_TEST

START_TEST(pirqs_fail_without_a_trace)
{
    run_as(d0);
    for (unsigned i = 1; i < EVTCHN_2L_NR_CHANNELS; i++)
        ipi(0);
    OP(bind_pirq, .pirq = 3);
    ck_assert_int_eq(op_rc, -XEN_ENOSPC);
    ck_assert(!fake_pirq_bound[3]);
    ck_assert_uint_eq(d0->evtchn->pirq_port[3], 0);
    OP(bind_virq, .virq = VIRQ_TIMER);
    ck_assert_int_eq(op_rc, -XEN_ENOSPC);
    ck_assert_uint_eq(d0->vcpu[0]->virq_port[VIRQ_TIMER], 0);
    run_as(d1);
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0);
    run_as(d0);
    OP(bind_interdomain, .remote_dom = 1, .remote_port = 1);
    ck_assert_int_eq(op_rc, -XEN_ENOSPC);
    ck_assert_uint_eq(port_at(d1->evtchn, 1)->state, EVTCHNSTAT_unbound);
}
END_TEST

START_TEST(a_freed_table_leaves_no_memory_behind)
{
    uint64_t before = heap_free_frames();
    struct evtchn_table *t = d1->evtchn;

    d1->evtchn = NULL;
    evtchn_domain_free(d1); /* of a domain that was never finished */
    ck_assert_int_eq(evtchn_domain_init(d1), 0);
    for (unsigned i = 0; i < 700; i++)
        ipi(0);
    evtchn_domain_close(d1);
    evtchn_domain_free(d1);
    ck_assert_ptr_null(d1->evtchn);
    ck_assert_uint_eq(heap_free_frames(), before);
    d1->evtchn = t;
}
END_TEST

int main(void)
{
    RUN_TESTS("events", ports_do_not_depend_on_guest_bits, each_level_is_announced_once,
              unmask_raises_only_what_was_held_back, every_poller_is_woken,
              a_moved_vcpu_info_announces_everything, vcpus_may_come_later,
              two_domains_lock_in_order, the_hardware_domain_acts_for_others,
              status_of_what_has_a_number, sends_of_other_kinds_are_explained,
              the_argument_of_send_lies_anywhere, the_old_form_of_the_call, a_reply_that_faults,
              nothing_opens_during_a_reset, pirqs_fail_without_a_trace,
              a_freed_table_leaves_no_memory_behind);
}
