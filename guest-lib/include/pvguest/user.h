/* SPDX-License-Identifier: MIT */
/* Running a few bytes of code in user mode, until its first exception or system call. */
#ifndef PVGUEST_USER_H
#define PVGUEST_USER_H

#include <pvguest/trap.h>

/* L4 slot 128, the same in both roots; the page above the code is the stack. */
#define PV_USER_CODE  0x0000400000000000ul
#define PV_USER_STACK (PV_USER_CODE + 2 * PAGE_SIZE)

/* Builds and loads the user root. Slots of the kernel's lower half filled later are not in it. */
long pv_user_init(void);
/* Runs position-independent code with `regs` (NULL: all zero) where rip, rsp are filled in, and
 * cs, ss, rflags if zero. `f` says how it ended; f->regs are the user's registers then. */
void pv_user_run(const void *code, size_t size, const struct pv_regs *regs, struct pv_fault *f);
/* Where the hypervisor puts bounce frames that come from user mode. */
uint64_t pv_user_trap_stack(void);

#endif
