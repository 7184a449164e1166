/* SPDX-License-Identifier: MIT */
/*
 * Every way into the hypervisor and out of it.
 *
 * From a guest, all ways build a struct guest_regs at the top of the current vCPU's stack and leave through
 * exit_to_guest, the one place that lets a guest go on: it looks at the vCPU's work bits and events first. RBX holds the
 * current vCPU from entry to exit. A hypercall's straight way in and out leaves alone what C preserves (RBP, R12-R15):
 * those places of the frame are filled only on the ways that load the whole frame. fast.S has more straight ways. GS and FS
 * stay the guest's: `current` is found from RSP, the SYSCALL stub finds its CPU's data relative to RIP.
 *
 * A guest may choose RSP, RIP (by iret) and flags freely, so: gates and FMASK clear IF, TF, NT, AC, DF; SYSRET is used
 * only for an RIP that is canonical; an IRET that faults is recognised by its address (trap.c) and becomes a failsafe
 * callback; #DB, NMI, #DF and #MC have stacks of their own.
 */
#include "entry.h"

#define PERCPU(field) (syscall_stub + CPUWIN_PERCPU + PERCPU_##field)(%rip)

    .section .text, "ax"

/* ---- SYSCALL. The stub is copied to the first page of each CPU's window. ---- */

    .balign 64
    .globl syscall_stub, syscall_stub_end, syscall32_stub
syscall_stub:
    mov %rsp, PERCPU(scratch_rsp)
    mov PERCPU(stack_top), %rsp
    push $SEL_GUEST_SS
    push PERCPU(scratch_rsp)
    push %r11
    push $SEL_GUEST_CS64
    push %rcx
    mov %rbx, (REGS_rbx - REGS_rip)(%rsp)
    mov PERCPU(running), %rbx
    jmp *PERCPU(syscall_target)
syscall32_stub:
    mov %rsp, PERCPU(scratch_rsp)
    mov PERCPU(stack_top), %rsp
    push $SEL_GUEST_SS
    push PERCPU(scratch_rsp)
    push %r11
    push $SEL_GUEST_CS32
    push %rcx
    mov %rbx, (REGS_rbx - REGS_rip)(%rsp)
    mov PERCPU(running), %rbx
    jmp *syscall32_target(%rip)
    .balign 8
syscall32_target:
    .quad syscall32_entry
syscall_stub_end:

.macro push_gprs
    push %r15
    push %r14
    push %r13
    push %r12
    push %r11
    push %r10
    push %r9
    push %r8
    push %rdi
    push %rsi
    push %rbp
    push %rbx /* the unused slot */
    push %rbx
    push %rdx
    push %rcx
    push %rax
.endm

/* And back; the error code and vector go too. RSP: RIP and what follows it. */
.macro pop_gprs
    pop %rax
    pop %rcx
    pop %rdx
    pop %rbx
    add $8, %rsp
    pop %rbp
    pop %rsi
    pop %rdi
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    add $8, %rsp
.endm

/* RSP: RIP and what follows it in the frame is pushed. Fills in the rest but for what SYSCALL destroyed and what C
 * preserves. */
.macro save_syscall_regs vector
    sub $REGS_rip, %rsp
    movl $\vector, REGS_vector(%rsp)
    mov %rax, REGS_rax(%rsp)
    mov %rdx, REGS_rdx(%rsp)
    mov %rsi, REGS_rsi(%rsp)
    mov %rdi, REGS_rdi(%rsp)
    mov %r8, REGS_r8(%rsp)
    mov %r9, (REGS_r8 + 8)(%rsp)
    mov %r10, (REGS_r8 + 16)(%rsp)
.endm

/* RSP: the guest's RIP, CS, RFLAGS, RSP, SS are pushed. RCX and R11 are gone: the frame shows what was there before. */
ENTRY(syscall_entry)
    save_syscall_regs SYSCALL_VECTOR
    cmpb $0, VCPU_kernel_mode(%rbx)
    je syscall_from_user
hypercall_entry:
    cmp $NR_HYPERCALLS, %eax
    jae bad_hypercall
    and $(NR_HYPERCALLS - 1), %eax /* also while the branch is only guessed */
    incl VCPU_hcall_count(%rbx, %rax, 4)
    lea hypercall_table(%rip), %r11
    mov %r10, %rcx
    call *(%r11, %rax, 8)
hypercall_exit:
    cmpl $0, VCPU_work(%rbx)
    jne 5f
    mov VCPU_info(%rbx), %rcx
    cmpb $0, INFO_pending(%rcx)
    jne 2f
1:  mov REGS_rip(%rsp), %rcx
    mov %rcx, %r11
    sar $47, %r11
    inc %r11
    jnz 3f /* not in the upper half */
4:  mov REGS_rflags(%rsp), %r11
    mov REGS_rdx(%rsp), %rdx
    mov REGS_rbx(%rsp), %rbx
    mov REGS_rsi(%rsp), %rsi
    mov REGS_rdi(%rsp), %rdi
    mov REGS_r8(%rsp), %r8
    mov (REGS_r8 + 8)(%rsp), %r9
    mov (REGS_r8 + 16)(%rsp), %r10
    mov REGS_rsp(%rsp), %rsp
    exit_by sysretq, guarded_sysretq
2:  cmpb $0, INFO_mask(%rcx)
    jne 1b
    jmp upcall_after_hypercall
