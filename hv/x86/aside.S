/* SPDX-License-Identifier: MIT */
/* aside.h's calls: the function at RAX with the arguments that are in their places. RAX is its result, all else is kept.
 * Its frame stands in for one of its caller, who may have none, so that back traces name the caller. */
#include "entry.h"

    .section .text, "ax"

ENTRY(aside)
    push %rbp
    mov %rsp, %rbp
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    call *%rax
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbp
    ret
END(aside)

    .section .note.GNU-stack, "", @progbits
