/* SPDX-License-Identifier: MIT */
/*
 * The straight ways through the most frequent changes between a guest's user mode, its kernel and its handlers: page
 * fault, SYSCALL by user code, upcall after a hypercall, iret hypercall. Each does what its counterpart in bounce.c does,
 * for the case that nothing is unusual, and without C: so only the few registers used here need saving. Whatever is
 * unusual goes to the counterpart before anything was changed; a guest stack that cannot be written, to its end.
 *
 * Usual is: no work is waiting, a handler is registered and masks events, the kernel's stack lies in the upper half.
 * Handlers are entered by SYSRET: their addresses were found canonical when they were registered, and RCX and R11 are in
 * the bounce frame.
 */
#include "entry.h"

#define EXTABLE(from, to) .pushsection .extable, "a"; .long from - .; .long to - .; .popsection

#define FLAG_IF    0x200
#define FLAG_DF    0x400
#define FLAGS_IOPL 0x3000
#define FLAGS_OFF  0x77100 /* in a handler: TF, IOPL, NT, RF, VM, AC */
#define PF_PRESENT_WRITE 3
#define PF_USER    4
#define PF_RSVD    8

    .section .text, "ax"

/* A store or load of the guest's memory. */
.macro guest insn:vararg
771: \insn
    EXTABLE(771b, guest_stack_fault)
.endm

/* RCX: where the guest's stack is. Makes room for a frame of so many words. Only addresses above the hypervisor's are
 * usual: -15 to -1 in units of 2^43. Clobbers the scratch register. */
.macro frame_place words, slow, scratch=%rax
    and $-16, %rcx
    sub $(\words * 8), %rcx
    mov %rcx, \scratch
    sar $43, \scratch
    add $15, \scratch
    cmp $14, \scratch
    ja \slow
.endm

.macro kernel_mode
    movb $1, VCPU_kernel_mode(%rbx)
    swapgs
    mov VCPU_kernel_cr3(%rbx), %rax
    mov %rax, %cr3
.endm

/* Writes the frame at RCX; R11: vcpu_info. cs_mask: -1, or -4 from kernel mode. Clobbers RAX, RDX; masks events. */
.macro frame_write cs_mask, error=0
    mov REGS_rcx(%rsp), %rax
    guest mov %rax, (%rcx)
    mov REGS_r11(%rsp), %rax
    guest mov %rax, 8(%rcx)
    .if \error
    mov REGS_error(%rsp), %eax
    guest mov %rax, 16(%rcx)
    .endif
    mov REGS_rip(%rsp), %rax
    guest mov %rax, (16 + 8 * \error)(%rcx)
    movzbl INFO_mask(%r11), %edx
    movzwl REGS_cs(%rsp), %eax
    .if \cs_mask != -1
    and $\cs_mask, %eax
    .endif
    guest mov %rax, (24 + 8 * \error)(%rcx)
    guest mov %dl, (28 + 8 * \error)(%rcx)
    cmp $1, %dl /* carry: events were not masked */
    sbb %edx, %edx
    and $FLAG_IF, %edx
    mov REGS_rflags(%rsp), %eax
    and $~(FLAG_IF | FLAGS_IOPL), %eax
    or %edx, %eax
    guest mov %rax, (32 + 8 * \error)(%rcx)
    mov REGS_rsp(%rsp), %rax
    guest mov %rax, (40 + 8 * \error)(%rcx)
    movzwl REGS_ss(%rsp), %eax
    guest mov %rax, (48 + 8 * \error)(%rcx)
    movb $1, INFO_mask(%r11)
.endm

/* To the handler, with the stack RCX. RDX and RBX get back what the frame has of them. */
.macro enter_handler entry, flags_off
    mov %rcx, REGS_rsp(%rsp)
    mov \entry(%rbx), %rcx
    mov REGS_rflags(%rsp), %r11d
    and $~(\flags_off), %r11d
    or $FLAG_IF, %r11d
    mov REGS_rdx(%rsp), %rdx
    mov REGS_rbx(%rsp), %rbx
    mov REGS_rsp(%rsp), %rsp
    exit_by sysretq, guarded_sysretq
.endm

