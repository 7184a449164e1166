/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_vcpu_op(cmd, vcpu, arg): bringing virtual CPUs up and down, their areas and timers. */
#ifndef PVABI_VCPU_H
#define PVABI_VCPU_H

#include <pvabi/base.h>

#define VCPUOP_initialise                     0 /* struct vcpu_guest_context */
#define VCPUOP_up                             1
#define VCPUOP_down                           2
#define VCPUOP_is_up                          3 /* returns 1 or 0 */
#define VCPUOP_get_runstate_info              4
#define VCPUOP_register_runstate_memory_area  5
#define VCPUOP_set_periodic_timer             6
#define VCPUOP_stop_periodic_timer            7
#define VCPUOP_set_singleshot_timer           8
#define VCPUOP_stop_singleshot_timer          9
#define VCPUOP_register_vcpu_info             10
#define VCPUOP_send_nmi                       11
#define VCPUOP_get_physid                     12
#define VCPUOP_register_vcpu_time_memory_area 13

#define RUNSTATE_running  0
#define RUNSTATE_runnable 1 /* would run if it had a CPU */
#define RUNSTATE_blocked  2 /* waits for an event */
#define RUNSTATE_offline  3 /* down or paused */

/* In state_entry_time while the area is being written, if the guest asked for that by vm_assist. */
#define XEN_RUNSTATE_UPDATE (1ull << 63)

/* Times in ns. */
struct vcpu_runstate_info {
    int32_t state; /* RUNSTATE_* */
    uint64_t state_entry_time;
    uint64_t time[4]; /* spent in each state */
};
PVABI_SIZE(struct vcpu_runstate_info, 48);
PVABI_AT(struct vcpu_runstate_info, state_entry_time, 8);
PVABI_AT(struct vcpu_runstate_info, time, 16);

struct vcpu_register_runstate_memory_area {
    union {
        xen_guest_ptr_t h; /* of struct vcpu_runstate_info */
        uint64_t p;
    } addr;
};
PVABI_SIZE(struct vcpu_register_runstate_memory_area, 8);

struct vcpu_set_periodic_timer {
    uint64_t period_ns;
};
PVABI_SIZE(struct vcpu_set_periodic_timer, 8);

#define VCPU_SSHOTTMR_future (1u << 0) /* -ETIME if already past */

struct vcpu_set_singleshot_timer {
    uint64_t timeout_abs_ns; /* system time */
    uint32_t flags;
};
PVABI_SIZE(struct vcpu_set_singleshot_timer, 16);
PVABI_AT(struct vcpu_set_singleshot_timer, flags, 8);

/* Moves vcpu_info out of shared_info. */
struct vcpu_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset; /* in the page */
    uint32_t rsvd;
};
PVABI_SIZE(struct vcpu_register_vcpu_info, 16);
PVABI_AT(struct vcpu_register_vcpu_info, offset, 8);

struct vcpu_get_physid {
    uint64_t phys_id; /* APIC id, ACPI id << 32 */
};
PVABI_SIZE(struct vcpu_get_physid, 8);
#define xen_vcpu_physid_to_x86_apicid(physid) ((uint32_t)(physid))
#define xen_vcpu_physid_to_x86_acpiid(physid) ((uint32_t)((physid) >> 32))

struct vcpu_register_time_memory_area {
    union {
        xen_guest_ptr_t h; /* of struct vcpu_time_info */
        uint64_t p;
    } addr;
};
PVABI_SIZE(struct vcpu_register_time_memory_area, 8);

#endif
