/* SPDX-License-Identifier: MIT */
/* Clocks, timers, runstate, block and poll. */
#include "selftest.h"

static uint64_t now_ns(void)
{
    const struct vcpu_time_info *t = &pv_vcpu_info->time;
    uint64_t delta, ns;
    uint32_t version;

    do {
        version = pv_load(&t->version) & ~1u;
        pv_barrier();
        delta = pv_rdtsc() - t->tsc_timestamp;
        delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
        ns = t->system_time +
             (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
        pv_barrier();
    } while (pv_load(&t->version) != version);
    return ns;
}

static volatile unsigned ticks;
static void on_timer(unsigned port)
{
    (void)port;
    ticks++;
}

static void check_clock(void)
{
    uint64_t a = now_ns(), b;

    for (volatile unsigned i = 0; i < 100000; i++)
        ;
    b = now_ns();
    CHECK("time passes", b > a);
    CHECK("not by seconds", b - a < 1000000000ul);
}

static void check_timer(long port)
{
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = now_ns() + 2000000};
    uint64_t start = now_ns(), end;

    CHECK_OK("stop_periodic", pv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
    pv_events_off();
    CHECK_OK("singleshot", pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t));
    CHECK_OK("block", pv_sched_op(SCHEDOP_block, NULL));
    end = now_ns();
    CHECK_EQ("block unmasks", pv_vcpu_info->evtchn_upcall_mask, 0);
    CHECK_EQ("one tick", ticks, 1);
    CHECK("not early", end >= start + 1900000);
    CHECK("not late", end < start + 500000000);
    pv_events_off();
    t.timeout_abs_ns = 1;
    CHECK_OK("deadline in the past", pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t));
    CHECK_OK("block", pv_sched_op(SCHEDOP_block, NULL));
    CHECK_EQ("fires at once", ticks, 2);
    t.flags = VCPU_SSHOTTMR_future;
    CHECK_EQ("past deadline refused on request", pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t),
             -XEN_ETIME);
    t.flags = 0;
    t.timeout_abs_ns = now_ns() + 3000000;
    CHECK_OK("set", pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t));
    CHECK_OK("stop", pv_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL));
    pv_events_off();
    CHECK_OK("set_timer_op", pv_set_timer_op(now_ns() + 1000000));
    CHECK_OK("block", pv_sched_op(SCHEDOP_block, NULL));
    CHECK_EQ("its tick alone", ticks, 3);
    CHECK_OK("set_timer_op off", pv_set_timer_op(0));
    pv_events_off();
    (void)port;
}

static void check_poll(void)
{
    evtchn_port_t port = pv_event_bind_ipi();
    struct sched_poll poll = {.nr_ports = 1};
    uint64_t start = now_ns();

    PV_SET_PTR(poll.ports, &port);
    pv_events_off();
    pv_event_clear(port);
    pv_event_mask(port);
    poll.timeout = start + 2000000;
    CHECK_OK("poll with nothing pending", pv_sched_op(SCHEDOP_poll, &poll));
    CHECK("returns at its deadline", now_ns() >= start + 1900000);
    CHECK_EQ("mask as before", pv_vcpu_info->evtchn_upcall_mask, 1);
    pv_event_send(port);
    poll.timeout = 0;
    CHECK_OK("poll with the port pending", pv_sched_op(SCHEDOP_poll, &poll));
    pv_event_close(port);
    poll.nr_ports = 1000;
    CHECK_REFUSED("poll of too many ports", pv_sched_op(SCHEDOP_poll, &poll));
    CHECK_OK("yield", pv_sched_op(SCHEDOP_yield, NULL));
    CHECK_EQ("unknown command", pv_sched_op(99, &poll), -XEN_ENOSYS);
}

