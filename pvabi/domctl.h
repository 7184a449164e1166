/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_domctl(arg): making, watching, steering and ending other domains. Only what exists
 * here. */
#ifndef PVABI_DOMCTL_H
#define PVABI_DOMCTL_H

#include <pvabi/base.h>

#define XEN_DOMCTL_INTERFACE_VERSION 0x00000015

#define XEN_DOMCTL_createdomain      1
#define XEN_DOMCTL_destroydomain     2
#define XEN_DOMCTL_pausedomain       3
#define XEN_DOMCTL_unpausedomain     4
#define XEN_DOMCTL_getdomaininfo     5
#define XEN_DOMCTL_setvcpuaffinity   9
#define XEN_DOMCTL_shadow_op         10
#define XEN_DOMCTL_max_mem           11
#define XEN_DOMCTL_setvcpucontext    12
#define XEN_DOMCTL_getvcpucontext    13
#define XEN_DOMCTL_getvcpuinfo       14
#define XEN_DOMCTL_max_vcpus         15
#define XEN_DOMCTL_scheduler_op      16
#define XEN_DOMCTL_setdomainhandle   17
#define XEN_DOMCTL_irq_permission    19
#define XEN_DOMCTL_iomem_permission  20
#define XEN_DOMCTL_ioport_permission 21
#define XEN_DOMCTL_hypercall_init    22
#define XEN_DOMCTL_settimeoffset     24
#define XEN_DOMCTL_getvcpuaffinity   25
#define XEN_DOMCTL_resumedomain      27
#define XEN_DOMCTL_sendtrigger       28
#define XEN_DOMCTL_set_address_size  35
#define XEN_DOMCTL_get_address_size  36
#define XEN_DOMCTL_assign_device     37
#define XEN_DOMCTL_gettscinfo        59
#define XEN_DOMCTL_settscinfo        60
#define XEN_DOMCTL_getpageframeinfo3 61
#define XEN_DOMCTL_setnodeaffinity   68
#define XEN_DOMCTL_getnodeaffinity   69
#define XEN_DOMCTL_get_cpu_policy    82
#define XEN_DOMCTL_set_cpu_policy    83

/* A bitmap of processors or memory nodes, bit 0 of byte 0 first. */
struct xenctl_bitmap {
    xen_guest_ptr_t bitmap;
    uint32_t nr_bits;
};
PVABI_SIZE(struct xenctl_bitmap, 16);

#define XEN_DOMCTL_CDF_xs_domain      (1U << 4) /* the store runs in it */
#define XEN_DOMCTL_GRANT_version_mask 0xf
#define XEN_DOMCTL_GRANT_version(v)   ((v)&XEN_DOMCTL_GRANT_version_mask)

struct xen_arch_domainconfig {
    uint32_t emulation_flags; /* devices emulated for the guest; a PV guest has none */
    uint32_t misc_flags;
};
PVABI_SIZE(struct xen_arch_domainconfig, 8);

/* xen_domctl.domain: the wanted number; 0: the hypervisor chooses and tells it there. */
struct xen_domctl_createdomain {
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t flags; /* XEN_DOMCTL_CDF_* */
    uint32_t iommu_opts;
    uint32_t max_vcpus;
    uint32_t max_evtchn_port; /* highest port */
    int32_t max_grant_frames; /* negative: the hypervisor's default */
    int32_t max_maptrack_frames;
    uint32_t grant_opts; /* highest version */
    uint32_t vmtrace_size;
    uint32_t cpupool_id;
    struct xen_arch_domainconfig arch;
};
PVABI_SIZE(struct xen_domctl_createdomain, 64);
PVABI_AT(struct xen_domctl_createdomain, flags, 20);

#define XEN_DOMINF_dying         (1U << 0)
#define XEN_DOMINF_shutdown      (1U << 2)
#define XEN_DOMINF_paused        (1U << 3)
#define XEN_DOMINF_blocked       (1U << 4)
#define XEN_DOMINF_running       (1U << 5)
#define XEN_DOMINF_xs_domain     (1U << 7)
#define XEN_DOMINF_shutdownmask  255 /* code of the shutdown */
#define XEN_DOMINF_shutdownshift 16

