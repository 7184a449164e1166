/* SPDX-License-Identifier: MIT */
/* Macros of entry.S and fast.S. */
#ifndef HV_X86_ENTRY_H
#define HV_X86_ENTRY_H

#include <hv/layout.h>
#include "asm-offsets.h"

#define ENTRY(name) .globl name; .type name, @function; .balign 16; name:
#define END(name) .size name, . - name
#define SYSCALL_VECTOR   0x100 /* ENTRY_SYSCALL of regs.h */
#define SYSCALL32_VECTOR 0x101

.macro load_current
    mov %rsp, %rbx
    and $-WINDOW_SIZE, %rbx
    mov WIN_CURRENT(%rbx), %rbx
.endm

/* The registers that C preserves, into their places of the frame: the straight ways in leave that for those ways out that
 * load the whole frame. */
.macro save_preserved
    mov %rbp, REGS_rbp(%rsp)
    mov %r12, REGS_r12(%rsp)
    mov %r13, (REGS_r12 + 8)(%rsp)
    mov %r14, (REGS_r12 + 16)(%rsp)
    mov %r15, (REGS_r12 + 24)(%rsp)
.endm

/* The last instruction of a way out to a guest, and what takes its place when processors' buffers are to be emptied
 * first (spec_ctrl.c). */
.macro exit_by insn, guarded
700: \insn
    .skip 5 - (. - 700b), 0xcc
    .pushsection .exit_sites, "a"; .long 700b - ., \guarded - .; .popsection
.endm

#endif
