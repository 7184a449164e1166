/* SPDX-License-Identifier: MIT */
/* The end of a domain.
 *
 *   living --domain_destroy--> dying --> relinquished --> dead --> free
 *
 * Dying: it gets nothing any more, its vCPUs stop for good, and all that it has is given back.
 * Relinquished: others may still map its frames, by grant or as the hardware domain; it can still
 * be found, so that they can let go. Dead: when nobody maps anything, it is taken off the list, and
 * waits until nobody can have found it before. Dead ones are looked after by whoever comes along:
 * the idle loop, and control calls.
 *
 * Who has found a domain keeps the pointer until its call ends, so "nobody can have found it
 * before" is true once every vCPU that was in the hypervisor has been on its way out (WORK_QUIET).
 * One that blocks holds no such pointers; one that is preempted may. */
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <pvabi/xen.h>

#include "pages.h"
#include "sched.h"
#include "trace.h"

/* ---- Quiet: nobody holds pointers from before. ---- */

static bool in_hypervisor(const struct vcpu *v)
{
    enum vcpu_state s = READ_ONCE(v->state);

    return v != current && (s == VCPU_RUNNING || s == VCPU_RUNNABLE);
}

static void quiet_begin(void)
{
    for_each_domain(d) {
        for_each_vcpu(d, v) {
            if (!in_hypervisor(v))
                continue;
            vcpu_set_work(v, WORK_QUIET);
            vcpu_kick(v);
        }
    }
}

static bool quiet_reached(void)
{
    for_each_domain(d) {
        for_each_vcpu(d, v) {
            if (in_hypervisor(v) && (READ_ONCE(v->work) & WORK_QUIET))
                return false;
        }
    }
    return true;
}

/* Two that wait for each other need not: the caller keeps alive what it holds. */
static void quiet_wait(void)
{
    quiet_begin();
    while (!quiet_reached()) {
        __atomic_fetch_and(&current->work, ~WORK_QUIET, __ATOMIC_SEQ_CST);
        vcpu_yield();
        preempt_point();
    }
}

/* ---- Giving back. ---- */

/* Off its CPU, whose root and stack are another's by now. */
static bool parked(const struct vcpu *v)
{
    return READ_ONCE(v->state) == VCPU_OFFLINE && READ_ONCE(v->pcpu->stack_top) != v->stack_top;
}

/* One that blocks in the middle of a call is woken to end it. */
static void stop_for_good(struct domain *d)
{
    for_each_vcpu(d, v) {
        while (!parked(v)) {
            vcpu_set_work(v, WORK_STOP);
            vcpu_kick(v);
            vcpu_yield();
            preempt_point();
        }
        timer_stop(&v->singleshot);
        timer_stop(&v->periodic);
        timer_stop(&v->poll_timer);
    }
}

static void release_vcpu(struct vcpu *v)
{
    mfn_t info = v->info_mfn;

    v->info = &v->domain->shared->vcpu_info[v->id];
    v->info_mfn = INVALID_MFN;
    if (!mfn_eq(info, INVALID_MFN))
        frame_put_writable(mfn_frame(info));
    vcpu_arch_release(v);
}

/* A table without a pin goes with what it hangs on, and roots went before. */
static void give_up_memory(struct domain *d)
{
    uint32_t n;

    while ((n = READ_ONCE(d->pages_first)) != 0) {
        struct frame *f = mfn_frame(mfn(n));

        if (READ_ONCE(f->word) & FW_PIN)
            pt_unpin(d, mfn(n));
        domain_give_up_frame(f);
        preempt_point();
    }
}

static uint32_t unburied; /* relinquished and dead ones, atomic */

void domain_destroy(struct domain *d)
{
    if (__atomic_exchange_n(&d->dying, true, __ATOMIC_SEQ_CST))
        return;
    stop_for_good(d);
    quiet_wait(); /* whoever saw it alive is done with it */
    trace_stop(d);
    evtchn_domain_close(d);
    for_each_vcpu(d, v)
        release_vcpu(v);
    give_up_memory(d);
    grant_domain_release(d);
    __atomic_fetch_add(&unburied, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&d->relinquished, true, __ATOMIC_RELEASE);
    send_global_virq(VIRQ_DOM_EXC);
}

/* ---- Burying. ---- */

/* Its descriptor tables, or segments, may still be those of a CPU on which nobody but the idle vCPU
 * ran since. */
static bool loaded_somewhere(const struct domain *d)
{
    for (unsigned i = 0; i < cpu_count; i++) {
        const struct vcpu *v = percpu_of[i]->seg_owner;

        if (v && v->domain == d)
            return true;
    }
    return false;
}

static bool in_use(struct domain *d)
{
    return READ_ONCE(d->tot_pages) || !grant_domain_idle(d) ||
           !domain_shared_page_idle(d->shared) || loaded_somewhere(d);
}

/* Unlists those that nobody uses. True: there were some. */
static bool find_dead(void)
{
    struct domain *d, **p = &domain_list;
    bool found = false;

    lock(&domlist_lock);
    while ((d = *p) != NULL) {
        if (!__atomic_load_n(&d->relinquished, __ATOMIC_ACQUIRE) || in_use(d)) {
            p = &d->next;
            continue;
        }
        __atomic_store_n(p, d->next,
                         __ATOMIC_RELEASE); /* its own link stays for who stands on it */
        d->next_dead = domains_dead;
        domains_dead = d;
        found = true;
    }
    unlock(&domlist_lock);
    return found;
}

static struct domain *take_dead(void)
{
    struct domain *d, **p = &domains_dead;

    lock(&domlist_lock);
    while ((d = *p) != NULL && in_use(d)) /* by somebody who found it in time */
        p = &d->next_dead;
    if (d)
        *p = d->next_dead;
    unlock(&domlist_lock);
    return d;
}

void domains_bury(void)
{
    static bool busy; /* atomic */
    struct domain *d;

    if (likely(!READ_ONCE(unburied)) || __atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
        return;
    if (find_dead())
        quiet_begin();
    while (quiet_reached() && (d = take_dead()) != NULL) {
        printk(LOG_DEBUG, "d%u is gone", d->id);
        domain_free(d);
        __atomic_fetch_sub(&unburied, 1, __ATOMIC_SEQ_CST);
        send_global_virq(VIRQ_DOM_EXC);
    }
    __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}
