/* SPDX-License-Identifier: MIT */
/* Timers: a sorted list for each CPU. The local APIC is told only of a deadline nearer than the one
 * it has; an interrupt that comes before anything is due, because the first timer was stopped or
 * put off, costs less than telling it each time. */
#include <hv/cpu.h>
#include <hv/irq.h>

/* timer_programmed while the timers that are due run: no deadline is nearer, the interrupt programs
 * the APIC at its end. */
#define PROGRAMMED_LATER 0

void timer_init(struct hv_timer *t, void (*fn)(void *), void *arg)
{
    *t = (struct hv_timer){.fn = fn, .arg = arg};
}

static void program(struct percpu *c)
{
    if (c->timers && c->timers->deadline < c->timer_programmed) {
        c->timer_programmed = c->timers->deadline;
        apic_timer_set(c->timer_programmed);
    }
}

/* Locks the CPU that has t on its list, and takes it off. NULL, and no lock: it is on none. */
static struct percpu *lock_and_remove(struct hv_timer *t)
{
    while (READ_ONCE(t->armed)) {
        struct percpu *c = READ_ONCE(t->cpu);

        lock(&c->timer_lock);
        if (t->armed && t->cpu == c) {
            struct hv_timer **p = &c->timers;

            while (*p != t)
                p = &(*p)->next;
            *p = t->next;
            t->armed = false;
            return c;
        }
        unlock(&c->timer_lock);
    }
    return NULL;
}

void timer_stop(struct hv_timer *t)
{
    struct percpu *c = lock_and_remove(t);

    if (c)
        unlock(&c->timer_lock);
}

void timer_set(struct hv_timer *t, uint64_t deadline)
{
    struct percpu *here = this_cpu(), *c = lock_and_remove(t);
    struct hv_timer **p = &here->timers;

    if (c != here) {
        if (c)
            unlock(&c->timer_lock);
        lock(&here->timer_lock);
    }
    while (*p && (*p)->deadline <= deadline)
        p = &(*p)->next;
    t->deadline = deadline;
    t->next = *p;
    t->cpu = here;
    t->armed = true;
    *p = t;
    program(here);
    unlock(&here->timer_lock);
}

/* A timer that is set again by its own function for a time that is past already has to wait for the
 * next interrupt. */
void timer_interrupt(void)
{
    struct percpu *c = this_cpu();
    uint64_t now = now_ns();
    struct hv_timer *t;

    lock(&c->timer_lock);
    c->timer_programmed = PROGRAMMED_LATER;
    while ((t = c->timers) != NULL && t->deadline <= now) {
        c->timers = t->next;
        t->armed = false;
        unlock(&c->timer_lock);
        t->fn(t->arg);
        lock(&c->timer_lock);
    }
    c->timer_programmed = ~0ull;
    program(c);
    unlock(&c->timer_lock);
}
