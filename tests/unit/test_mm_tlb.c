/* SPDX-License-Identifier: MIT */
/* The real flush protocol of hv/mm/tlb.c, on CPUs that are made of this file: who is asked, who
 * flushes, and in what order epochs are taken and published. The fake machine of the other tests
 * has its own TLB. */
#include <check.h>
#include <string.h>

#include <hv/cpu.h>
#include <hv/irq.h>

#define HV_X86_H /* these instructions instead */
static unsigned loads[4];
static bool lazy[4]; /* takes no interrupts */
static unsigned requests;

static struct percpu cpu[4];
static struct vcpu vcpu[4];
static struct domain guest;
struct vcpu *host_current;
struct percpu *percpu_of[MAX_CPUS];
unsigned cpu_count = 4;
struct domain dom_io;
uint64_t frame_max;
struct frame *frame_table;

extern uint64_t tlb_epoch;

static uint64_t read_cr3(void)
{
    return 0x1000;
}

/* At this moment translations are forgotten: the epoch was taken before, and is published after. */
static void write_cr3(uint64_t v)
{
    const struct percpu *c = host_current->pcpu;

    ck_assert_uint_eq(v, 0x1000);
    ck_assert_uint_gt(tlb_epoch, c->flush_epoch);
    ck_assert(!c->flush_requested);
    loads[c->id]++;
}

static void serve(unsigned id);

/* Somebody waits: the lazy ones, who spin with interrupts off, look at their requests, too. */
static void cpu_pause(void)
{
    for (unsigned i = 0; i < 4; i++) {
        if (lazy[i])
            serve(i);
    }
}

#include "../../hv/mm/tlb.c"

void *host_frame_va(uint64_t n)
{
    (void)n;
    return NULL;
}

static void serve(unsigned id)
{
    struct vcpu *me = host_current;

    host_current = &vcpu[id];
    tlb_serve_request();
    host_current = me;
}

void apic_send_ipi(unsigned id, unsigned vector)
{
    ck_assert_uint_eq(vector, VECTOR_FLUSH);
    requests++;
    if (!lazy[id])
        serve(id);
}

static void machine(void)
{
    memset(cpu, 0, sizeof(cpu));
    memset(loads, 0, sizeof(loads));
    memset(lazy, 0, sizeof(lazy));
    requests = 0;
    tlb_epoch = 1;
    guest.max_vcpus = 4;
    for (unsigned i = 0; i < 4; i++) {
        cpu[i].id = i;
        cpu[i].online = true;
        percpu_of[i] = &cpu[i];
        vcpu[i].id = i;
        vcpu[i].pcpu = &cpu[i];
        guest.vcpu[i] = &vcpu[i];
    }
    host_current = &vcpu[0];
}

START_TEST(a_flush_has_an_epoch)
{
    tlb_flush_local();
    ck_assert_uint_eq(cpu[0].flush_epoch, 2);
    ck_assert_uint_eq(tlb_epoch, 2);
    ck_assert_uint_eq(loads[0], 1);
}
END_TEST

START_TEST(only_older_ones_flush)
{
    uint64_t stamp;

    for (unsigned i = 0; i < 4; i++) {
        host_current = &vcpu[i];
        tlb_flush_local();
    }
    stamp = cpu[2].flush_epoch; /* CPU 3 flushed after that, CPU 2 at that very epoch */
    host_current = &vcpu[3];
    tlb_flush_older(stamp);
    ck_assert_uint_eq(requests, 3);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(loads[i], i < 3 ? 2 : 1);
        ck_assert_uint_gt(cpu[i].flush_epoch, stamp);
    }
    tlb_flush_older(stamp);
    ck_assert_uint_eq(requests, 3); /* nothing left to do */
    tlb_flush_older(tlb_epoch);
    ck_assert_uint_eq(loads[3], 2); /* oneself, too */
}
END_TEST

START_TEST(absent_cpus_are_not_asked)
{
    cpu[1].online = false;
    percpu_of[2] = NULL;
    tlb_flush_older(1);
    ck_assert_uint_eq(requests, 1);
    ck_assert_uint_eq(loads[1] + loads[2], 0);
    ck_assert_uint_eq(loads[3], 1);
}
END_TEST

START_TEST(domains_flush_by_vcpu)
{
    tlb_flush_domain(&guest, 1u << 1 | 1u << 3);
    ck_assert_uint_eq(loads[0], 0);
    ck_assert_uint_eq(loads[1], 1);
    ck_assert_uint_eq(loads[2], 0);
    ck_assert_uint_eq(loads[3], 1);
    tlb_flush_domain(&guest, ~0ull);
    ck_assert_uint_eq(loads[0], 1);
    ck_assert_uint_eq(loads[2], 1);
    ck_assert_uint_eq(loads[3], 2); /* again, however recent */
}
END_TEST

START_TEST(spinning_cpus_are_waited_for)
{
    lazy[1] = lazy[2] = true;
    tlb_flush_older(tlb_epoch);
    ck_assert_uint_eq(loads[1], 1);
    ck_assert_uint_eq(loads[2], 1);
    ck_assert(!cpu[1].flush_requested);
}
END_TEST

START_TEST(a_request_is_made_once_and_served_while_waiting)
{
    lazy[1] = true;
    cpu[1].flush_requested = true; /* somebody else asked already */
    cpu[0].flush_requested = true; /* and CPU 1 waits for us */
    tlb_flush_older(1);
    ck_assert_uint_eq(requests, 2);
    ck_assert_uint_eq(loads[1], 1);
    ck_assert(!cpu[0].flush_requested);
    tlb_serve_request();
    ck_assert_uint_eq(loads[0], 1); /* no request, no flush */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tlb");
    TCase *t = tcase_create("tlb");
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, machine, NULL);
    tcase_add_test(t, a_flush_has_an_epoch);
    tcase_add_test(t, only_older_ones_flush);
    tcase_add_test(t, absent_cpus_are_not_asked);
    tcase_add_test(t, domains_flush_by_vcpu);
    tcase_add_test(t, spinning_cpus_are_waited_for);
    tcase_add_test(t, a_request_is_made_once_and_served_while_waiting);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
