/* SPDX-License-Identifier: MIT */
/* What is particular to x86-64: address space, segments, trap table, a virtual CPU's registers. */
#ifndef PVABI_ARCH_H
#define PVABI_ARCH_H

#include <pvabi/base.h>

/* The hypervisor's hole in every address space, and the M2P's reserve in it. */
#define HYPERVISOR_VIRT_START 0xffff800000000000
#define HYPERVISOR_VIRT_END   0xffff880000000000
#define MACH2PHYS_VIRT_START  0xffff800000000000
#define MACH2PHYS_VIRT_END    0xffff804000000000
#define MACH2PHYS_NR_ENTRIES  ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)

/* The GDT's last pages belong to the hypervisor. */
#define FIRST_RESERVED_GDT_PAGE  14
#define FIRST_RESERVED_GDT_BYTE  (FIRST_RESERVED_GDT_PAGE * 4096)
#define FIRST_RESERVED_GDT_ENTRY (FIRST_RESERVED_GDT_BYTE / 8)

/* Flat segments there. In 64-bit mode guest kernel and guest user both run in ring 3. */
#define FLAT_RING3_CS32  0xe023
#define FLAT_RING3_DS32  0xe02b
#define FLAT_RING3_SS32  0xe02b
#define FLAT_RING3_CS64  0xe033
#define FLAT_RING3_DS64  0x0000
#define FLAT_RING3_SS64  0xe02b
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_CS   FLAT_KERNEL_CS64
#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_DS   FLAT_KERNEL_DS64
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_SS   FLAT_KERNEL_SS64
#define FLAT_USER_CS64   FLAT_RING3_CS64
#define FLAT_USER_CS32   FLAT_RING3_CS32
#define FLAT_USER_CS     FLAT_USER_CS64
#define FLAT_USER_DS64   FLAT_RING3_DS64
#define FLAT_USER_DS32   FLAT_RING3_DS32
#define FLAT_USER_DS     FLAT_USER_DS64
#define FLAT_USER_SS64   FLAT_RING3_SS64
#define FLAT_USER_SS32   FLAT_RING3_SS32
#define FLAT_USER_SS     FLAT_USER_SS64

/* HYPERVISOR_set_segment_base(which, base) */
#define SEGBASE_FS          0
#define SEGBASE_GS_USER     1
#define SEGBASE_GS_KERNEL   2
#define SEGBASE_GS_USER_SEL 3 /* base is a selector: load the user GS from it */

/* vcpu_guest_context.flags */
#define VGCF_i387_valid               (1 << 0)
#define VGCF_in_kernel                (1 << 2)
#define VGCF_failsafe_disables_events (1 << 3)
#define VGCF_syscall_disables_events  (1 << 4)
#define VGCF_online                   (1 << 5)
/* iret_context.flags: return as SYSRET does, RCX and R11 are not restored. */
#define VGCF_in_syscall (1 << 8)

/* Virtual CPUs whose vcpu_info lies in shared_info. */
#define XEN_LEGACY_MAX_VCPUS 32

#ifndef __ASSEMBLER__

/* Frame of the HYPERVISOR_iret call, at the caller's stack pointer. */
struct iret_context {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};
PVABI_SIZE(struct iret_context, 72);
PVABI_AT(struct iret_context, rip, 32);

/* HYPERVISOR_set_trap_table takes an array of these; address 0 ends it. */
struct trap_info {
    uint8_t vector;
    uint8_t flags; /* bits 0-1: who may raise it by INT n; bit 2: entry masks events */
    uint16_t cs;
    uint64_t address;
};
PVABI_SIZE(struct trap_info, 16);
PVABI_AT(struct trap_info, cs, 2);
PVABI_AT(struct trap_info, address, 8);

struct cpu_user_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint32_t error_code;   /* meaningless to guests */
    uint32_t entry_vector; /* likewise */
    uint64_t rip;
    uint16_t cs, _pad0[1];
    uint8_t saved_upcall_mask;
    uint8_t _pad1[3];
    uint64_t rflags; /* IF is the inverse of saved_upcall_mask */
    uint64_t rsp;
    uint16_t ss, _pad2[3];
    uint16_t es, _pad3[3];
    uint16_t ds, _pad4[3];
    uint16_t fs, _pad5[3];
    uint16_t gs, _pad6[3];
};
PVABI_SIZE(struct cpu_user_regs, 200);
PVABI_AT(struct cpu_user_regs, rax, 80);
PVABI_AT(struct cpu_user_regs, rip, 128);
PVABI_AT(struct cpu_user_regs, saved_upcall_mask, 140);
PVABI_AT(struct cpu_user_regs, rflags, 144);
PVABI_AT(struct cpu_user_regs, gs, 192);

/* A virtual CPU's state as given to VCPUOP_initialise. */
struct vcpu_guest_context {
    struct {
        char x[512];
    } fpu_ctxt;     /* FXSAVE image */
    uint64_t flags; /* VGCF_* */
    struct cpu_user_regs user_regs;
    struct trap_info trap_ctxt[256];
    uint64_t ldt_base, ldt_ents;
    uint64_t gdt_frames[16], gdt_ents;
    uint64_t kernel_ss, kernel_sp;
    uint64_t ctrlreg[8]; /* as CR0 to CR7, but [1] is CR3 of user mode */
    uint64_t debugreg[8];
    uint64_t event_callback_eip;
    uint64_t failsafe_callback_eip;
    uint64_t syscall_callback_eip;
    uint64_t vm_assist; /* bits VMASST_TYPE_* */
    uint64_t fs_base;
    uint64_t gs_base_kernel;
    uint64_t gs_base_user;
};
PVABI_SIZE(struct vcpu_guest_context, 5168);
PVABI_AT(struct vcpu_guest_context, user_regs, 520);
PVABI_AT(struct vcpu_guest_context, trap_ctxt, 720);
PVABI_AT(struct vcpu_guest_context, gdt_frames, 4832);
PVABI_AT(struct vcpu_guest_context, ctrlreg, 4984);
PVABI_AT(struct vcpu_guest_context, event_callback_eip, 5112);
PVABI_AT(struct vcpu_guest_context, gs_base_user, 5160);

/* CR3 form of a frame number. */
#define xen_pfn_to_cr3(pfn) ((uint64_t)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((uint64_t)(cr3) >> 12)

struct arch_vcpu_info {
    uint64_t cr2; /* address of the last page fault */
    uint64_t pad;
};
PVABI_SIZE(struct arch_vcpu_info, 16);

/* Written by the guest for tools (save, crash dump), but for nmi_reason. */
struct arch_shared_info {
    uint64_t max_pfn;                     /* entries of the guest's P2M */
    xen_pfn_t pfn_to_mfn_frame_list_list; /* three-level list of P2M frames; ~0: not kept */
    uint64_t nmi_reason;                  /* bits XEN_NMIREASON_* */
    uint64_t p2m_cr3;                     /* address space of p2m_vaddr, CR3 form; 0: no flat P2M */
    uint64_t p2m_vaddr;
    uint64_t p2m_generation; /* odd while the guest changes the P2M's mapping */
};
PVABI_SIZE(struct arch_shared_info, 48);
PVABI_AT(struct arch_shared_info, nmi_reason, 16);

#endif
#endif
