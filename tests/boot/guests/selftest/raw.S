/* SPDX-License-Identifier: MIT */
/* An entry that records the bounce frame exactly as it was found, then goes on to the usual stub. */
    .text
    .globl raw_entry
raw_entry:
    mov %rax, saved_rax(%rip)
    mov %rsp, raw_rsp(%rip)
    pushfq
    popq raw_flags(%rip)
    mov %cs, %eax
    mov %rax, raw_cs(%rip)
    mov %ss, %eax
    mov %rax, raw_ss(%rip)
    mov pv_vcpu_info(%rip), %rax
    movzbl 1(%rax), %eax
    mov %rax, raw_mask(%rip)
    .set i, 0
    .rept 11
    mov i(%rsp), %rax
    mov %rax, raw_frame + i(%rip)
    .set i, i + 8
    .endr
    mov saved_rax(%rip), %rax
    jmp *raw_continue(%rip)

    .bss
    .balign 8
    .globl raw_rsp, raw_flags, raw_cs, raw_ss, raw_mask, raw_frame, raw_continue
saved_rax: .skip 8
raw_rsp: .skip 8
raw_flags: .skip 8
raw_cs: .skip 8
raw_ss: .skip 8
raw_mask: .skip 8
raw_continue: .skip 8
raw_frame: .skip 88

    .section .note.GNU-stack, "", @progbits
