/* SPDX-License-Identifier: MIT */
/* Traps come as bounce frames, interrupts as events; both go to the kernel's own handlers. */
#include "pv.h"

#define GENERAL_PROTECTION 13

_Static_assert(sizeof(struct regs) == sizeof(struct pv_regs) &&
                   offsetof(struct regs, rip) == offsetof(struct pv_regs, rip) &&
                   offsetof(struct regs, rax) == offsetof(struct pv_regs, rax),
               "guest-lib's entry code lays registers out as the kernel has them");

static void on_exception(struct pv_regs *r)
{
    trap_exception((struct regs *)r, pv_vcpu_info->arch.cr2);
}

static void on_syscall(struct pv_regs *r)
{
    trap_syscall((struct regs *)r);
}

static void on_event(struct pv_regs *r)
{
    pv_event_dispatch();
    trap_return((struct regs *)r);
}

/* A frame that could not be returned to: the program's doing, for the kernel only returns to it. */
static void on_failsafe(struct pv_regs *r)
{
    r->vector = GENERAL_PROTECTION;
    r->cs |= 3;
    trap_exception((struct regs *)r, 0);
}

void trap_init(void)
{
    for (unsigned v = 0; v < 32; v++)
        pv_trap_set(v, on_exception);
    pv_trap_set(PV_TRAP_INT80, on_exception);
    pv_trap_set(PV_TRAP_SYSCALL, on_syscall);
    pv_trap_set(PV_TRAP_EVENT, on_event);
    pv_trap_set(PV_TRAP_FAILSAFE, on_failsafe);
}

void machine_kernel_stack(void *top)
{
    pv_stack_switch(PV_SS, (uint64_t)top);
}

void machine_user_regs(struct regs *r, uintptr_t entry, uintptr_t stack)
{
    *r = (struct regs){.rip = entry, .cs = PV_CS64, .rflags = 0x202, .rsp = stack, .ss = PV_SS};
}

void machine_resume(const struct regs *r)
{
    pv_resume((const struct pv_regs *)r);
}

void machine_idle(void)
{
    pv_idle();
}
