/* SPDX-License-Identifier: MIT */
/* Structure offsets for the .S files: compiled to assembly, from which the build takes the lines that begin with "->". */
#include <hv/cpu.h>
#include <pvabi/xen.h>

void asm_offsets(void);

#define DEFINE(name, value)        __asm__ volatile("\n->" #name " %c0" ::"i"(value))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

void asm_offsets(void)
{
    OFFSET(PERCPU_scratch_rsp, struct percpu, scratch_rsp);
    OFFSET(PERCPU_stack_top, struct percpu, stack_top);
    OFFSET(PERCPU_syscall_target, struct percpu, syscall_target);
    OFFSET(PERCPU_running, struct percpu, running);
    OFFSET(VCPU_info, struct vcpu, info);
    OFFSET(VCPU_work, struct vcpu, work);
    OFFSET(VCPU_kernel_mode, struct vcpu, kernel_mode);
    OFFSET(VCPU_nmi_masked, struct vcpu, nmi_masked);
    OFFSET(VCPU_kernel_sp, struct vcpu, kernel_sp);
    OFFSET(VCPU_kernel_cr3, struct vcpu, kernel_cr3);
    OFFSET(VCPU_user_cr3, struct vcpu, user_cr3);
    OFFSET(VCPU_syscall_entry, struct vcpu, syscall_entry);
    OFFSET(VCPU_syscall_masks, struct vcpu, syscall_masks);
    OFFSET(VCPU_event_entry, struct vcpu, event_entry);
    OFFSET(VCPU_pf_flags, struct vcpu, trap[14].flags);
    OFFSET(VCPU_pf_address, struct vcpu, trap[14].address);
    OFFSET(VCPU_stack_top, struct vcpu, stack_top);
    OFFSET(VCPU_saved_rsp, struct vcpu, saved_rsp);
    OFFSET(VCPU_hcall_count, struct vcpu, hcall_count);
    OFFSET(INFO_pending, struct vcpu_info, evtchn_upcall_pending);
    OFFSET(INFO_cr2, struct vcpu_info, arch.cr2);
    OFFSET(INFO_mask, struct vcpu_info, evtchn_upcall_mask);
    OFFSET(REGS_rax, struct guest_regs, rax);
    OFFSET(REGS_rcx, struct guest_regs, rcx);
    OFFSET(REGS_rdx, struct guest_regs, rdx);
    OFFSET(REGS_rbx, struct guest_regs, rbx);
    OFFSET(REGS_rbp, struct guest_regs, rbp);
    OFFSET(REGS_rsi, struct guest_regs, rsi);
    OFFSET(REGS_rdi, struct guest_regs, rdi);
    OFFSET(REGS_r8, struct guest_regs, r8);
    OFFSET(REGS_r11, struct guest_regs, r11);
    OFFSET(REGS_r12, struct guest_regs, r12);
    OFFSET(REGS_error, struct guest_regs, error_code);
    OFFSET(REGS_vector, struct guest_regs, vector);
    OFFSET(REGS_rip, struct guest_regs, rip);
    OFFSET(REGS_cs, struct guest_regs, cs);
    OFFSET(REGS_rflags, struct guest_regs, rflags);
    OFFSET(REGS_ss, struct guest_regs, ss);
    OFFSET(REGS_rsp, struct guest_regs, rsp);
    DEFINE(REGS_SIZE, sizeof(struct guest_regs));
    DEFINE(HYPERCALL_iret, __HYPERVISOR_iret);
    DEFINE(NR_HYPERCALLS, ARRAY_SIZE(((struct vcpu *)0)->hcall_count));
}
