/* SPDX-License-Identifier: MIT */
/* What happens at a trap: faults of programs, the clock, and what is due on the way back. */
#include <minos/abi.h>
#include "lib.h"
#include "net.h"
#include "proc.h"

#define VECTOR_PAGE_FAULT 14
#define FAULT_WRITE       2
#define FAULT_FETCH       16

static bool from_user(const struct regs *r)
{
    return r->cs & 3;
}

void trap_exception(struct regs *r, uintptr_t address)
{
    bool fault = r->vector == VECTOR_PAGE_FAULT;

    if (!from_user(r))
        panic("exception %lu, error %lx, at %lx, address %lx, stack %lx", r->vector, r->error,
              r->rip, address, r->rsp);
    if (fault && (r->error & (FAULT_FETCH | 1)) != (FAULT_FETCH | 1) &&
        !space_fault(current->space, address, r->error & FAULT_WRITE)) {
        trap_return(r);
        return;
    }
    kprintf("%s[%d]: exception %lu at %lx, address %lx\n", current->name, current->pid, r->vector,
            r->rip, fault ? address : 0);
    process_exit(128 + r->vector);
}

void trap_return(struct regs *r)
{
    if (!from_user(r))
        return;
    if (schedule_wanted)
        schedule();
    if (current->killed)
        process_exit(130);
}

void clock_tick(void)
{
    static unsigned ticks;

    schedule_tick();
    if (++ticks % (TICKS_PER_SECOND / 10) == 0)
        net_tick();
}
