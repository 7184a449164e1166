/* SPDX-License-Identifier: MIT */
/* Start of day: what the domain builder left, and the guest's own main. */
#ifndef PVGUEST_START_H
#define PVGUEST_START_H

#include <pvguest/types.h>
#include <pvguest/abi.h>

/* Registers as the builder left them, saved before anything changes them. */
struct pv_boot_regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rflags, cs, ss, ds, es, fs, gs;
};

extern struct pv_boot_regs pv_boot_regs;
extern struct start_info *pv_start_info;
extern struct shared_info *pv_shared_info;
extern struct vcpu_info *pv_vcpu_info; /* in the shared page until a guest registers another */

/* Supplied by the guest. When it returns, the domain powers off (or reboots: `end=reboot`). */
void pv_main(void);

/* Value of `name=` on the command line, copied to buf; false when it is not there. */
bool pv_option(const char *name, char *buf, size_t size);

/* Ends the domain; `reason` is one of SHUTDOWN_*. */
void pv_shutdown(unsigned reason) __attribute__((noreturn));

#endif