/* #PF. On the stack: error code, RIP, CS, RFLAGS, RSP, SS. */
ENTRY(page_fault_entry)
    sub $REGS_error, %rsp
    mov %rax, REGS_rax(%rsp)
    mov %rcx, REGS_rcx(%rsp)
    mov %rdx, REGS_rdx(%rsp)
    mov %rbx, REGS_rbx(%rsp)
    mov %r11, REGS_r11(%rsp)
    testb $3, REGS_cs(%rsp)
    jz page_fault_slow
    load_current
    cmpl $0, VCPU_work(%rbx)
    jne page_fault_slow
    cmpq $0, VCPU_pf_address(%rbx)
    je page_fault_slow
    testb $4, VCPU_pf_flags(%rbx)
    jz page_fault_slow
    mov %cr2, %rdx
    mov %rdx, %rcx
    sar $43, %rcx
    cmp $-16, %rcx /* the hypervisor's part, where descriptor tables are */
    je page_fault_slow
    mov VCPU_info(%rbx), %r11
    cmpb $0, VCPU_kernel_mode(%rbx)
    je 1f
    mov REGS_error(%rsp), %eax
    and $(PF_PRESENT_WRITE | PF_RSVD), %eax
    cmp $PF_PRESENT_WRITE, %eax /* may be a write to a page table */
    je page_fault_slow
    mov REGS_rsp(%rsp), %rcx
    frame_place 8, page_fault_slow
    mov %rdx, INFO_cr2(%r11)
    andl $~PF_USER, REGS_error(%rsp) /* the processor means ring 3 */
    frame_write -4, 1
    mov REGS_rax(%rsp), %rax
    enter_handler VCPU_pf_address, FLAGS_OFF
1:  mov VCPU_kernel_sp(%rbx), %rcx
    frame_place 8, page_fault_slow
    mov %rdx, INFO_cr2(%r11)
    kernel_mode
    frame_write -1, 1
    mov REGS_rax(%rsp), %rax
    enter_handler VCPU_pf_address, FLAGS_OFF

page_fault_slow:
    movl $14, REGS_vector(%rsp)
    mov %rsi, REGS_rsi(%rsp)
    mov %rdi, REGS_rdi(%rsp)
    mov %r8, REGS_r8(%rsp)
    mov %r9, (REGS_r8 + 8)(%rsp)
    mov %r10, (REGS_r8 + 16)(%rsp)
    save_preserved
    jmp trap_saved
END(page_fault_entry)

/* SYSCALL by user code: what SYSCALL's way in saves is saved, RCX and R11 are as the instruction left them. */
ENTRY(syscall_from_user)
    mov %rcx, REGS_rcx(%rsp)
    mov %r11, REGS_r11(%rsp)
    cmpl $0, VCPU_work(%rbx)
    jne 1f
    cmpq $0, VCPU_syscall_entry(%rbx)
    je 1f
    cmpb $0, VCPU_syscall_masks(%rbx)
    je 1f
    mov VCPU_kernel_sp(%rbx), %rcx
    frame_place 7, 1f
    kernel_mode
    mov VCPU_info(%rbx), %r11
    frame_write -1
    mov REGS_rax(%rsp), %rax
    enter_handler VCPU_syscall_entry, FLAGS_OFF | FLAG_DF
1:  save_preserved
    mov %rsp, %rdi
    mov %rbx, %rsi
    call guest_syscall
    jmp exit_to_guest
END(syscall_from_user)

/* A hypercall is over with the result RAX, an event is pending and not masked, no other work is waiting. The frame is the
 * SYSCALL stub's: code and stack segment are known, RCX and R11 are RIP and flags. */
ENTRY(upcall_after_hypercall)
    cmpq $0, VCPU_event_entry(%rbx)
    je 1f
    mov REGS_rsp(%rsp), %rcx
    frame_place 7, 1f, %rdx
    mov VCPU_info(%rbx), %r11
    mov REGS_rip(%rsp), %rdx
    guest mov %rdx, (%rcx)
    guest mov %rdx, 16(%rcx)
    guest movq $(SEL_GUEST_CS64 & ~3), 24(%rcx)
    mov REGS_rflags(%rsp), %rdx
    guest mov %rdx, 8(%rcx)
    and $~FLAGS_IOPL, %edx
    or $FLAG_IF, %edx
    guest mov %rdx, 32(%rcx)
    mov REGS_rsp(%rsp), %rdx
    guest mov %rdx, 40(%rcx)
    guest movq $SEL_GUEST_SS, 48(%rcx)
    movb $1, INFO_mask(%r11)
    mov REGS_rsi(%rsp), %rsi
    mov REGS_rdi(%rsp), %rdi
    mov REGS_r8(%rsp), %r8
    mov (REGS_r8 + 8)(%rsp), %r9
    mov (REGS_r8 + 16)(%rsp), %r10
    enter_handler VCPU_event_entry, FLAGS_OFF
