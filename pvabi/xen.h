/* SPDX-License-Identifier: MIT */
/* Numbers of the hypercalls, and those calls that have no header of their own. */
#ifndef PVABI_XEN_H
#define PVABI_XEN_H

#include <pvabi/base.h>

#define __HYPERVISOR_set_trap_table                0
#define __HYPERVISOR_mmu_update                    1
#define __HYPERVISOR_set_gdt                       2
#define __HYPERVISOR_stack_switch                  3
#define __HYPERVISOR_set_callbacks                 4
#define __HYPERVISOR_fpu_taskswitch                5
#define __HYPERVISOR_sched_op_compat               6
#define __HYPERVISOR_platform_op                   7
#define __HYPERVISOR_set_debugreg                  8
#define __HYPERVISOR_get_debugreg                  9
#define __HYPERVISOR_update_descriptor             10
#define __HYPERVISOR_memory_op                     12
#define __HYPERVISOR_multicall                     13
#define __HYPERVISOR_update_va_mapping             14
#define __HYPERVISOR_set_timer_op                  15
#define __HYPERVISOR_event_channel_op_compat       16
#define __HYPERVISOR_xen_version                   17
#define __HYPERVISOR_console_io                    18
#define __HYPERVISOR_physdev_op_compat             19
#define __HYPERVISOR_grant_table_op                20
#define __HYPERVISOR_vm_assist                     21
#define __HYPERVISOR_update_va_mapping_otherdomain 22
#define __HYPERVISOR_iret                          23
#define __HYPERVISOR_vcpu_op                       24
#define __HYPERVISOR_set_segment_base              25
#define __HYPERVISOR_mmuext_op                     26
#define __HYPERVISOR_xsm_op                        27
#define __HYPERVISOR_nmi_op                        28
#define __HYPERVISOR_sched_op                      29
#define __HYPERVISOR_callback_op                   30
#define __HYPERVISOR_xenoprof_op                   31
#define __HYPERVISOR_event_channel_op              32
#define __HYPERVISOR_physdev_op                    33
#define __HYPERVISOR_hvm_op                        34
#define __HYPERVISOR_sysctl                        35
#define __HYPERVISOR_domctl                        36
#define __HYPERVISOR_kexec_op                      37
#define __HYPERVISOR_tmem_op                       38
#define __HYPERVISOR_argo_op                       39
#define __HYPERVISOR_xenpmu_op                     40
#define __HYPERVISOR_dm_op                         41
#define __HYPERVISOR_hypfs_op                      42
#define __HYPERVISOR_arch_0                        48
#define __HYPERVISOR_mca                           __HYPERVISOR_arch_0
#define __HYPERVISOR_arch_1                        49
#define __HYPERVISOR_arch_2                        50
#define __HYPERVISOR_arch_3                        51
#define __HYPERVISOR_arch_4                        52
#define __HYPERVISOR_arch_5                        53
#define __HYPERVISOR_arch_6                        54
#define __HYPERVISOR_arch_7                        55

/* Virtual interrupts. (v): each virtual CPU has its own; (g): one for the domain. */
#define VIRQ_TIMER      0  /* v: a timer ran out */
#define VIRQ_DEBUG      1  /* v: asked to dump state */
#define VIRQ_CONSOLE    2  /* g: console input */
#define VIRQ_DOM_EXC    3  /* g: a domain shut down or died */
#define VIRQ_TBUF       4  /* g: trace records */
#define VIRQ_DEBUGGER   6  /* g: a domain stopped for its debugger */
#define VIRQ_XENOPROF   7  /* v: profile sample */
#define VIRQ_CON_RING   8  /* g: console output was logged */
#define VIRQ_PCPU_STATE 9  /* g: a physical CPU came or went */
#define VIRQ_MEM_EVENT  10 /* g */
#define VIRQ_ARGO       11 /* g */
#define VIRQ_ENOMEM     12 /* g: the heap runs low */
#define VIRQ_XENPMU     13 /* v: performance counter */
#define VIRQ_ARCH_0     16
#define VIRQ_MCA        VIRQ_ARCH_0 /* g: machine check */
#define VIRQ_ARCH_1     17
#define VIRQ_ARCH_2     18
#define VIRQ_ARCH_3     19
#define VIRQ_ARCH_4     20
#define VIRQ_ARCH_5     21
#define VIRQ_ARCH_6     22
#define VIRQ_ARCH_7     23
#define NR_VIRQS        24

