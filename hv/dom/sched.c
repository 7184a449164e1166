/* SPDX-License-Identifier: MIT */
/* The scheduler. Every vCPU belongs to one CPU. Those that want to run wait in its queue, sorted by
 * virtual runtime: the CPU time they have had. The first of the queue runs for at most a slice
 * while others wait; a woken vCPU that has had clearly less than the running one takes its place at
 * once. Somebody who slept does not save up its claim: it starts at most SLEEPER_CREDIT before the
 * others. Virtual time passes the slower the greater the weight of the vCPU's domain; a domain with
 * a cap is passed over once it has had its part of the current period.
 *
 *              vcpu_up, vcpu_release          chosen
 *   OFFLINE ----------------------> RUNNABLE -------> RUNNING
 *      ^                             ^    ^              | |
 *      |                  vcpu_wake  |    +--------------+ |
 *      |                             |   slice over, yield |
 *      |                          BLOCKED <----------------+ vcpu_sleep
 *      +---------------------------------------------------+ WORK_STOP or down, at the way out to
 * the guest
 *
 * A vCPU that is stopped in the middle of a hypercall finishes that first (preempt_point() never
 * parks it), so nobody keeps locks, walks or half-made page tables while it is offline. */
#include <hv/cpu.h>
#include <hv/irq.h>

#include "sched.h"

#define SLICE_NS          (SCHED_SLICE_MS * 1000000ull)
#define SLEEPER_CREDIT_NS 2000000ull
#define WAKE_MARGIN_NS    200000ull
#define CAP_PERIOD_NS     50000000ull /* some slices of others, so that nobody misses a period */
#define CAP_GRAIN_NS      100000ull   /* whoever runs gets that much; too much is paid back */

/* ---- Weights and caps. ---- */

/* Virtual runtime of ns run: of a domain of double weight it goes at half the speed. */
static uint64_t weighed(const struct domain *d, uint64_t ns)
{
    return likely(d->weight == SCHED_WEIGHT_DEFAULT) ? ns : ns * SCHED_WEIGHT_DEFAULT / d->weight;
}

/* What is left to a domain with a cap in this period. */
static uint64_t cap_rest(struct domain *d, uint64_t now)
{
    uint64_t budget = CAP_PERIOD_NS * d->cap / 100,
             used = __atomic_load_n(&d->cap_used, __ATOMIC_RELAXED);
    uint64_t periods = (now - d->cap_since) / CAP_PERIOD_NS;

    if (periods) {
        d->cap_since += periods * CAP_PERIOD_NS;
        /* What it had too much of, as it was late to be stopped, it pays back. */
        used -= MIN(used, budget * MIN(periods, 1000ull));
        __atomic_store_n(&d->cap_used, used, __ATOMIC_RELAXED);
    }
    return budget - MIN(used, budget);
}

/* Ends the state that v was in. Lock: its CPU's. */
static void set_state(struct vcpu *v, enum vcpu_state state, uint64_t now)
{
    uint64_t spent = now - v->state_since;

    if (v->state == VCPU_RUNNING) {
        v->vruntime += weighed(v->domain, spent);
        if (unlikely(v->domain->cap))
            __atomic_fetch_add(&v->domain->cap_used, spent, __ATOMIC_RELAXED);
    }
    v->state_time[v->state] += spent;
    v->state = state;
    v->state_since = now;
}

/* Behind those of the same virtual runtime, so that they take turns. */
static void enqueue(struct percpu *c, struct vcpu *v)
{
    struct vcpu **p = &c->run_queue;

    if (unlikely(v->domain->cap)) /* what its cap kept from it is no claim for later */
        v->vruntime = MAX(v->vruntime, c->min_vruntime);
    while (*p && (*p)->vruntime <= v->vruntime)
        p = &(*p)->run_next;
    v->run_next = *p;
    *p = v;
}

static bool may_run(const struct vcpu *v)
{
    return v->online && !(READ_ONCE(v->work) & WORK_STOP);
}

