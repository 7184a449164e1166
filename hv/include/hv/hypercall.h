/* SPDX-License-Identifier: MIT */
/* Every hypercall's handler; hypercall.c holds the table. All run on the calling vCPU's stack with interrupts off. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>

/* The arguments are the guest's RDI, RSI, RDX, R10, R8 as far as the call has them; the result goes to RAX. */
typedef long hypercall_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

long do_event_channel_op(uint64_t cmd, uint64_t arg);
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
long do_console_io(uint64_t cmd, uint64_t count, uint64_t buf);

/* Name of the hypercall that the vCPU is in, for sentences. */
const char *hypercall_name(unsigned nr);

#endif