5:  mov %rax, REGS_rax(%rsp)
    mov REGS_rip(%rsp), %rcx
    mov %rcx, REGS_rcx(%rsp)
    mov REGS_rflags(%rsp), %r11
    mov %r11, REGS_r11(%rsp)
    save_preserved
    jmp exit_slow
3:  dec %r11
    jz 4b /* the lower half */
    jmp 5b
END(syscall_entry)

/* The same for a domain whose hypercalls are recorded: all but iret, which does not come back. */
ENTRY(syscall_traced)
    save_syscall_regs SYSCALL_VECTOR
    cmpb $0, VCPU_kernel_mode(%rbx)
    je syscall_from_user
    cmp $HYPERCALL_iret, %eax
    je hypercall_entry
    cmp $NR_HYPERCALLS, %eax
    jae bad_hypercall
    and $(NR_HYPERCALLS - 1), %eax
    incl VCPU_hcall_count(%rbx, %rax, 4)
    mov %rbp, REGS_rbp(%rsp)
    mov %r10, %rcx
    mov %rax, %r9
    call trace_hypercall
    jmp hypercall_exit
END(syscall_traced)

bad_hypercall:
    mov %rsp, %rdi
    call hypercall_unknown
    jmp hypercall_exit

ENTRY(syscall32_entry)
    save_syscall_regs SYSCALL32_VECTOR
    mov %rcx, REGS_rcx(%rsp)
    mov %r11, REGS_r11(%rsp)
    save_preserved
    mov %rsp, %rdi
    mov %rbx, %rsi
    call guest_syscall32
    jmp exit_to_guest
END(syscall32_entry)

/* ---- The way out, registers whole. RSP: struct guest_regs; RBX: current. ---- */

ENTRY(exit_to_guest)
    cmpl $0, VCPU_work(%rbx)
    jne exit_slow
    mov VCPU_info(%rbx), %rcx
    cmpb $0, INFO_pending(%rcx)
    jne 2f
1:  pop_gprs
    .globl exit_iretq
exit_iretq:
    exit_by iretq, guarded_exit
2:  cmpb $0, INFO_mask(%rcx)
    jne 1b
    .globl exit_slow
exit_slow:
    mov %rsp, %rdi
    mov %rbx, %rsi
    call exit_work
    jmp 1b
END(exit_to_guest)

/* With a selector in memory, VERW also empties the buffers that a guest could read from by speculation. */
    .globl guarded_sysretq, guarded_exit, guarded_iretq
guarded_sysretq:
    verw guard_selector(%rip)
    sysretq
guarded_exit:
    verw guard_selector(%rip)
guarded_iretq:
    iretq
guard_selector:
    .word HV_DS

/* A new vCPU's stack begins here, its registers filled in. */
ENTRY(vcpu_first_run)
    load_current
    jmp exit_to_guest
END(vcpu_first_run)

/* noreturn void run_on_stack(uint64_t stack_top, void (*fn)(void)) */
ENTRY(run_on_stack)
    mov %rdi, %rsp
    xor %ebp, %ebp
    call *%rsi
    ud2
END(run_on_stack)

/* void switch_stack(struct vcpu *prev, struct vcpu *next) */
ENTRY(switch_stack)
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, VCPU_saved_rsp(%rdi)
    mov VCPU_saved_rsp(%rsi), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
END(switch_stack)

/* ---- Exceptions and interrupts. ---- */

/* RSP: error code and vector, RIP, CS, RFLAGS, RSP, SS. */
trap_common:
    push_gprs
    .globl trap_saved
trap_saved:
    cld
    testb $3, REGS_cs(%rsp)
    jz trap_from_hv
    load_current
trap_from_guest:
    mov %rsp, %rdi
    mov %rbx, %rsi
    mov REGS_vector(%rsp), %eax
    cmp $32, %eax
    jae 1f
    lea trap_table(%rip), %rdx
    call *(%rdx, %rax, 8)
    jmp exit_to_guest
1:  call guest_interrupt
    jmp exit_to_guest

trap_from_hv:
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call hv_trap
    test %rax, %rax
    jnz 2f
    mov %rbp, %rsp
    pop_gprs
    iretq
2:  /* IRET to the guest had faulted: go on with the guest's registers, which were put back in their place. */
    mov %rax, %rsp
    load_current
    jmp exit_to_guest

/* Exceptions that come on a stack of their own. From a guest they move to the vCPU's stack and go the common way. */
trap_ist:
    push_gprs
    cld
    testb $3, REGS_cs(%rsp)
    jz trap_from_hv
    load_current
    mov %rsp, %rsi
    mov VCPU_stack_top(%rbx), %rdi
    sub $REGS_SIZE, %rdi
    mov %rdi, %rsp
    mov $(REGS_SIZE / 8), %ecx
    rep movsq
    jmp trap_from_guest

/* 16 bytes each, so that the descriptor tables can be made by multiplying. */
.macro stub vector
    .balign 16
    .if \vector == 14
    .elseif (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
    movl $\vector, 4(%rsp)
    .else
    push $0
    movl $\vector, 4(%rsp)
    .endif
    .if (\vector == 1) || (\vector == 2) || (\vector == 8) || (\vector == 18)
    jmp trap_ist
    .elseif \vector == 14
    jmp page_fault_entry
    .else
    jmp trap_common
    .endif
.endm

    .globl trap_stubs
    .balign 16
trap_stubs:
    .set vector, 0
    .rept 256
    stub vector
    .set vector, vector + 1
    .endr

    .section .note.GNU-stack, "", @progbits
