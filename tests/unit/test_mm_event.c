/* SPDX-License-Identifier: MIT */
/* Event channels: how ports come, connect, deliver and go; and that a long random life leaves them
 * in order. */
#include "fake_test.h"

#include "../../hv/dom/event.h"
#include "../model/input.h"

#define OP(name, ...)                                                                              \
    ({                                                                                             \
        struct evtchn_##name arg_ = {__VA_ARGS__};                                                 \
        op_rc = call_event(EVTCHNOP_##name, &arg_, sizeof(arg_));                                  \
        arg_;                                                                                      \
    })
static long op_rc;

static bool pending(const struct domain *d, unsigned port)
{
    return d->shared->evtchn_pending[port / 64] >> port % 64 & 1;
}

static unsigned state_of(const struct domain *d, unsigned port)
{
    const struct port *p = port_at(d->evtchn, port);

    return p ? p->state : EVTCHNSTAT_closed;
}

/* A port of d1 and one of d2, connected. */
static void connect(unsigned *port1, unsigned *port2)
{
    run_as(d1);
    *port1 = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 2).port;
    ck_assert_int_eq(op_rc, 0);
    run_as(d2);
    *port2 = OP(bind_interdomain, .remote_dom = 1, .remote_port = *port1).local_port;
    ck_assert_int_eq(op_rc, 0);
}

START_TEST(connected_ports_carry_events)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    ck_assert(pending(d2, p2)); /* it shall look at what it missed */
    ck_assert(!pending(d1, p1));
    fake_wakes = fake_kicks = 0;
    OP(send, .port = p2);
    ck_assert_int_eq(op_rc, 0);
    ck_assert(pending(d1, p1));
    ck_assert(d1->shared->vcpu_info[0].evtchn_upcall_pending);
    ck_assert_uint_eq(d1->shared->vcpu_info[0].evtchn_pending_sel, 1);
    ck_assert_uint_eq(fake_kicks, 1);
    OP(send, .port = p2); /* pending already: nothing new to tell */
    ck_assert_uint_eq(fake_kicks, 1);
}
END_TEST

START_TEST(masked_ports_wait_for_unmask)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    d1->shared->evtchn_mask[0] = 1ull << p1;
    OP(send, .port = p2);
    ck_assert(pending(d1, p1));
    ck_assert(!d1->shared->vcpu_info[0].evtchn_upcall_pending);
    run_as(d1);
    OP(unmask, .port = p1);
    ck_assert_int_eq(op_rc, 0);
    ck_assert(d1->shared->vcpu_info[0].evtchn_upcall_pending);
    ck_assert_uint_eq(d1->shared->evtchn_mask[0], 0);
}
END_TEST

START_TEST(sleepers_are_woken)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    fake_wakes = fake_kicks = 0;
    OP(send, .port = p2);
    ck_assert_uint_eq(fake_kicks, 1);
    d1->shared->evtchn_pending[0] = 0;
    d1->shared->evtchn_mask[0] = ~0ull;
    vcpu_set_polling(d1->vcpu[1], true); /* a poller hears masked events, too */
    OP(send, .port = p2);
    ck_assert_uint_eq(fake_wakes, 1);
}
END_TEST

START_TEST(upcalls_go_to_the_bound_vcpu)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    run_as(d1);
    OP(bind_vcpu, .port = p1, .vcpu = 1);
    ck_assert_int_eq(op_rc, 0);
    run_as(d2);
    OP(send, .port = p2);
    ck_assert(d1->shared->vcpu_info[1].evtchn_upcall_pending);
    ck_assert(!d1->shared->vcpu_info[0].evtchn_upcall_pending);
    run_as(d1);
    OP(bind_vcpu, .port = p1, .vcpu = 2);
    ck_assert_int_eq(op_rc, -XEN_ENOENT);
    OP(bind_vcpu, .port = 4095, .vcpu = 0);
    ck_assert_int_lt(op_rc, 0);
}
END_TEST