/* The first that has not used up its domain's cap; *until: when to choose again. */
static struct vcpu *take_first(struct percpu *c, uint64_t now, uint64_t *until)
{
    struct vcpu **p = &c->run_queue, *v;

    *until = ~0ull;
    for (; (v = *p) != NULL; p = &v->run_next) {
        uint64_t rest = unlikely(v->domain->cap) ? cap_rest(v->domain, now) : ~0ull - now;

        if (unlikely(!rest)) {
            *until = MIN(*until, v->domain->cap_since + CAP_PERIOD_NS);
            continue;
        }
        rest = MAX(rest, CAP_GRAIN_NS);
        *p = v->run_next;
        v->run_next = NULL;
        c->min_vruntime = MAX(c->min_vruntime, v->vruntime);
        *until = MIN(*until, c->run_queue ? now + MIN(rest, SLICE_NS) : now + rest);
        return v;
    }
    return c->idle;
}

static void resched(bool may_park)
{
    struct vcpu *prev = current, *next;
    struct percpu *c = prev->pcpu;
    uint64_t now, until;

    __atomic_fetch_and(&prev->work, ~(may_park ? WORK_RESCHED | WORK_QUIET : WORK_RESCHED),
                       __ATOMIC_SEQ_CST);
    now = now_ns();
    lock(&c->sched_lock);
    /* If it does not run, it put itself to sleep, or was woken from that already. */
    if (prev->state == VCPU_RUNNING) {
        if (prev->is_idle || may_run(prev) || !may_park) {
            set_state(prev, VCPU_RUNNABLE, now);
            if (!prev->is_idle)
                enqueue(c, prev);
        } else {
            set_state(prev, VCPU_OFFLINE, now);
        }
    }
    next = take_first(c, now, &until);
    set_state(next, VCPU_RUNNING, now);
    c->running = next;
    if (until != ~0ull)
        timer_set(&c->slice_timer, until);
    else if (c->slice_timer.armed)
        timer_stop(&c->slice_timer);
    unlock(&c->sched_lock);
    if (unlikely(!prev->online)) /* went down in the middle of a call: parks at its end */
        vcpu_set_work(prev, WORK_RESCHED);
    if (next == prev)
        return;
    context_switch(prev, next);
    if (prev->runstate_va)
        vcpu_set_work(prev, WORK_RUNSTATE);
}

void schedule(void)
{
    resched(true);
}

void vcpu_yield(void)
{
    struct vcpu *v = current;
    struct percpu *c = v->pcpu;

    if (likely(!READ_ONCE(c->run_queue)))
        return;
    lock(&c->sched_lock);
    if (c->run_queue)
        v->vruntime = MAX(v->vruntime, c->run_queue->vruntime); /* behind the first at least */
    unlock(&c->sched_lock);
    resched(false);
}

void preempt_if_due(void)
{
    if (unlikely(READ_ONCE(current->work) & WORK_RESCHED))
        resched(false);
}

static void slice_over(void *cpu)
{
    struct percpu *c = cpu;

    vcpu_set_work(c->running, WORK_RESCHED);
}

void sched_queue_init(struct percpu *c)
{
    lock_init(&c->sched_lock, RANK_SCHED);
    c->run_queue = NULL;
    timer_init(&c->slice_timer, slice_over, c);
}

/* ---- Waking. ---- */

/* Makes c look at its queue: by its current vCPU's next way out if it is this CPU, else by an
 * interrupt. */
static void prod(struct percpu *c)
{
    vcpu_set_work(c->running, WORK_RESCHED);
    if (c != this_cpu())
        apic_send_ipi(c->id, VECTOR_RESCHEDULE);
}

/* Virtual runtime of the one that runs on c, up to now. */
static uint64_t running_had(const struct percpu *c, uint64_t now)
{
    const struct vcpu *v = c->running;

    return v->vruntime + (v->state == VCPU_RUNNING ? weighed(v->domain, now - v->state_since) : 0);
}