1:  mov %rax, REGS_rax(%rsp)
    mov REGS_rip(%rsp), %rax
    mov %rax, REGS_rcx(%rsp)
    mov REGS_rflags(%rsp), %rax
    mov %rax, REGS_r11(%rsp)
    save_preserved
    jmp exit_slow
END(upcall_after_hypercall)

/* From kernel to user mode; no_root: there is none. Clobbers RAX. */
.macro user_mode no_root
    mov VCPU_user_cr3(%rbx), %rax
    test %rax, %rax
    jz \no_root
    movb $0, VCPU_kernel_mode(%rbx)
    swapgs
    mov %rax, %cr3
.endm

/* The iret hypercall's row of the table. The guest's registers but for RAX, RCX, R11 and RBX are where they belong, and
 * stay there. The frame at RCX: rax, r11, rcx, flags, rip, cs, rflags, rsp, ss. All of it is read before the root that
 * maps it may be left. */
ENTRY(hypercall_iret)
    add $8, %rsp
    mov REGS_rsp(%rsp), %rcx
    mov %rcx, %rax
    sar $43, %rax
    add $15, %rax
    cmp $14, %rax
    ja 3f
    guest mov 32(%rcx), %rax
    mov %rax, REGS_rip(%rsp)
    guest movzwl 64(%rcx), %eax
    or $3, %eax
    mov %rax, REGS_ss(%rsp)
    guest mov 56(%rcx), %rax
    mov %rax, REGS_rsp(%rsp)
    mov VCPU_info(%rbx), %r11
    guest mov 48(%rcx), %eax
    bt $9, %eax
    setnc INFO_mask(%r11)
    and $~(FLAGS_IOPL | 0x20000), %eax
    or $(FLAG_IF | 2), %eax
    mov %rax, REGS_rflags(%rsp)
    movb $0, VCPU_nmi_masked(%rbx)
    guest movzwl 40(%rcx), %eax
    mov %rax, REGS_cs(%rsp)
    orb $3, REGS_cs(%rsp)
    inc %eax /* bits 0 and 1 are clear now: to user mode */
    cmpl $0, VCPU_work(%rbx)
    jne 2f
    cmpb $0, INFO_pending(%r11)
    jne 5f
1:  guest mov 8(%rcx), %r11
    test $3, %al
    jz 4f
    guest mov (%rcx), %rax
    guest mov 16(%rcx), %rcx
6:  mov REGS_rbx(%rsp), %rbx
    add $REGS_rip, %rsp
    .globl fast_iretq
fast_iretq:
    exit_by iretq, guarded_exit
4:  guest mov (%rcx), %rax
    mov %rax, REGS_rax(%rsp)
    guest mov 16(%rcx), %rcx
    user_mode 7f
    mov REGS_rax(%rsp), %rax
    jmp 6b
5:  cmpb $0, INFO_mask(%r11)
    jne 1b
2:  guest mov (%rcx), %r11
    mov %r11, REGS_rax(%rsp)
    guest mov 8(%rcx), %r11
    guest mov 16(%rcx), %rcx
    mov %r11, REGS_r11(%rsp)
    mov %rcx, REGS_rcx(%rsp)
    save_preserved
    test $3, %al
    jnz exit_slow
    user_mode 7f
    jmp exit_slow
7:  mov %r11, REGS_r11(%rsp)
    mov %rcx, REGS_rcx(%rsp)
    save_preserved
    mov %rsp, %rdi
    mov %rbx, %rsi
    call iret_without_user_root
    jmp exit_slow
3:  save_preserved
    mov %rsp, %rdi
    mov %rbx, %rsi
    call guest_iret
    jmp exit_to_guest
END(hypercall_iret)

/* A bounce frame could not be written, or iret's not be read, near RCX. The frame on our stack may be half-made, but it
 * will not be entered any more. */
guest_stack_fault:
    save_preserved
    mov %rcx, %rdi
    mov %rbx, %rsi
    cld
    call guest_stack_lost
    jmp exit_slow

    .section .note.GNU-stack, "", @progbits
