/* SPDX-License-Identifier: MIT */
/* Exceptions, event upcalls, and catching the faults that a piece of code is expected to cause. */
#ifndef PVGUEST_TRAP_H
#define PVGUEST_TRAP_H

#include <pvguest/types.h>
#include <pvguest/abi.h>

#ifndef PV_KERNEL_CS
#define PV_KERNEL_CS 0xe030 /* what a bounce frame holds in guest kernel mode: RPL 0 */
#define PV_CS64      0xe033
#define PV_SS        0xe02b
#endif

/* Vectors of our own, after the 32 exceptions. */
#define PV_TRAP_EVENT    32
#define PV_TRAP_FAILSAFE 33
#define PV_TRAP_SYSCALL  34
#define PV_TRAP_INT80    35
#define PV_TRAP_COUNT    36

/* As trap.S pushes it; from rip on it is the hypervisor's bounce frame. */
struct pv_regs {
    uint64_t vector;
    uint64_t r15, r14, r13, r12, rbp, rbx, r10, r9, r8, rdi, rsi, rdx;
    uint64_t rax, r11, rcx;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

typedef void pv_trap_handler(struct pv_regs *regs);

/* Installs the trap table and the callbacks. */
void pv_trap_init(void);
/* NULL restores the default: an armed pv_try, or a dump and a crash. */
void pv_trap_set(unsigned vector, pv_trap_handler *handler);

/* Leaves the current context for another one; CS with RPL 3 means user mode. */
void pv_resume(const struct pv_regs *regs) __attribute__((noreturn));

/* Selectors of the last failsafe callback. */
extern uint64_t pv_failsafe_selectors[4]; /* ds, es, fs, gs */

/* What happened within the last PV_TRY block that used it. */
struct pv_fault {
    uint64_t saved[8]; /* rbx, rbp, r12-r15, rsp, rip; offsets known to trap.S */
    int vector;        /* -1: nothing */
    uint64_t cr2;
    struct pv_regs regs;
};

int pv_catch_arm(struct pv_fault *f) __attribute__((returns_twice));
void pv_catch_disarm(void);

/* PV_TRY(&f) { code } runs the code; an exception ends it and leaves its facts in f. Locals that
 * the code changes and that are read afterwards must be volatile. */
#define PV_TRY(f) for (int pv_once_ = !pv_catch_arm(f); pv_once_; pv_catch_disarm(), pv_once_ = 0)

/* One access each; the vector of the fault, or -1. */
int pv_try_read(uint64_t va, uint64_t *value);
int pv_try_write(uint64_t va, uint64_t value);
int pv_try_exec(uint64_t va);

#endif
