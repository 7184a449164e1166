/* SPDX-License-Identifier: MIT */
/* The scheduler: shares, wake-ups, sleep, stops, and where each vCPU's time is booked. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <hv/cpu.h>
#include <hv/irq.h>

#include "hv/dom/sched.h"

#define MS    1000000ull
#define VCPUS 4

struct vcpu *host_current;
static uint64_t now;
static unsigned switches, ipis;
static struct domain domain, other_domain;
static struct percpu cpu[2];
static struct vcpu idle[2], vcpu[VCPUS];
static struct vcpu_info info[VCPUS];
static const struct spinlock *held;

uint64_t now_ns(void)
{
    return now;
}

void timer_init(struct hv_timer *t, void (*fn)(void *), void *arg)
{
    *t = (struct hv_timer){.fn = fn, .arg = arg};
}

void timer_set(struct hv_timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    t->armed = true;
}

void timer_stop(struct hv_timer *t)
{
    t->armed = false;
}

void apic_send_ipi(unsigned to, unsigned vector)
{
    ck_assert_uint_eq(vector, VECTOR_RESCHEDULE);
    ck_assert_ptr_ne(&cpu[to], this_cpu());
    ipis++;
}

void context_switch(struct vcpu *prev, struct vcpu *next)
{
    ck_assert_ptr_eq(prev, host_current);
    ck_assert_ptr_null(held);
    host_current = next;
    switches++;
}

void lock_contended(struct spinlock *l)
{
    (void)l;
    abort();
}

void host_lock_taken(struct spinlock *l)
{
    ck_assert_ptr_null(held);
    held = l;
}

void host_lock_dropped(struct spinlock *l)
{
    ck_assert_ptr_eq(held, l);
    held = NULL;
}

/* All vCPUs but the last belong to CPU 0, where the test runs as its idle vCPU. */
static void setup(void)
{
    now = 1000 * MS;
    switches = ipis = 0;
    held = NULL;
    memset(cpu, 0, sizeof(cpu));
    memset(idle, 0, sizeof(idle));
    memset(vcpu, 0, sizeof(vcpu));
    memset(info, 0, sizeof(info));
    memset(&other_domain, 0, sizeof(other_domain));
    domain.weight = other_domain.weight = SCHED_WEIGHT_DEFAULT;
    domain.cap = 0;
    for (unsigned i = 0; i < 2; i++) {
        cpu[i].id = i;
        cpu[i].idle = cpu[i].running = &idle[i];
        idle[i] =
            (struct vcpu){.pcpu = &cpu[i], .domain = &domain, .is_idle = true, .online = true, .state_since = now};
        idle[i].state = VCPU_RUNNING;
        sched_queue_init(&cpu[i]);
    }
    for (unsigned i = 0; i < VCPUS; i++) {
        vcpu[i] = (struct vcpu){.id = i, .domain = &domain, .info = &info[i], .state_since = now};
        vcpu[i].pcpu = &cpu[i == VCPUS - 1];
        vcpu[i].state = VCPU_OFFLINE;
    }
    host_current = &idle[0];
}

/* The guest, or the idle loop, runs for a while: its timer fires, and it takes the way out. */
static void run(uint64_t ns)
{
    uint64_t end = now + ns;

    while (now < end) {
        struct hv_timer *t = &this_cpu()->slice_timer;
        uint64_t next = t->armed ? MIN(MAX(t->deadline, now), end) : end;

        now = next;
        if (t->armed && t->deadline <= now) {
            t->armed = false;
            t->fn(t->arg);
        }
        while (host_current->work & (WORK_RESCHED | WORK_STOP)) {
            struct vcpu *v = host_current;

            schedule();
            if (host_current == v)
                break;
        }
    }
}

static uint64_t ran(const struct vcpu *v)
{
    return v->state_time[VCPU_RUNNING] + (v->state == VCPU_RUNNING ? now - v->state_since : 0);
}

static bool never(const void *arg)
{
    (void)arg;
    return false;
}

START_TEST(equal_shares)
{
    for (unsigned i = 0; i < 3; i++)
        vcpu_up(&vcpu[i]);
    run(0);
    schedule();
    run(3000 * MS);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(ran(&vcpu[i]) > 985 * MS && ran(&vcpu[i]) < 1015 * MS);
    ck_assert_uint_le(switches, 310);
}
END_TEST