struct xen_domctl_getdomaininfo {
    domid_t domain;
    uint16_t pad1;
    uint32_t flags; /* XEN_DOMINF_* */
    uint64_t tot_pages, max_pages;
    uint64_t outstanding_pages, shr_pages, paged_pages;
    uint64_t shared_info_frame;
    uint64_t cpu_time; /* ns */
    uint32_t nr_online_vcpus;
    uint32_t max_vcpu_id;
    uint32_t ssidref;
    xen_domain_handle_t handle;
    uint32_t cpupool;
    uint8_t gpaddr_bits;
    uint8_t pad2[7];
    struct xen_arch_domainconfig arch_config;
};
PVABI_SIZE(struct xen_domctl_getdomaininfo, 112);
PVABI_AT(struct xen_domctl_getdomaininfo, cpu_time, 56);

#define XEN_DOMCTL_PFINFO_LTAB_SHIFT 28
#define XEN_DOMCTL_PFINFO_LPINTAB    (0x1U << 31) /* pinned */
#define XEN_DOMCTL_PFINFO_XTAB       (0xfU << 28) /* not the domain's */

/* For each frame number in the array its type: level of page table above LTAB_SHIFT, LPINTAB. */
struct xen_domctl_getpageframeinfo3 {
    uint64_t num;
    xen_guest_ptr_t array; /* of xen_pfn_t */
};
PVABI_SIZE(struct xen_domctl_getpageframeinfo3, 16);

struct xen_domctl_nodeaffinity {
    struct xenctl_bitmap nodemap;
};
PVABI_SIZE(struct xen_domctl_nodeaffinity, 16);

#define XEN_VCPUAFFINITY_HARD (1U << 0)
#define XEN_VCPUAFFINITY_SOFT (1U << 1)

struct xen_domctl_vcpuaffinity {
    uint32_t vcpu;
    uint32_t flags; /* XEN_VCPUAFFINITY_*: which of the maps */
    struct xenctl_bitmap cpumap_hard, cpumap_soft;
};
PVABI_SIZE(struct xen_domctl_vcpuaffinity, 40);

struct xen_domctl_max_mem {
    uint64_t max_memkb;
};
PVABI_SIZE(struct xen_domctl_max_mem, 8);

struct xen_domctl_vcpucontext {
    uint32_t vcpu;
    xen_guest_ptr_t ctxt; /* of struct vcpu_guest_context */
};
PVABI_SIZE(struct xen_domctl_vcpucontext, 16);

struct xen_domctl_getvcpuinfo {
    uint32_t vcpu;
    uint8_t online, blocked, running;
    uint64_t cpu_time; /* ns */
    uint32_t cpu;
};
PVABI_SIZE(struct xen_domctl_getvcpuinfo, 24);

struct xen_domctl_max_vcpus {
    uint32_t max; /* as given to createdomain */
};
PVABI_SIZE(struct xen_domctl_max_vcpus, 4);

#define XEN_SCHEDULER_CREDIT       5
#define XEN_DOMCTL_SCHEDOP_putinfo 0
#define XEN_DOMCTL_SCHEDOP_getinfo 1

struct xen_domctl_sched_credit {
    uint16_t weight; /* share of a CPU against others that want it */
    uint16_t cap;    /* most, in per cent of one CPU; 0: none. putinfo: ~0 leaves it as it is */
};
PVABI_SIZE(struct xen_domctl_sched_credit, 4);

struct xen_domctl_scheduler_op {
    uint32_t sched_id; /* XEN_SCHEDULER_* */
    uint32_t cmd;      /* XEN_DOMCTL_SCHEDOP_* */
    union {
        struct xen_domctl_sched_credit credit;
        struct {
            xen_guest_ptr_t vcpus; /* of schedulers that steer single virtual CPUs */
            uint32_t nr_vcpus;
            uint32_t padding;
        } v;
    } u;
};
PVABI_SIZE(struct xen_domctl_scheduler_op, 24);

struct xen_domctl_setdomainhandle {
    xen_domain_handle_t handle;
};
PVABI_SIZE(struct xen_domctl_setdomainhandle, 16);