START_TEST(connecting_needs_an_invitation)
{
    unsigned port = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0).port;

    run_as(d2);
    OP(bind_interdomain, .remote_dom = 1, .remote_port = port);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    said("does not wait");
    OP(bind_interdomain, .remote_dom = 1, .remote_port = 4096 + port);
    ck_assert_int_lt(op_rc, 0);
    OP(bind_interdomain, .remote_dom = 77, .remote_port = port);
    ck_assert_int_eq(op_rc, -XEN_ESRCH);
    OP(alloc_unbound, .dom = 1, .remote_dom = 2);
    ck_assert_int_eq(op_rc, -XEN_EPERM);
    run_as(d0);
    OP(bind_interdomain, .remote_dom = 1, .remote_port = port);
    ck_assert_int_eq(op_rc, 0);
    OP(bind_interdomain, .remote_dom = 1, .remote_port = port); /* taken */
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(alloc_unbound, .dom = 2, .remote_dom = 1);
    ck_assert_int_eq(op_rc, 0);
}
END_TEST

START_TEST(a_domain_may_connect_to_itself)
{
    unsigned a = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = DOMID_SELF).port;
    unsigned b = OP(bind_interdomain, .remote_dom = DOMID_SELF, .remote_port = a).local_port;

    ck_assert_int_eq(op_rc, 0);
    OP(send, .port = b);
    ck_assert(pending(d1, a));
    OP(close, .port = b);
    ck_assert_int_eq(op_rc, 0);
    ck_assert_uint_eq(state_of(d1, a), EVTCHNSTAT_unbound);
    OP(send, .port = a); /* nobody hears */
    ck_assert_int_eq(op_rc, 0);
}
END_TEST

START_TEST(closing_leaves_the_peer_unbound)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    OP(send, .port = p2);
    run_as(d1);
    OP(close, .port = p1);
    ck_assert_int_eq(op_rc, 0);
    ck_assert(!pending(d1, p1)); /* nothing is left for the port's next life */
    ck_assert_uint_eq(state_of(d1, p1), EVTCHNSTAT_closed);
    ck_assert_uint_eq(state_of(d2, p2), EVTCHNSTAT_unbound);
    OP(close, .port = p1);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(send, .port = p1);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    said("closed");
    OP(bind_interdomain, .remote_dom = 2, .remote_port = p2); /* the peer may come back */
    ck_assert_int_eq(op_rc, 0);
}
END_TEST

START_TEST(virqs_have_one_port)
{
    unsigned timer = OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 1).port;

    ck_assert_int_eq(op_rc, 0);
    OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 1);
    ck_assert_int_eq(op_rc, -XEN_EEXIST);
    send_virq(d1->vcpu[1], VIRQ_TIMER);
    ck_assert(pending(d1, timer));
    ck_assert(d1->shared->vcpu_info[1].evtchn_upcall_pending);
    send_virq(d1->vcpu[0], VIRQ_TIMER); /* not bound: lost */
    OP(bind_vcpu, .port = timer, .vcpu = 0);
    ck_assert_int_lt(op_rc, 0);
    OP(bind_virq, .virq = VIRQ_CONSOLE, .vcpu = 1);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(bind_virq, .virq = NR_VIRQS, .vcpu = 0);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = MAX_VCPUS);
    ck_assert_int_eq(op_rc, -XEN_ENOENT);
    OP(send, .port = timer);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(close, .port = timer);
    ck_assert_uint_eq(d1->vcpu[1]->virq_port[VIRQ_TIMER], 0);
    run_as(d0);
    timer = OP(bind_virq, .virq = VIRQ_CONSOLE, .vcpu = 0).port;
    OP(bind_vcpu, .port = timer, .vcpu = 1);
    ck_assert_int_eq(op_rc, 0);
    send_global_virq(VIRQ_CONSOLE);
    ck_assert(d0->shared->vcpu_info[1].evtchn_upcall_pending);
    OP(close, .port = timer);
    ck_assert_int_eq(op_rc, 0);
    send_global_virq(VIRQ_CONSOLE);
}
END_TEST

START_TEST(ipis_reach_their_vcpu)
{
    unsigned port = OP(bind_ipi, .vcpu = 1).port;

    ck_assert_int_eq(op_rc, 0);
    OP(send, .port = port);
    ck_assert_int_eq(op_rc, 0);
    ck_assert(d1->shared->vcpu_info[1].evtchn_upcall_pending);
    OP(bind_vcpu, .port = port, .vcpu = 0);
    ck_assert_int_lt(op_rc, 0);
    OP(bind_ipi, .vcpu = 2);
    ck_assert_int_eq(op_rc, -XEN_ENOENT);
}
END_TEST

