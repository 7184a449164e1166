/* SPDX-License-Identifier: MIT */
/* Every hypercall's handler; x86/hypercall.c holds the table. All run on the calling vCPU's stack with interrupts off. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>

/* The arguments are the guest's RDI, RSI, RDX, R10, R8 as far as the call has them; the result goes to RAX. */
typedef long hypercall_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

long do_event_channel_op(uint64_t cmd, uint64_t arg);
long do_event_channel_op_compat(uint64_t arg);
long do_grant_table_op(uint64_t cmd, uint64_t arg, uint64_t count);
long do_physdev_op(uint64_t cmd, uint64_t arg);
long do_platform_op(uint64_t arg);
long do_vcpu_op(uint64_t cmd, uint64_t vcpu_id, uint64_t arg);
long do_sched_op(uint64_t cmd, uint64_t arg);
long do_set_timer_op(uint64_t deadline_ns);
long do_mmu_update(uint64_t reqs, uint64_t count, uint64_t done_ptr, uint64_t foreign);
long do_mmuext_op(uint64_t ops, uint64_t count, uint64_t done_ptr, uint64_t foreign);
long do_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags);
long do_update_va_mapping_otherdomain(uint64_t va, uint64_t pte, uint64_t flags, uint64_t domid);
long do_memory_op(uint64_t cmd, uint64_t arg);
long do_xen_version(uint64_t cmd, uint64_t arg);
long do_vm_assist(uint64_t cmd, uint64_t type);
long do_sched_op_compat(uint64_t cmd, uint64_t arg);
long do_physdev_op_compat(uint64_t arg);
long do_sysctl(uint64_t arg);
long do_domctl(uint64_t arg);
long do_paravane_op(uint64_t arg);
long do_multicall(uint64_t calls, uint64_t count);
/* x86/: */
long do_set_trap_table(uint64_t table);
long do_set_gdt(uint64_t frames, uint64_t entries);
long do_update_descriptor(uint64_t maddr, uint64_t desc);
long do_stack_switch(uint64_t ss, uint64_t sp);
long do_set_callbacks(uint64_t event, uint64_t failsafe, uint64_t syscall);
long do_callback_op(uint64_t cmd, uint64_t arg);
long do_fpu_taskswitch(uint64_t set);
long do_set_debugreg(uint64_t reg, uint64_t value);
long do_get_debugreg(uint64_t reg);
long do_set_segment_base(uint64_t which, uint64_t base);
long do_nmi_op(uint64_t cmd, uint64_t arg);
long do_console_io(uint64_t cmd, uint64_t count, uint64_t buf);

/* By number, without a gap; entry.S jumps through it. */
extern hypercall_fn *const hypercall_table[];

/* Name of the hypercall that the vCPU is in, for sentences. */
const char *hypercall_name(unsigned nr);

/* Calls row nr of the table with the arguments (x86/hypercall.c); for multicall. Rows that change the ground under their
 * caller (iret, multicall itself) answer -XEN_ENOSYS there. */
long hypercall_dispatch(uint64_t nr, const uint64_t args[6]);

#endif
