/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor bounces exceptions and upcalls to, the way back by the iret hypercall, and
 * the two ends of PV_TRY. A bounce frame begins with rcx and r11; they are taken off, so that the
 * rest (error code first) can be the tail of struct pv_regs.
 */
#define HYPERCALL_IRET 23 /* __HYPERVISOR_iret; the header that has it is C */

.macro stub vector:req, error=0
    .balign 16
pv_stub_\vector:
    pop %rcx
    pop %r11
    .if \error == 0
    push $0
    .endif
    push %rcx
    push %r11
    push %rax
    mov $\vector, %eax
    jmp pv_trap_common
.endm

    .text
    .altmacro
.set vec, 0
.rept 32
    .if vec == 8 || (vec >= 10 && vec <= 14) || vec == 17 || vec == 21
    stub %vec, 1
    .else
    stub %vec
    .endif
    .set vec, vec + 1
.endr
    stub 32
    stub 34
    stub 35

    /* Failsafe: four selectors follow rcx and r11; the frame after them is an ordinary one. */
    .balign 16
pv_stub_33:
    pop %rcx
    pop %r11
    popq pv_failsafe_selectors(%rip)
    popq pv_failsafe_selectors + 8(%rip)
    popq pv_failsafe_selectors + 16(%rip)
    popq pv_failsafe_selectors + 24(%rip)
    push $0
    push %rcx
    push %r11
    push %rax
    mov $33, %eax

pv_trap_common:
    cld
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rax
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call pv_trap_dispatch
    mov %rbp, %rsp
trap_restore:
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    /* Now rax, r11, rcx, error, rip ...: what iret wants once the error slot is its flags. */
    movq $0, 24(%rsp)
    .globl pv_iret
pv_iret:
    mov $HYPERCALL_IRET, %eax
    syscall
    ud2

    /* void pv_resume(const struct pv_regs *regs) */
    .globl pv_resume
pv_resume:
    mov %rdi, %rsp
    jmp trap_restore

    /* int pv_catch_arm(struct pv_fault *f): see PV_TRY. */
    .globl pv_catch_arm
pv_catch_arm:
    mov %rbx, (%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    lea 8(%rsp), %rax
    mov %rax, 48(%rdi)
    mov (%rsp), %rax
    mov %rax, 56(%rdi)
    movl $-1, 64(%rdi)
    mov %rdi, pv_catch(%rip)
    xor %eax, %eax
    ret

    .section .rodata
    .balign 8
    .globl pv_trap_stubs
pv_trap_stubs:
.macro entry vector:req
    .quad pv_stub_\vector
.endm
.set vec, 0
.rept 36
    entry %vec
    .set vec, vec + 1
.endr

    .section .note.GNU-stack, "", @progbits
