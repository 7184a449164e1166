/* SPDX-License-Identifier: MIT */
/* System time (ns since boot, monotonic, the same on all CPUs) and timers. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include <hv/types.h>

uint64_t now_ns(void);

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
