/* SPDX-License-Identifier: MIT */
/* Traps of the bare machine: each entry builds a struct regs and calls C; all go back by iretq. */
    .text

.macro stub vector:req
    .balign 32
    /* The processor pushes an error code for some exceptions; the others get a zero. */
    .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21
    .else
    push $0
    .endif
    push %rcx
    push %r11
    push %rax
    mov $\vector, %eax
    jmp trap_common
.endm

    .altmacro
    .balign 32
    .globl trap_stubs
trap_stubs:
.set vec, 0
.rept 48
    stub %vec
    .set vec, vec + 1
.endr

trap_common:
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
    call native_trap
    mov %rbp, %rdi

    /* void machine_resume(const struct regs *r) */
    .globl machine_resume
machine_resume:
    mov %rdi, %rsp
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
    pop %rax
    pop %r11
    pop %rcx
    add $8, %rsp
    iretq

    /* SYSCALL: RIP in RCX, RFLAGS in R11, interrupts off, still the program's stack. */
    .globl syscall_entry
syscall_entry:
    mov %rsp, syscall_stack(%rip)
    mov native_kernel_stack(%rip), %rsp
    push $0x23 /* SS: USER_DATA */
    push syscall_stack(%rip)
    push %r11
    push $0x2b /* CS: USER_CODE */
    push %rcx
    push $0
    push %rcx
    push %r11
    push %rax
    mov $256, %eax /* TRAP_SYSCALL */
    jmp trap_common

    .bss
    .balign 8
syscall_stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
