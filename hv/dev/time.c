/* SPDX-License-Identifier: MIT */
/* System time: the TSC, whose rate is measured once against a timer of known rate. The parameters
 * never change afterwards, so every CPU and every guest computes the same time from them. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/init.h>
#include <hv/print.h>
#include <hv/x86.h>

#include "../x86/cpuid.h"
#include "clock.h"
#include "irq.h"

#define WINDOW_MIN_US 1000 /* of the measurement; doubled until it is exact enough */
#define WINDOW_MAX_US 32000
#define ERROR_PPM     400 /* at worst; usually far less, as both ends err alike */
#define EDGE_TRIES    4
#define STUCK_TICKS   (1ull << 32) /* of the TSC, without one of the reference */
#define CPUID_POWER_EDX_INVARIANT (1u << 8)

struct time_scale time_scale;

/* One moment on all clocks: when the reference ticked, known to `slack` ticks of the TSC. */
struct sample {
    uint64_t tsc, slack;
    uint32_t reference, apic;
};

static struct sample next_tick(const struct reference *r)
{
    uint64_t earlier, begin = rdtsc(), at = begin;
    uint32_t start = r->read();
    struct sample s;

    do {
        earlier = at;
        at = rdtsc();
        s.reference = r->read();
        s.tsc = rdtsc();
        if (s.tsc - begin > STUCK_TICKS)
            panic("the %s stands still: there is nothing to measure the TSC by", r->name);
    } while (s.reference == start);
    s.slack = s.tsc - earlier;
    s.apic = apic_timer_elapsed();
    return s;
}

/* The most exact of several: anything may come in between. */
static struct sample take_sample(const struct reference *r)
{
    struct sample best = next_tick(r);

    for (unsigned i = 1; i < EDGE_TRIES; i++) {
        struct sample s = next_tick(r);

        if (s.slack < best.slack)
            best = s;
    }
    return best;
}

static uint64_t ticks_between(const struct reference *r, const struct sample *a,
                              const struct sample *b)
{
    return (b->reference - a->reference) & r->mask;
}

static struct sample sample_after(const struct reference *r, const struct sample *from, uint64_t us)
{
    struct sample now = {.reference = from->reference};

    while (ticks_between(r, from, &now) < r->hz * us / 1000000)
        now.reference = r->read();
    return take_sample(r);
}

/* Hz of the TSC and of the local APIC's timer. */
static uint64_t measure(const struct reference *r, uint64_t *apic_hz)
{
    uint64_t us = WINDOW_MIN_US, ticks;
    struct sample a, b;

    apic_timer_start();
    a = take_sample(r);
    b = sample_after(r, &a, us);
    while ((a.slack + b.slack) * (1000000 / ERROR_PPM) > b.tsc - a.tsc && us < WINDOW_MAX_US) {
        us *= 2;
        b = sample_after(r, &a, us);
    }
    ticks = ticks_between(r, &a, &b);
    *apic_hz = (uint64_t)(b.apic - a.apic) * r->hz / ticks;
    return (b.tsc - a.tsc) * r->hz / ticks;
}

/* mul gets 32 significant bits. */
static void set_scale(uint64_t hz)
{
    int8_t shift = 0;

    time_scale.tsc_khz = (uint32_t)(hz / 1000);
    for (; hz > 2 * NS_PER_SEC; hz >>= 1)
        shift--;
    for (; hz <= NS_PER_SEC; hz <<= 1)
        shift++;
    time_scale.mul = (uint32_t)((NS_PER_SEC << 32) / hz);
    time_scale.shift = shift;
    time_scale.ns_mul = (uint64_t)time_scale.mul << (TIME_NS_SHIFT + shift);
}

void time_init(void)
{
    const struct reference *r = reference_find();
    uint64_t start = rdtsc(), apic_hz, hz;

    hz = measure(r, &apic_hz);
    if (hz < TIME_HZ_MIN)
        panic("the TSC runs at %lu Hz by the %s, too slow to keep time by", hz, r->name);
    time_scale.invariant = cpuid_host.ext[7].d & CPUID_POWER_EDX_INVARIANT;
    time_scale.tsc_base = start;
    set_scale(hz);
    apic_timer_rate(apic_hz, hz);
    printk(LOG_INFO, "TSC: %u kHz by the %s%s", time_scale.tsc_khz, r->name,
           time_scale.invariant ? ", invariant" : "");
    wallclock_init();
}

/* Readers try again while the version is odd or changes. What the guest may have made of the
 * version does not matter. */
static void publish(struct vcpu_time_info *t)
{
    uint32_t version = READ_ONCE(t->version) | 1;

    __atomic_store_n(&t->version, version, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    WRITE_ONCE(t->tsc_timestamp, time_scale.tsc_base);
    WRITE_ONCE(t->system_time, 0);
    WRITE_ONCE(t->tsc_to_system_mul, time_scale.mul);
    WRITE_ONCE(t->tsc_shift, time_scale.shift);
    WRITE_ONCE(t->flags, time_scale.invariant || cpu_count == 1 ? XEN_PVCLOCK_TSC_STABLE_BIT : 0);
    __atomic_store_n(&t->version, version + 1, __ATOMIC_RELEASE);
}

void time_publish(struct vcpu *v)
{
    struct vcpu_time_info t = {0};

    publish(&v->info->time);
    if (!v->time_area_va || v->domain != current->domain) /* the area is reached by its owner only */
        return;
    publish(&t);
    copy_to_guest(v->time_area_va, &t, sizeof(t));
}
