/* SPDX-License-Identifier: MIT */
/* The moments when the hypervisor lets interrupts in: preemption points, and a CPU with nothing to
 * do. */
#include <hv/cpu.h>
#include <hv/print.h>

#include "sched.h"

static struct domain idle_domain = {
    .id = DOMID_IDLE,
    .life = SPINLOCK_INIT(RANK_DOMAIN),
    .pt_lock = SPINLOCK_INIT(RANK_PT),
    .pages_lock = SPINLOCK_INIT(RANK_PAGES),
    .weight = SCHED_WEIGHT_DEFAULT,
};
static struct vcpu idle_vcpu[MAX_CPUS];
static struct vcpu_info no_info; /* the idle domain gets no events; never written */

void sched_init_cpu(struct percpu *c)
{
    struct vcpu *v = &idle_vcpu[c->id];

    v->id = c->id;
    v->domain = &idle_domain;
    v->pcpu = c;
    v->is_idle = v->online = true;
    v->state = VCPU_RUNNING;
    v->state_since = now_ns();
    v->info = &no_info;
    v->info_mfn = INVALID_MFN;
    if (vcpu_arch_create(v))
        panic("no memory for the idle vCPU of CPU %u", c->id);
    c->idle = c->running = v;
    c->stack_top = v->stack_top;
    sched_queue_init(c);
}

void preempt_point(void)
{
    /* Interrupts stay out for one instruction after STI. */
    __asm__ volatile("sti\n\tnop\n\tcli" ::: "memory");
    preempt_if_due();
}

noreturn void idle_loop(void)
{
    for (;;) {
        /* Who waits in the queue and is not chosen has used up its cap. */
        if (READ_ONCE(current->work) & WORK_RESCHED)
            schedule();
        domains_bury();
        log_announce();
        if (!(READ_ONCE(current->work) & WORK_RESCHED))
            /* a wake-up after the look above is an interrupt that ends HLT */
            __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
    }
}