START_TEST(shares_by_weight)
{
    vcpu[2].domain = &other_domain;
    sched_share_set(&other_domain, 2 * SCHED_WEIGHT_DEFAULT, 0);
    for (unsigned i = 0; i < 3; i++)
        vcpu_up(&vcpu[i]);
    run(0);
    schedule();
    run(4000 * MS);
    ck_assert(ran(&vcpu[0]) > 980 * MS && ran(&vcpu[0]) < 1020 * MS);
    ck_assert(ran(&vcpu[2]) > 1980 * MS && ran(&vcpu[2]) < 2020 * MS);
}
END_TEST

/* The domain with a cap is held to it, whether or not anybody else wants the CPU. */
START_TEST(cap_is_kept)
{
    vcpu[1].domain = &other_domain;
    sched_share_set(&other_domain, SCHED_WEIGHT_DEFAULT, 20);
    vcpu_up(&vcpu[1]);
    schedule();
    run(1000 * MS);
    ck_assert(ran(&vcpu[1]) > 190 * MS && ran(&vcpu[1]) < 210 * MS);
    ck_assert_uint_le(switches, 120);
    vcpu_up(&vcpu[0]);
    run(1000 * MS);
    ck_assert(ran(&vcpu[1]) > 380 * MS && ran(&vcpu[1]) < 420 * MS);
    ck_assert(ran(&vcpu[0]) > 780 * MS && ran(&vcpu[0]) < 820 * MS);
    sched_share_set(&other_domain, SCHED_WEIGHT_DEFAULT, 0);
    run(1000 * MS);
    ck_assert(ran(&vcpu[1]) > 860 * MS && ran(&vcpu[1]) < 940 * MS);
}
END_TEST

START_TEST(alone_without_a_tick)
{
    vcpu_up(&vcpu[0]);
    ck_assert(idle[0].work & WORK_RESCHED);
    schedule();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    ck_assert(!cpu[0].slice_timer.armed);
    switches = 0;
    vcpu_yield();
    schedule();
    ck_assert_uint_eq(switches, 0);
    vcpu_up(&vcpu[1]);
    ck_assert(cpu[0].slice_timer.armed || (vcpu[0].work & WORK_RESCHED));
}
END_TEST

START_TEST(sleeper_goes_first_but_hoards_nothing)
{
    vcpu_up(&vcpu[0]);
    schedule();
    vcpu_sleep(never, NULL);
    ck_assert_ptr_eq(host_current, &idle[0]);
    vcpu_up(&vcpu[1]);
    schedule();
    run(5000 * MS);
    ck_assert_ptr_eq(host_current, &vcpu[1]);
    vcpu_wake(&vcpu[0]);
    ck_assert(vcpu[1].work & WORK_RESCHED);
    run(1);
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    run(1000 * MS);
    ck_assert_uint_le(ran(&vcpu[0]), 520 * MS);
    ck_assert_uint_ge(ran(&vcpu[0]), 480 * MS);
}
END_TEST

START_TEST(yield_lets_the_other_go)
{
    vcpu_up(&vcpu[0]);
    schedule();
    run(MS);
    vcpu_up(&vcpu[1]);
    cpu[0].run_queue->vruntime += 7 * MS; /* had more than its share */
    vcpu_yield();
    ck_assert_ptr_eq(host_current, &vcpu[1]);
    now += 1;
    vcpu_yield();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
}
END_TEST

START_TEST(block_with_an_event)
{
    vcpu_up(&vcpu[0]);
    schedule();
    info[0].evtchn_upcall_pending = 1;
    vcpu_block();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    info[0].evtchn_upcall_mask = 1;
    vcpu_block();
    ck_assert_ptr_eq(host_current, &idle[0]);
    ck_assert_int_eq(vcpu[0].state, VCPU_BLOCKED);
    vcpu_wake(&vcpu[0]);
    vcpu_wake(&vcpu[0]);
    schedule();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    ck_assert_ptr_null(cpu[0].run_queue);
}
END_TEST

/* The event comes between the first look and the state becoming visible. */
static bool second_look(const void *arg)
{
    return (*(unsigned *)(uintptr_t)arg)++ == 1;
}

START_TEST(no_lost_wakeup)
{
    unsigned looks = 0;

    vcpu_up(&vcpu[0]);
    schedule();
    vcpu_sleep(second_look, &looks);
    ck_assert_uint_eq(looks, 2);
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    ck_assert_int_eq(vcpu[0].state, VCPU_RUNNING);
}
END_TEST