/* Lock: c's. Where one begins that did not run for long. */
static uint64_t starting_point(struct percpu *c, uint64_t now)
{
    uint64_t least = c->running->is_idle ? c->min_vruntime : running_had(c, now);

    if (c->run_queue)
        least = MIN(least, c->run_queue->vruntime);
    c->min_vruntime = MAX(c->min_vruntime, least);
    return c->min_vruntime - MIN(c->min_vruntime, SLEEPER_CREDIT_NS);
}

/* Lock: c's. v came to wait; does the running one have to go, or at least to know that its time is
 * limited now? */
static void contend(struct percpu *c, const struct vcpu *v, uint64_t now)
{
    const struct vcpu *running = c->running;
    uint64_t until = MAX(running->state_since + SLICE_NS, now);

    if (running->is_idle || v->vruntime + WAKE_MARGIN_NS < running_had(c, now) || c != this_cpu())
        prod(c);
    else if (!c->slice_timer.armed || c->slice_timer.deadline > until)
        timer_set(&c->slice_timer, until);
}

static void make_runnable(struct vcpu *v, enum vcpu_state from)
{
    struct percpu *c = v->pcpu;
    uint64_t now = now_ns();

    lock(&c->sched_lock);
    if (v->state == from && (from == VCPU_BLOCKED || may_run(v))) {
        set_state(v, VCPU_RUNNABLE, now);
        v->vruntime = MAX(v->vruntime, starting_point(c, now));
        enqueue(c, v);
        contend(c, v, now);
    }
    unlock(&c->sched_lock);
}

void vcpu_wake(struct vcpu *v)
{
    if (READ_ONCE(v->state) == VCPU_BLOCKED)
        make_runnable(v, VCPU_BLOCKED);
}

void vcpu_kick(struct vcpu *v)
{
    enum vcpu_state state = READ_ONCE(v->state);

    if (v == current)
        return;
    if (state == VCPU_BLOCKED)
        make_runnable(v, VCPU_BLOCKED);
    else if (state == VCPU_RUNNING && v->pcpu != this_cpu())
        apic_send_ipi(v->pcpu->id, VECTOR_RESCHEDULE);
}

void vcpu_release(struct vcpu *v)
{
    __atomic_fetch_and(&v->work, ~WORK_STOP, __ATOMIC_SEQ_CST);
    make_runnable(v, VCPU_OFFLINE);
}

void vcpu_up(struct vcpu *v)
{
    v->online = true;
    make_runnable(v, VCPU_OFFLINE);
}

void vcpu_down(struct vcpu *v)
{
    v->online = false;
    vcpu_set_work(v, WORK_RESCHED);
    vcpu_kick(v);
}

void sched_share_set(struct domain *d, unsigned weight, unsigned cap)
{
    d->weight = (uint16_t)weight;
    d->cap = (uint16_t)cap;
    for_each_vcpu(d, v)
        vcpu_set_work(v, WORK_RESCHED); /* the one that runs got its time by the old figures */
}

/* ---- Sleeping. ---- */

/* Whoever makes ready() true does so before it looks at our state, and we say BLOCKED before we
 * look: one of the two sees the other. */
void vcpu_sleep(bool (*ready)(const void *), const void *arg)
{
    struct vcpu *v = current;
    struct percpu *c = v->pcpu;

    if (ready(arg))
        return;
    lock(&c->sched_lock);
    set_state(v, VCPU_BLOCKED, now_ns());
    unlock(&c->sched_lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (ready(arg))
        vcpu_wake(v);
    schedule();
}

static bool upcall_due(const void *v)
{
    return event_deliverable(v);
}

void vcpu_block(void)
{
    vcpu_sleep(upcall_due, current);
}

void runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
    struct percpu *c = v->pcpu;

    *out = (struct vcpu_runstate_info){0};
    lock(&c->sched_lock);
    out->state = (int32_t)v->state;
    out->state_entry_time = v->state_since;
    for (unsigned i = 0; i < ARRAY_SIZE(out->time); i++)
        out->time[i] = v->state_time[i];
    out->time[v->state] += now_ns() - v->state_since;
    unlock(&c->sched_lock);
}
