/* SPDX-License-Identifier: MIT */
/* System time (ns since boot, monotonic, the same on all CPUs), its publication to guests, and timers. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include <hv/types.h>
#ifndef PARAVANE_HOST
#include <hv/x86.h>
#endif

#define NS_PER_SEC 1000000000ull

struct domain;
struct percpu;
struct vcpu;

/* ns = scale(tsc - base): the same numbers that guests get in vcpu_time_info. */
struct time_scale {
    uint64_t tsc_base; /* system time 0 */
    uint32_t mul;
    int8_t shift;
    uint32_t tsc_khz;
    bool invariant; /* the TSC neither stops nor changes its rate */
    uint64_t ns_mul; /* mul and shift in one number: ns = ticks << 4 times it, shifted right by 64 */
};
extern struct time_scale time_scale;
#define TIME_NS_SHIFT 28
#define TIME_HZ_MIN   70000000u /* slower TSCs overflow ns_mul */

#ifdef PARAVANE_HOST
uint64_t now_ns(void);
#else
static always_inline uint64_t now_ns(void)
{
    uint64_t ticks = rdtsc() - time_scale.tsc_base;
    return (uint64_t)((unsigned __int128)(ticks << 4) * time_scale.ns_mul >> 64);
}
#endif
/* Writes the parameters into v's vcpu_info (and registered time area); once after each (re-)registration. */
void time_publish(struct vcpu *v);
/* Wallclock of shared_info: UTC at system time 0, read from the RTC at boot, changed by XENPF_settime. */
void wallclock_publish(struct domain *d);
void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time);

/* A one-shot timer on one CPU. fn runs in interrupt context of that CPU, interrupts off, timer_lock not held. */
struct hv_timer {
    uint64_t deadline; /* ns; lock: the CPU's timer_lock */
    struct hv_timer *next;
    bool armed;
    struct percpu *cpu;
    void (*fn)(void *arg);
    void *arg;
};

void timer_init(struct hv_timer *t, void (*fn)(void *), void *arg);
void timer_set(struct hv_timer *t, uint64_t deadline); /* on this CPU; re-arms; a past deadline fires at once */
void timer_stop(struct hv_timer *t);

#endif