/* mmu_update.ptr, low two bits */
#define MMU_NORMAL_PT_UPDATE       0
#define MMU_MACHPHYS_UPDATE        1 /* ptr names the frame whose M2P entry becomes val */
#define MMU_PT_UPDATE_PRESERVE_AD  2 /* Accessed and Dirty of the old entry stay set */
#define MMU_PT_UPDATE_NO_TRANSLATE 3

/* mmuext_op.cmd */
#define MMUEXT_PIN_L1_TABLE       0
#define MMUEXT_PIN_L2_TABLE       1
#define MMUEXT_PIN_L3_TABLE       2
#define MMUEXT_PIN_L4_TABLE       3
#define MMUEXT_UNPIN_TABLE        4
#define MMUEXT_NEW_BASEPTR        5
#define MMUEXT_TLB_FLUSH_LOCAL    6
#define MMUEXT_INVLPG_LOCAL       7
#define MMUEXT_TLB_FLUSH_MULTI    8
#define MMUEXT_INVLPG_MULTI       9
#define MMUEXT_TLB_FLUSH_ALL      10
#define MMUEXT_INVLPG_ALL         11
#define MMUEXT_FLUSH_CACHE        12
#define MMUEXT_SET_LDT            13
#define MMUEXT_NEW_USER_BASEPTR   15
#define MMUEXT_CLEAR_PAGE         16
#define MMUEXT_COPY_PAGE          17
#define MMUEXT_FLUSH_CACHE_GLOBAL 18
#define MMUEXT_MARK_SUPER         19
#define MMUEXT_UNMARK_SUPER       20

/* Flags of update_va_mapping. With UVMF_MULTI the other bits are the address of a bitmap of virtual
 * CPUs; 0 is the caller alone. */
#define UVMF_NONE           0
#define UVMF_TLB_FLUSH      1
#define UVMF_INVLPG         2
#define UVMF_FLUSHTYPE_MASK 3
#define UVMF_MULTI          0
#define UVMF_LOCAL          0
#define UVMF_ALL            4

#define CONSOLEIO_write 0
#define CONSOLEIO_read  1

/* HYPERVISOR_vm_assist(cmd, type) */
#define VMASST_CMD_enable               0
#define VMASST_CMD_disable              1
#define VMASST_TYPE_4gb_segments        0
#define VMASST_TYPE_4gb_segments_notify 1
#define VMASST_TYPE_writable_pagetables 2 /* stores to L1 tables trap and are emulated */
#define VMASST_TYPE_pae_extended_cr3    3
#define VMASST_TYPE_architectural_iopl  4 /* IOPL is set by iret and shown in frames */
#define VMASST_TYPE_runstate_update_flag                                                           \
    5                             /* XEN_RUNSTATE_UPDATE brackets writes of the runstate area */
#define VMASST_TYPE_m2p_strict 32 /* no M2P in user-mode address spaces */

#ifndef __ASSEMBLER__

#include <pvabi/arch.h>
#include <pvabi/errno.h>
#include <pvabi/shared.h>

struct mmu_update {
    uint64_t ptr; /* machine address of the entry, with MMU_* */
    uint64_t val;
};
PVABI_SIZE(struct mmu_update, 16);

struct mmuext_op {
    uint32_t cmd;
    union {
        xen_pfn_t mfn;        /* tables, and the page that CLEAR and COPY write */
        uint64_t linear_addr; /* INVLPG_*, SET_LDT */
    } arg1;
    union {
        uint32_t nr_ents;         /* SET_LDT */
        xen_guest_ptr_t vcpumask; /* *_MULTI: bitmap of virtual CPUs */
        xen_pfn_t src_mfn;        /* COPY_PAGE */
    } arg2;
};
PVABI_SIZE(struct mmuext_op, 24);
PVABI_AT(struct mmuext_op, arg1, 8);
PVABI_AT(struct mmuext_op, arg2, 16);

struct multicall_entry {
    xen_ulong_t op, result;
    xen_ulong_t args[6];
};
PVABI_SIZE(struct multicall_entry, 64);
PVABI_AT(struct multicall_entry, args, 16);

#endif
#endif