START_TEST(stop_parks_at_the_way_out_only)
{
    vcpu_up(&vcpu[0]);
    vcpu_up(&vcpu[1]);
    schedule();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    vcpu_set_work(&vcpu[0], WORK_STOP | WORK_RESCHED);
    now += 20 * MS;
    preempt_if_due(); /* in the middle of a call: goes on later */
    ck_assert_ptr_eq(host_current, &vcpu[1]);
    ck_assert_int_eq(vcpu[0].state, VCPU_RUNNABLE);
    now += 40 * MS;
    vcpu_set_work(&vcpu[1], WORK_RESCHED);
    preempt_if_due();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    schedule();
    ck_assert_int_eq(vcpu[0].state, VCPU_OFFLINE);
    ck_assert_ptr_eq(host_current, &vcpu[1]);
    vcpu_wake(&vcpu[0]);
    ck_assert_int_eq(vcpu[0].state, VCPU_OFFLINE);
    vcpu_release(&vcpu[0]);
    ck_assert_int_eq(vcpu[0].state, VCPU_RUNNABLE);
    vcpu_down(&vcpu[0]);
    ck_assert(vcpu[0].work & WORK_RESCHED);
    vcpu_release(&vcpu[0]);
    vcpu_yield();
    ck_assert_ptr_eq(host_current, &vcpu[0]);
    schedule();
    ck_assert_int_eq(vcpu[0].state, VCPU_OFFLINE);
    vcpu_release(&vcpu[0]); /* down is down */
    ck_assert_int_eq(vcpu[0].state, VCPU_OFFLINE);
    vcpu_up(&vcpu[0]);
    ck_assert_int_eq(vcpu[0].state, VCPU_RUNNABLE);
}
END_TEST

START_TEST(other_cpu_is_told)
{
    vcpu_up(&vcpu[3]);
    ck_assert_uint_eq(ipis, 1);
    ck_assert(idle[1].work & WORK_RESCHED);
    ck_assert_ptr_eq(cpu[1].run_queue, &vcpu[3]);
    host_current = &idle[1];
    schedule();
    ck_assert_ptr_eq(host_current, &vcpu[3]);
    host_current = &idle[0];
    vcpu_kick(&vcpu[3]);
    ck_assert_uint_eq(ipis, 2);
}
END_TEST

START_TEST(time_is_booked)
{
    struct vcpu_runstate_info r;

    vcpu_up(&vcpu[0]);
    now += 3 * MS;
    schedule();
    now += 5 * MS;
    vcpu_sleep(never, NULL);
    now += 7 * MS;
    vcpu_wake(&vcpu[0]);
    now += 1 * MS;
    schedule();
    now += 2 * MS;
    runstate_get(&vcpu[0], &r);
    ck_assert_int_eq(r.state, RUNSTATE_running);
    ck_assert_uint_eq(r.time[RUNSTATE_running], 7 * MS);
    ck_assert_uint_eq(r.time[RUNSTATE_runnable], 4 * MS);
    ck_assert_uint_eq(r.time[RUNSTATE_blocked], 7 * MS);
    ck_assert_uint_eq(r.state_entry_time, now - 2 * MS);
    ck_assert_uint_eq(vcpu[0].vruntime, 5 * MS);
}
END_TEST

START_TEST(runstate_area_is_rewritten_after_a_switch)
{
    vcpu[0].runstate_va = 0x1000;
    vcpu_up(&vcpu[0]);
    schedule();
    ck_assert(!(vcpu[0].work & WORK_RUNSTATE));
    vcpu_sleep(never, NULL); /* comes back here at once, as stacks are not switched */
    ck_assert(vcpu[0].work & WORK_RUNSTATE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sched");
    TCase *t = tcase_create("sched");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, equal_shares);
    tcase_add_test(t, shares_by_weight);
    tcase_add_test(t, cap_is_kept);
    tcase_add_test(t, alone_without_a_tick);
    tcase_add_test(t, sleeper_goes_first_but_hoards_nothing);
    tcase_add_test(t, yield_lets_the_other_go);
    tcase_add_test(t, block_with_an_event);
    tcase_add_test(t, no_lost_wakeup);
    tcase_add_test(t, stop_parks_at_the_way_out_only);
    tcase_add_test(t, other_cpu_is_told);
    tcase_add_test(t, time_is_booked);
    tcase_add_test(t, runstate_area_is_rewritten_after_a_switch);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
