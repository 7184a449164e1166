/* SPDX-License-Identifier: MIT */
/* A program's first instructions, and its system calls. */
    .text
    .globl _start
_start:
    mov (%rsp), %rdi
    lea 8(%rsp), %rsi
    mov (%rsi), %rax
    mov %rax, program_name(%rip)
    xor %ebp, %ebp
    and $-16, %rsp
    call main
    mov %eax, %edi
    call exit

    /* long system_call(long number, ...) */
    .globl system_call
system_call:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    syscall
    ret

    .section .note.GNU-stack, "", @progbits
