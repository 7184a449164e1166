/* SPDX-License-Identifier: MIT */
/* A guest's registers as the entry code leaves them at the top of the vCPU's stack; general registers in ModRM order. */
#ifndef HV_REGS_H
#define HV_REGS_H

#include <hv/types.h>

struct guest_regs {
    union {
        uint64_t gpr[16];
        struct {
            uint64_t rax, rcx, rdx, rbx, unused_rsp, rbp, rsi, rdi;
            uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
        };
    };
    uint32_t error_code;
    uint32_t vector; /* exception vector, or ENTRY_SYSCALL and, for 32-bit code, the one above */
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct guest_regs) == 176, "entry.S relies on it; keeps stacks 16-byte aligned");

#define ENTRY_SYSCALL 0x100

#define X86_EFLAGS_CF 0x1
#define X86_EFLAGS_ZF 0x40
#define X86_EFLAGS_TF 0x100
#define X86_EFLAGS_IF 0x200
#define X86_EFLAGS_DF 0x400
#define X86_EFLAGS_OF 0x800
#define X86_EFLAGS_IOPL 0x3000
#define X86_EFLAGS_NT 0x4000
#define X86_EFLAGS_RF 0x10000
#define X86_EFLAGS_VM 0x20000
#define X86_EFLAGS_AC 0x40000

#endif