struct xen_domctl_irq_permission {
    uint32_t pirq;
    uint8_t allow_access;
    uint8_t pad[3];
};
PVABI_SIZE(struct xen_domctl_irq_permission, 8);

struct xen_domctl_iomem_permission {
    uint64_t first_mfn, nr_mfns;
    uint8_t allow_access;
};
PVABI_SIZE(struct xen_domctl_iomem_permission, 24);

struct xen_domctl_ioport_permission {
    uint32_t first_port, nr_ports;
    uint8_t allow_access;
};
PVABI_SIZE(struct xen_domctl_ioport_permission, 12);

struct xen_domctl_hypercall_init {
    uint64_t gmfn; /* the page to fill */
};
PVABI_SIZE(struct xen_domctl_hypercall_init, 8);

struct xen_domctl_settimeoffset {
    int64_t time_offset_seconds; /* of the domain's wall clock from UTC */
};
PVABI_SIZE(struct xen_domctl_settimeoffset, 8);

struct xen_domctl_address_size {
    uint32_t size; /* bits */
};
PVABI_SIZE(struct xen_domctl_address_size, 4);

#define XEN_DOMCTL_SENDTRIGGER_NMI 0

struct xen_domctl_sendtrigger {
    uint32_t trigger; /* XEN_DOMCTL_SENDTRIGGER_* */
    uint32_t vcpu;
};
PVABI_SIZE(struct xen_domctl_sendtrigger, 8);

struct xen_domctl_tsc_info {
    uint32_t tsc_mode; /* 0: as the hypervisor likes, 1: always emulated, 2: never */
    uint32_t gtsc_khz;
    uint32_t incarnation; /* number of restorations */
    uint32_t pad;
    uint64_t elapsed_nsec;
};
PVABI_SIZE(struct xen_domctl_tsc_info, 24);

#define XEN_CPUID_NO_SUBLEAF 0xffffffffu

struct xen_cpuid_leaf {
    uint32_t leaf, subleaf;
    uint32_t a, b, c, d;
};
PVABI_SIZE(struct xen_cpuid_leaf, 24);

struct xen_domctl_cpu_policy {
    uint32_t nr_leaves; /* in: room; out: written */
    uint32_t nr_msrs;
    xen_guest_ptr_t leaves; /* of struct xen_cpuid_leaf */
    xen_guest_ptr_t msrs;
    uint32_t err_leaf, err_subleaf, err_msr; /* out: what is wrong */
};
PVABI_SIZE(struct xen_domctl_cpu_policy, 40);

struct xen_domctl {
    uint32_t cmd;
    uint32_t interface_version;
    domid_t domain;
    uint16_t _pad[3];
    union {
        struct xen_domctl_createdomain createdomain;
        struct xen_domctl_getdomaininfo getdomaininfo;
        struct xen_domctl_getpageframeinfo3 getpageframeinfo3;
        struct xen_domctl_nodeaffinity nodeaffinity;
        struct xen_domctl_vcpuaffinity vcpuaffinity;
        struct xen_domctl_max_mem max_mem;
        struct xen_domctl_vcpucontext vcpucontext;
        struct xen_domctl_getvcpuinfo getvcpuinfo;
        struct xen_domctl_max_vcpus max_vcpus;
        struct xen_domctl_scheduler_op scheduler_op;
        struct xen_domctl_setdomainhandle setdomainhandle;
        struct xen_domctl_irq_permission irq_permission;
        struct xen_domctl_iomem_permission iomem_permission;
        struct xen_domctl_ioport_permission ioport_permission;
        struct xen_domctl_hypercall_init hypercall_init;
        struct xen_domctl_settimeoffset settimeoffset;
        struct xen_domctl_address_size address_size;
        struct xen_domctl_sendtrigger sendtrigger;
        struct xen_domctl_tsc_info tsc_info;
        struct xen_domctl_cpu_policy cpu_policy;
        uint8_t pad[128];
    } u;
};
PVABI_SIZE(struct xen_domctl, 144);
PVABI_AT(struct xen_domctl, u.createdomain, 16);

#endif
