/* SPDX-License-Identifier: MIT */
/* Exceptions of guests and their delivery to guests; what hv/x86's files share. */
#ifndef HV_X86_TRAP_H
#define HV_X86_TRAP_H

#include <hv/cpu.h>

#define VEC_DB 1
#define VEC_NMI 2
#define VEC_BP 3
#define VEC_OF 4
#define VEC_UD 6
#define VEC_NM 7
#define VEC_DF 8
#define VEC_GP 13
#define VEC_PF 14
#define VEC_MC 18
#define VEC_INT80 0x80

#define DR6_BREAKPOINTS 0xfull
#define DR6_STEP        0x4000ull

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER    4u
#define PF_RSVD    8u

typedef void trap_fn(struct guest_regs *r, struct vcpu *v);

/* Delivers vector to the guest's handler (x86/bounce.c). */
void bounce_trap(struct guest_regs *r, struct vcpu *v, unsigned vector, uint32_t error);
/* INT n of the guest's own, for which it has a handler: no vector has an error code then. */
void bounce_interrupt(struct guest_regs *r, struct vcpu *v, unsigned vector);
void bounce_page_fault(struct guest_regs *r, struct vcpu *v, uint64_t va);
void bounce_event(struct guest_regs *r, struct vcpu *v);
void bounce_failsafe(struct guest_regs *r, struct vcpu *v);
/* Guest mode changes with everything that hangs on it: root and GS base. */
void enter_kernel_mode(struct vcpu *v);
void enter_user_mode(struct vcpu *v);

/* Trapped privileged instructions (x86/emulate.c). False: not ours, the guest gets the exception. */
bool emulate_privileged(struct guest_regs *r, struct vcpu *v);
bool emulate_forced_cpuid(struct guest_regs *r, struct vcpu *v);

/* A fault on the window of the vCPU's descriptor tables. True: mapped, try again. */
bool ldt_fault(struct vcpu *v, uint64_t va);

/* Makes a guest that single-steps see the step that was emulated. */
void finish_emulated(struct guest_regs *r, struct vcpu *v, unsigned length);

#endif