START_TEST(pirqs_are_the_hardware_domains)
{
    unsigned port;

    OP(bind_pirq, .pirq = 3);
    ck_assert_int_eq(op_rc, -XEN_EPERM);
    run_as(d0);
    port = OP(bind_pirq, .pirq = 3).port;
    ck_assert_int_eq(op_rc, 0);
    OP(bind_pirq, .pirq = 3);
    ck_assert_int_eq(op_rc, -XEN_EEXIST);
    OP(bind_pirq, .pirq = 99); /* there is no such line: the port goes again */
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(bind_pirq, .pirq = 1u << 20);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    send_pirq_event(d0, 3);
    send_pirq_event(d0, 4);
    send_pirq_event(d0, 1u << 20);
    ck_assert(pending(d0, port));
    OP(close, .port = port);
    ck_assert(!fake_pirq_bound[3]);
}
END_TEST

START_TEST(status_tells_what_a_port_is)
{
    unsigned p1, p2;
    struct evtchn_status s;

    connect(&p1, &p2);
    s = OP(status, .dom = DOMID_SELF, .port = p2);
    ck_assert_uint_eq(s.status, EVTCHNSTAT_interdomain);
    ck_assert_uint_eq(s.u.interdomain.dom, 1);
    ck_assert_uint_eq(s.u.interdomain.port, p1);
    s = OP(status, .dom = DOMID_SELF, .port = 4095);
    ck_assert_uint_eq(s.status, EVTCHNSTAT_closed);
    OP(status, .dom = DOMID_SELF, .port = 4096);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(status, .dom = 1, .port = p1);
    ck_assert_int_eq(op_rc, -XEN_EPERM);
    run_as(d1);
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 2);
    run_as(d0);
    s = OP(status, .dom = 1, .port = p1 + 1);
    ck_assert_uint_eq(s.status, EVTCHNSTAT_unbound);
    ck_assert_uint_eq(s.u.unbound.dom, 2);
    OP(status, .dom = 55, .port = p1);
    ck_assert_int_eq(op_rc, -XEN_ESRCH);
}
END_TEST

START_TEST(reset_closes_everything)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    OP(bind_ipi, .vcpu = 0);
    OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 0);
    OP(reset, .dom = DOMID_SELF);
    ck_assert_int_eq(op_rc, 0);
    ck_assert_uint_eq(d2->evtchn->open, 0);
    ck_assert_uint_eq(state_of(d1, p1), EVTCHNSTAT_unbound);
    OP(reset, .dom = 1);
    ck_assert_int_eq(op_rc, -XEN_EPERM);
    run_as(d0);
    OP(reset, .dom = 1);
    ck_assert_int_eq(op_rc, 0);
    ck_assert_uint_eq(d1->evtchn->open, 0);
}
END_TEST

START_TEST(no_port_of_the_dead_can_be_had)
{
    unsigned p1, p2;

    connect(&p1, &p2);
    d1->dying = true;
    evtchn_domain_close(d1);
    ck_assert_uint_eq(state_of(d2, p2), EVTCHNSTAT_unbound);
    ck_assert_uint_eq(port_at(d2->evtchn, p2)->peer_id, DOMID_INVALID);
    run_as(d1);
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 2);
    ck_assert_int_lt(op_rc, 0);
}
END_TEST

START_TEST(ports_run_out)
{
    unsigned n = 0;

    do
        OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0);
    while (!op_rc && n++ < 5000);
    ck_assert_uint_eq(n, 4095);
    ck_assert_int_eq(op_rc, -XEN_ENOSPC);
    OP(close, .port = 77);
    ck_assert_uint_eq(OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0).port, 77);
}
END_TEST

START_TEST(memory_runs_out)
{
    fake_alloc_fails = 1;
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0);
    ck_assert_int_eq(op_rc, -XEN_ENOMEM);
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0);
    ck_assert_int_eq(op_rc, 0);
    fake_alloc_fails = 1;
    ck_assert_int_eq(evtchn_domain_init(d2), -XEN_ENOMEM);
}
END_TEST

