/* SPDX-License-Identifier: MIT */
/* void context_switch(uint64_t *save, uint64_t load, void *save_fpu, const void *load_fpu):
 * the callee-saved registers stay on the stack that is left. */
    .text
    .globl context_switch
context_switch:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    fxsave64 (%rdx)
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    fxrstor64 (%rcx)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .note.GNU-stack, "", @progbits
