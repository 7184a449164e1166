/* SPDX-License-Identifier: MIT */
/* Timer queues of two CPUs against a plain array of deadlines: every timer fires once, on its CPU,
 * never early, and the local APIC always holds a deadline that is near enough. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <hv/cpu.h>
#include <hv/irq.h>

#define CPUS   2
#define TIMERS 12
#define NEVER  (~0ull)

struct vcpu *host_current;

static struct percpu cpus[CPUS];
static struct vcpu vcpus[CPUS];
static uint64_t now;
static uint64_t apic[CPUS]; /* what was programmed, NEVER: nothing */
static unsigned programmed;

static struct hv_timer timers[TIMERS];
static struct model {
    uint64_t deadline; /* NEVER: not set */
    unsigned cpu;
} model[TIMERS];
static unsigned fired[TIMERS];
static int again; /* the next timer that fires sets itself again, so much later; negative: not */

uint64_t now_ns(void)
{
    return now;
}

void apic_timer_set(uint64_t deadline)
{
    programmed++;
    apic[this_cpu()->id] = deadline;
}

void lock_contended(struct spinlock *l)
{
    (void)l;
    ck_abort_msg("a lock was left taken");
}

void host_lock_taken(struct spinlock *l)
{
    (void)l;
}

void host_lock_dropped(struct spinlock *l)
{
    (void)l;
}

static void on_cpu(unsigned cpu)
{
    host_current = &vcpus[cpu];
}

static void fire(void *arg)
{
    unsigned n = (unsigned)(uintptr_t)arg;

    ck_assert(!timers[n].armed);
    ck_assert_uint_eq(this_cpu()->id, model[n].cpu);
    ck_assert(!this_cpu()->timer_lock.taken);
    ck_assert_uint_le(model[n].deadline, now);
    model[n].deadline = NEVER;
    fired[n]++;
    if (again >= 0) {
        model[n].deadline = now + (unsigned)again;
        timer_set(&timers[n], model[n].deadline);
        again = -1;
    }
}

static void set(unsigned n, uint64_t deadline)
{
    model[n] = (struct model){deadline, this_cpu()->id};
    timer_set(&timers[n], deadline);
}

static void stop(unsigned n)
{
    model[n].deadline = NEVER;
    timer_stop(&timers[n]);
}

static uint64_t nearest(unsigned cpu)
{
    uint64_t d = NEVER;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (model[i].cpu == cpu && model[i].deadline < d)
            d = model[i].deadline;
    }
    return d;
}

/* The queue holds what the model says, in order. */
static void check_queue(unsigned cpu)
{
    uint64_t last = 0;
    unsigned n = 0, expected = 0;

    for (const struct hv_timer *t = cpus[cpu].timers; t; t = t->next, n++) {
        ck_assert(t->armed && t->cpu == &cpus[cpu]);
        ck_assert_uint_ge(t->deadline, last);
        ck_assert_uint_eq(t->deadline, model[t - timers].deadline);
        last = t->deadline;
    }
    for (unsigned i = 0; i < TIMERS; i++)
        expected += model[i].cpu == cpu && model[i].deadline != NEVER;
    ck_assert_uint_eq(n, expected);
    ck_assert_uint_le(apic[cpu], nearest(cpu));
    ck_assert_uint_eq(apic[cpu], cpus[cpu].timer_programmed);
}

static void interrupt(unsigned cpu)
{
    struct vcpu *v = host_current;

    on_cpu(cpu);
    apic[cpu] = NEVER;
    timer_interrupt();
    host_current = v;
}

static void advance(uint64_t ns)
{
    now += ns;
    for (unsigned i = 0; i < CPUS; i++) {
        if (apic[i] <= now)
            interrupt(i);
        ck_assert_uint_gt(nearest(i), now);
    }
}

static void setup(void)
{
    now = 1000;
    again = -1;
    memset(fired, 0, sizeof(fired));
    for (unsigned i = 0; i < CPUS; i++) {
        cpus[i] = (struct percpu){.id = i, .timer_programmed = NEVER};
        lock_init(&cpus[i].timer_lock, RANK_TIMER);
        vcpus[i].pcpu = &cpus[i];
        apic[i] = NEVER;
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        model[i].deadline = NEVER;
        timer_init(&timers[i], fire, (void *)(uintptr_t)i);
    }
    on_cpu(0);
}

START_TEST(fires_once_in_order)
{
    set(0, now + 300);
    set(1, now + 100);
    set(2, now + 200);
    check_queue(0);
    advance(99);
    ck_assert(!fired[1]);
    advance(1);
    ck_assert(fired[1] && !fired[2]);
    advance(500);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(fired[i], 1);
    ck_assert_ptr_null(cpus[0].timers);
}
END_TEST

START_TEST(past_deadline_fires_at_once)
{
    set(0, 1);
    ck_assert_uint_le(apic[0], now);
    advance(0);
    ck_assert_uint_eq(fired[0], 1);
    set(1, 0);
    ck_assert_uint_le(apic[0], now);
    advance(0);
    ck_assert_uint_eq(fired[1], 1);
}
END_TEST

START_TEST(apic_is_told_of_nearer_deadlines_only)
{
    set(0, now + 100);
    programmed = 0;
    set(0, now + 200);
    set(1, now + 300);
    stop(0);
    ck_assert_uint_eq(programmed, 0);
    set(2, now + 50);
    ck_assert_uint_eq(programmed, 1);
    stop(2);
    advance(150); /* for nothing */
    ck_assert_uint_eq(apic[0], model[1].deadline);
}
END_TEST

START_TEST(sets_itself_again)
{
    set(0, now + 10);
    again = 100;
    programmed = 0;
    advance(10);
    ck_assert_uint_eq(fired[0], 1);
    ck_assert_uint_eq(programmed, 1); /* at the end of the interrupt */
    advance(100);
    ck_assert_uint_eq(fired[0], 2);
}
END_TEST

START_TEST(stopped_or_moved_from_another_cpu)
{
    set(0, now + 100);
    set(1, now + 100);
    on_cpu(1);
    stop(0);
    set(1, now + 50);
    check_queue(0);
    check_queue(1);
    ck_assert_ptr_null(cpus[0].timers);
    advance(100);
    ck_assert(!fired[0]);
    ck_assert_uint_eq(fired[1], 1);
    stop(1); /* of one that is not set */
}
END_TEST

START_TEST(random_operations)
{
    srand(1);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = (unsigned)rand() % TIMERS;

        on_cpu((unsigned)rand() % CPUS);
        switch (rand() % 8) {
        case 0:
            stop(n);
            break;
        case 1:
            again = rand() % 3 ? -1 : 1 + rand() % 50;
            advance((unsigned)rand() % 100);
            break;
        case 2:
            interrupt((unsigned)rand() % CPUS); /* early */
            break;
        default:
            set(n, now + 1 + (unsigned)rand() % 200);
        }
        check_queue(0);
        check_queue(1);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("timer");
    TCase *t = tcase_create("timer");
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, fires_once_in_order);
    tcase_add_test(t, past_deadline_fires_at_once);
    tcase_add_test(t, apic_is_told_of_nearer_deadlines_only);
    tcase_add_test(t, sets_itself_again);
    tcase_add_test(t, stopped_or_moved_from_another_cpu);
    tcase_add_test(t, random_operations);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