START_TEST(bad_arguments_fault)
{
    for (unsigned cmd = 0; cmd <= EVTCHNOP_reset; cmd++)
        ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, cmd, 0x1000, 0, 0), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, FAKE_GUEST + 2, 0, 0),
                     -XEN_EINVAL);
    ck_assert_int_eq(call(__HYPERVISOR_event_channel_op, EVTCHNOP_init_control, FAKE_GUEST, 0, 0),
                     -XEN_ENOSYS);
    OP(unmask, .port = 4095);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
    OP(unmask, .port = ~0u);
    ck_assert_int_eq(op_rc, -XEN_EINVAL);
}
END_TEST

/* Any operation with small numbers. Ports are drawn from few, so that lives meet. */
static void random_op(struct input *in)
{
    unsigned cmd = pick(in, 12), port = pick(in, 40), dom = pick(in, 4), vcpu = pick(in, 3);
    uint32_t arg[6] = {port, vcpu, pick(in, 3)};

    if (one_in(in, 64))
        arg[0] = 1u << pick(in, 32);
    if (cmd == EVTCHNOP_reset && !one_in(in, 32))
        cmd = EVTCHNOP_alloc_unbound;
    if (cmd == EVTCHNOP_alloc_unbound)
        arg[0] = (one_in(in, 4) ? dom : DOMID_SELF) | (uint32_t)pick(in, 3) << 16;
    else if (cmd == EVTCHNOP_bind_interdomain)
        arg[0] = dom, arg[1] = port;
    else if (cmd == EVTCHNOP_bind_virq)
        arg[0] = pick(in, NR_VIRQS + 1);
    else if (cmd == EVTCHNOP_bind_pirq)
        arg[0] = pick(in, 20);
    else if (cmd == EVTCHNOP_bind_ipi)
        arg[0] = vcpu;
    else if (cmd == EVTCHNOP_status)
        arg[0] = DOMID_SELF, arg[1] = port;
    else if (cmd == EVTCHNOP_reset)
        arg[0] = DOMID_SELF;
    memcpy(fake_guest, arg, sizeof(arg));
    fake_run(fake_dom[pick(in, FAKE_DOMAINS)]->vcpu[pick(in, 2)]);
    if (one_in(in, 50))
        fake_alloc_fails = 1;
    hypercall_dispatch(__HYPERVISOR_event_channel_op, (uint64_t[6]){cmd, FAKE_GUEST});
    fake_alloc_fails = 0;
}

START_TEST(a_random_life_leaves_order)
{
    struct input in = {.seed = 42};

    for (unsigned i = 0; i < 30000; i++) {
        random_op(&in);
        fake_no_locks("the end of a call");
        fake_event_check();
    }
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        fake_dom[i]->dying = true;
        evtchn_domain_close(fake_dom[i]);
        ck_assert_uint_eq(fake_dom[i]->evtchn->open, 0);
    }
}
END_TEST

START_TEST(tables_give_their_memory_back)
{
    uint64_t before = heap_free_frames();
    struct evtchn_table *kept = d2->evtchn;

    ck_assert_int_eq(evtchn_domain_init(d2), 0);
    run_as(d2);
    OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0);
    evtchn_domain_free(d2);
    ck_assert_uint_eq(heap_free_frames(), before);
    evtchn_domain_free(d2);
    d2->evtchn = kept;
}
END_TEST

int main(void)
{
    RUN_TESTS("events", connected_ports_carry_events, masked_ports_wait_for_unmask,
              sleepers_are_woken, upcalls_go_to_the_bound_vcpu, connecting_needs_an_invitation,
              a_domain_may_connect_to_itself, closing_leaves_the_peer_unbound, virqs_have_one_port,
              ipis_reach_their_vcpu, pirqs_are_the_hardware_domains, status_tells_what_a_port_is,
              reset_closes_everything, no_port_of_the_dead_can_be_had, ports_run_out,
              memory_runs_out, bad_arguments_fault, a_random_life_leaves_order,
              tables_give_their_memory_back);
}
