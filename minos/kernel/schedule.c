/* SPDX-License-Identifier: MIT */
/* Who runs: round robin over the process table, a slice of one tick; sleeping and waking. */
#include <minos/abi.h>
#include "lib.h"
#include "proc.h"
#include "table.h"

void context_switch(uint64_t *save, uint64_t load, void *save_fpu, const void *load_fpu);

bool schedule_wanted;

static void wake_sleepers(void)
{
    uint64_t now = machine_time();

    for (struct process *p = processes; p < processes + PROCESSES; p++)
        if (p->state == SLEEPING && p->deadline <= now)
            p->state = RUNNABLE;
}

void schedule_tick(void)
{
    if (current->state == RUNNABLE) /* else idling on the stack of one that sleeps */
        current->ticks++;
    schedule_wanted = true;
    wake_sleepers();
}

static struct process *next_process(void)
{
    unsigned start = current - processes;

    for (unsigned i = 1; i <= PROCESSES; i++) {
        struct process *p = &processes[(start + i) % PROCESSES];

        if (p->state == RUNNABLE)
            return p;
    }
    return NULL;
}

void schedule(void)
{
    struct process *from = current, *to;

    schedule_wanted = false;
    while (!(to = next_process()))
        machine_idle();
    if (to == from)
        return;
    if (*(uint64_t *)from->kernel_stack != STACK_CANARY)
        panic("kernel stack of process %d overflowed", from->pid);
    current = to;
    machine_kernel_stack(to->kernel_stack + KERNEL_STACK);
    mmu_load(to->space ? to->space->root : 0);
    context_switch(&from->stack_pointer, to->stack_pointer, from->fpu, to->fpu);
}

static int sleep(const void *event, uint64_t deadline)
{
    current->waits_for = event;
    current->deadline = deadline;
    current->woken = false;
    current->state = SLEEPING;
    schedule();
    return current->woken ? 0 : -EAGAIN;
}

int wait_for(const void *event, uint64_t deadline)
{
    int result;

    if (current->killed)
        return -EINTR;
    result = sleep(event, deadline);
    return current->killed ? -EINTR : result;
}

void wait_for_device(const void *event)
{
    sleep(event, FOREVER);
}

void wake(const void *event)
{
    for (struct process *p = processes; p < processes + PROCESSES; p++)
        if (p->state == SLEEPING && p->waits_for == event) {
            p->woken = true;
            p->state = RUNNABLE;
        }
}

void mutex_lock(struct mutex *m)
{
    while (m->holder)
        sleep(m, FOREVER);
    m->holder = current;
}

void mutex_unlock(struct mutex *m)
{
    m->holder = NULL;
    wake(m);
}
