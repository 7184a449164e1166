/* SPDX-License-Identifier: MIT */
/* Entry of a PV64 guest: ELF notes for the domain builder, the registers as found, our own stack. */
#include <pvabi/elfnote.h>

.macro note type:req, value:vararg
    .pushsection .note.pvguest, "a", @note
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \value
2:  .balign 4
    .popsection
.endm

    note XEN_ELFNOTE_GUEST_OS, .asciz "pvguest"
    note XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
    note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
    note XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000
    note XEN_ELFNOTE_PADDR_OFFSET, .quad 0
    note XEN_ELFNOTE_ENTRY, .quad pv_entry
    note XEN_ELFNOTE_HYPERCALL_PAGE, .quad pv_hypercall_page
    note XEN_ELFNOTE_FEATURES, .asciz "writable_page_tables|pae_pgdir_above_4gb"
    note XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << 0 | 1 << 4 | 1 << 11
    note XEN_ELFNOTE_PAE_MODE, .asciz "yes"
    note XEN_ELFNOTE_LOADER, .asciz "generic"
    note XEN_ELFNOTE_L1_MFN_VALID, .quad 1, 1

    .text
    .globl pv_entry
pv_entry:
    mov %rax, pv_boot_regs(%rip)
    lea pv_boot_regs(%rip), %rax
    mov %rbx, 8(%rax)
    mov %rcx, 16(%rax)
    mov %rdx, 24(%rax)
    mov %rsi, 32(%rax)
    mov %rdi, 40(%rax)
    mov %rbp, 48(%rax)
    mov %rsp, 56(%rax)
    mov %r8, 64(%rax)
    mov %r9, 72(%rax)
    mov %r10, 80(%rax)
    mov %r11, 88(%rax)
    mov %r12, 96(%rax)
    mov %r13, 104(%rax)
    mov %r14, 112(%rax)
    mov %r15, 120(%rax)
    lea pv_stack_top(%rip), %rsp
    pushfq
    popq 128(%rax)
    mov %cs, %ecx
    mov %rcx, 136(%rax)
    mov %ss, %ecx
    mov %rcx, 144(%rax)
    mov %ds, %ecx
    mov %rcx, 152(%rax)
    mov %es, %ecx
    mov %rcx, 160(%rax)
    mov %fs, %ecx
    mov %rcx, 168(%rax)
    mov %gs, %ecx
    mov %rcx, 176(%rax)
    cld
    xor %ebp, %ebp
    mov %rsi, %rdi
    call pv_start
    ud2

    .section .hypercall_page, "ax", @progbits
    .balign 4096
    .globl pv_hypercall_page
pv_hypercall_page:
    .skip 4096

    .bss
    .balign 4096
    .globl pv_stack, pv_stack_top
pv_stack:
    .skip 32768
pv_stack_top:

    .section .note.GNU-stack, "", @progbits