static uint64_t runstate_sum(const struct vcpu_runstate_info *r)
{
    return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

static void check_runstate(void)
{
    static struct vcpu_runstate_info area[2];
    struct vcpu_register_runstate_memory_area reg = {.addr = {.p = 0}};
    struct vcpu_runstate_info got;
    struct vcpu_set_singleshot_timer t;
    uint64_t blocked;

    CHECK_OK("get_runstate_info", pv_vcpu_op(VCPUOP_get_runstate_info, 0, &got));
    CHECK_EQ("running", got.state, RUNSTATE_running);
    CHECK("times add up", runstate_sum(&got) <= now_ns() + 1000000000ul && runstate_sum(&got));
    reg.addr.p = (uint64_t)&area[0];
    CHECK_OK("register area", pv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg));
    CHECK_EQ("filled in at once", area[0].state, RUNSTATE_running);
    reg.addr.p = (uint64_t)&area[1];
    CHECK_OK("register elsewhere", pv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &reg));
    memset(&area[0], 0x77, sizeof(area[0]));
    blocked = area[1].time[RUNSTATE_blocked];
    t.timeout_abs_ns = now_ns() + 20000000;
    t.flags = 0;
    pv_events_off();
    pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
    pv_sched_op(SCHEDOP_block, NULL);
    pv_events_off();
    CHECK("blocked time is counted",
          pv_load(&area[1].time[RUNSTATE_blocked]) >= blocked + 1000000);
    CHECK_EQ("old area left alone", area[0].state, 0x77777777);
    CHECK_EQ("no update in progress", area[1].state_entry_time >> 63, 0);
}

static void check_vcpus(void)
{
    CHECK_EQ("vCPU 0 is up", pv_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
    CHECK_EQ("vCPU 2 does not exist", pv_vcpu_op(VCPUOP_is_up, 2, NULL), -XEN_ENOENT);
    CHECK_EQ("nor 8000", pv_vcpu_op(VCPUOP_is_up, 8000, NULL), -XEN_ENOENT);
    CHECK_EQ("unknown command", pv_vcpu_op(99, 0, NULL), -XEN_ENOSYS);
}

void test_time(void)
{
    long port = pv_event_bind_virq(VIRQ_TIMER);

    CHECK("timer port", port > 0);
    pv_event_set(port, on_timer);
    pv_event_clear(port);
    pv_event_unmask(port);
    check_vcpus();
    check_clock();
    check_timer(port);
    check_poll();
    check_runstate();
    pv_event_close(port);
}

static volatile unsigned moved_events;
static void on_moved(unsigned port)
{
    (void)port;
    moved_events++;
}

/* Last of all: from here on the vCPU's part of the shared page lies elsewhere. */
void test_vcpu_info(void)
{
    struct vcpu_info *new_info = pv_page_alloc();
    struct vcpu_register_vcpu_info reg = {.mfn = pv_va_to_mfn(new_info), .offset = 128};
    long port = pv_event_bind_ipi();
    uint64_t ignored;

    new_info = (struct vcpu_info *)((uint8_t *)new_info + 128);
    pv_event_set(port, on_moved);
    pv_events_off();
    pv_event_clear(port);
    pv_event_unmask(port);
    CHECK_OK("event before the move", pv_event_send(port));
    CHECK_OK("register vcpu_info", pv_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg));
    pv_vcpu_info = new_info;
    CHECK_EQ("mask carried over", new_info->evtchn_upcall_mask, 1);
    CHECK("pending carried over", new_info->evtchn_upcall_pending);
    CHECK("clock carried over", new_info->time.tsc_to_system_mul != 0);
    pv_events_on();
    CHECK_EQ("event from before the move", moved_events, 1);
    CHECK_OK("send", pv_event_send(port));
    CHECK_EQ("delivered by way of the new place", moved_events, 2);
    pv_try_read(0x9876000, &ignored);
    CHECK_EQ("cr2 is written there", new_info->arch.cr2, 0x9876000);
    pv_events_off();
    CHECK_REFUSED("a second time", pv_vcpu_op(VCPUOP_register_vcpu_info, 0, &reg));
}
