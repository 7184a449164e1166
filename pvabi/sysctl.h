/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sysctl(arg): the machine as a whole, for the control domain's tools. Only what exists
 * here. */
#ifndef PVABI_SYSCTL_H
#define PVABI_SYSCTL_H

#include <pvabi/base.h>
#include <pvabi/domctl.h>

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

#define XEN_SYSCTL_readconsole        1
#define XEN_SYSCTL_physinfo           3
#define XEN_SYSCTL_sched_id           4
#define XEN_SYSCTL_getdomaininfolist  6
#define XEN_SYSCTL_debug_keys         7
#define XEN_SYSCTL_getcpuinfo         8
#define XEN_SYSCTL_availheap          9
#define XEN_SYSCTL_cputopoinfo        16
#define XEN_SYSCTL_numainfo           17
#define XEN_SYSCTL_cpupool_op         18
#define XEN_SYSCTL_scheduler_op       19
#define XEN_SYSCTL_get_cpu_featureset 26
#define XEN_SYSCTL_get_cpu_policy     29

/* The hypervisor's log. */
struct xen_sysctl_readconsole {
    uint8_t clear;       /* what is read is gone */
    uint8_t incremental; /* begin at `index` */
    uint8_t pad0, pad1;
    uint32_t index; /* out: where the next read goes on */
    xen_guest_ptr_t buffer;
    uint32_t count; /* in: room; out: bytes */
};
PVABI_SIZE(struct xen_sysctl_readconsole, 24);

#define XEN_SYSCTL_PHYSCAP_pv        (1u << 1)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1 (1u << 8)

struct xen_sysctl_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;    /* online */
    uint32_t max_cpu_id; /* highest possible */
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    uint32_t capabilities; /* XEN_SYSCTL_PHYSCAP_* */
    uint32_t arch_capabilities;
    uint32_t pad;
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t scrub_pages;       /* of the free ones, not yet cleared */
    uint64_t outstanding_pages; /* promised to domains, not yet given */
    uint64_t max_mfn;
    uint32_t hw_cap[8]; /* CPUID feature words */
};
PVABI_SIZE(struct xen_sysctl_physinfo, 112);
PVABI_AT(struct xen_sysctl_physinfo, free_pages, 48);

struct xen_sysctl_sched_id {
    uint32_t sched_id; /* XEN_SCHEDULER_* */
};
PVABI_SIZE(struct xen_sysctl_sched_id, 4);

struct xen_sysctl_getdomaininfolist {
    domid_t first_domain;
    uint32_t max_domains;
    xen_guest_ptr_t buffer; /* of struct xen_domctl_getdomaininfo, by rising number */
    uint32_t num_domains;   /* out */
};
PVABI_SIZE(struct xen_sysctl_getdomaininfolist, 24);

struct xen_sysctl_debug_keys {
    xen_guest_ptr_t keys;
    uint32_t nr_keys;
};
PVABI_SIZE(struct xen_sysctl_debug_keys, 16);

struct xen_sysctl_cpuinfo {
    uint64_t idletime; /* ns */
};
PVABI_SIZE(struct xen_sysctl_cpuinfo, 8);

struct xen_sysctl_getcpuinfo {
    uint32_t max_cpus;
    xen_guest_ptr_t info; /* of struct xen_sysctl_cpuinfo */
    uint32_t nr_cpus;     /* out */
};
PVABI_SIZE(struct xen_sysctl_getcpuinfo, 24);

struct xen_sysctl_availheap {
    uint32_t min_bitwidth, max_bitwidth; /* of the machine address; 0: any */
    int32_t node;                        /* -1: all */
    uint64_t avail_bytes;                /* out */
};
PVABI_SIZE(struct xen_sysctl_availheap, 24);

struct xen_sysctl_cputopo {
    uint32_t core, socket, node;
};
PVABI_SIZE(struct xen_sysctl_cputopo, 12);

struct xen_sysctl_cputopoinfo {
    uint32_t num_cpus;       /* in: room; out: number; both if there is no array */
    xen_guest_ptr_t cputopo; /* of struct xen_sysctl_cputopo */
};
PVABI_SIZE(struct xen_sysctl_cputopoinfo, 16);

struct xen_sysctl_meminfo {
    uint64_t memsize, memfree; /* bytes */
};
PVABI_SIZE(struct xen_sysctl_meminfo, 16);

struct xen_sysctl_numainfo {
    uint32_t num_nodes;       /* as num_cpus above */
    xen_guest_ptr_t meminfo;  /* of struct xen_sysctl_meminfo; may be 0 */
    xen_guest_ptr_t distance; /* of uint32_t, a square; may be 0 */
};
PVABI_SIZE(struct xen_sysctl_numainfo, 24);

#define XEN_SYSCTL_CPUPOOL_OP_CREATE     1
#define XEN_SYSCTL_CPUPOOL_OP_INFO       3 /* of that pool or the next */
#define XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN 6
#define XEN_SYSCTL_CPUPOOL_OP_FREEINFO   7 /* CPUs in no pool */
#define XEN_SYSCTL_CPUPOOL_PAR_ANY       0xFFFFFFFF

struct xen_sysctl_cpupool_op {
    uint32_t op; /* XEN_SYSCTL_CPUPOOL_OP_* */
    uint32_t cpupool_id;
    uint32_t sched_id;
    uint32_t domid;
    uint32_t cpu;
    uint32_t n_dom;
    struct xenctl_bitmap cpumap;
};
PVABI_SIZE(struct xen_sysctl_cpupool_op, 40);

#define XEN_SYSCTL_SCHEDOP_putinfo 0
#define XEN_SYSCTL_SCHEDOP_getinfo 1

struct xen_sysctl_credit_schedule {
    uint32_t tslice_ms;
    uint32_t ratelimit_us;
    uint32_t vcpu_migr_delay_us;
};
PVABI_SIZE(struct xen_sysctl_credit_schedule, 12);

struct xen_sysctl_sched_arinc653 { /* not here; it makes the union larger */
    xen_guest_ptr_t schedule;
};
PVABI_SIZE(struct xen_sysctl_sched_arinc653, 8);

struct xen_sysctl_scheduler_op {
    uint32_t cpupool_id;
    uint32_t sched_id;
    uint32_t cmd; /* XEN_SYSCTL_SCHEDOP_* */
    union {
        struct xen_sysctl_credit_schedule sched_credit;
        struct xen_sysctl_sched_arinc653 sched_arinc653;
    } u;
};
PVABI_SIZE(struct xen_sysctl_scheduler_op, 32);

#define XEN_SYSCTL_cpu_featureset_raw    0
#define XEN_SYSCTL_cpu_featureset_host   1
#define XEN_SYSCTL_cpu_featureset_pv     2
#define XEN_SYSCTL_cpu_featureset_pv_max 4

/* Feature words of CPUID in Xen's order. */
struct xen_sysctl_cpu_featureset {
    uint32_t index;           /* XEN_SYSCTL_cpu_featureset_* */
    uint32_t nr_features;     /* in: room; out: words */
    xen_guest_ptr_t features; /* of uint32_t; 0: only their number is asked for */
};
PVABI_SIZE(struct xen_sysctl_cpu_featureset, 16);

#define XEN_SYSCTL_cpu_policy_raw        0
#define XEN_SYSCTL_cpu_policy_host       1
#define XEN_SYSCTL_cpu_policy_pv_max     2
#define XEN_SYSCTL_cpu_policy_pv_default 4

struct xen_sysctl_cpu_policy {
    uint32_t index;     /* XEN_SYSCTL_cpu_policy_* */
    uint32_t nr_leaves; /* in: room; out: written, or the most there can be if there is no array */
    uint32_t nr_msrs;
    uint32_t _rsvd;
    xen_guest_ptr_t leaves; /* of struct xen_cpuid_leaf */
    xen_guest_ptr_t msrs;
};
PVABI_SIZE(struct xen_sysctl_cpu_policy, 32);

struct xen_sysctl {
    uint32_t cmd;
    uint32_t interface_version;
    union {
        struct xen_sysctl_readconsole readconsole;
        struct xen_sysctl_physinfo physinfo;
        struct xen_sysctl_sched_id sched_id;
        struct xen_sysctl_getdomaininfolist getdomaininfolist;
        struct xen_sysctl_debug_keys debug_keys;
        struct xen_sysctl_getcpuinfo getcpuinfo;
        struct xen_sysctl_availheap availheap;
        struct xen_sysctl_cputopoinfo cputopoinfo;
        struct xen_sysctl_numainfo numainfo;
        struct xen_sysctl_cpupool_op cpupool_op;
        struct xen_sysctl_scheduler_op scheduler_op;
        struct xen_sysctl_cpu_featureset cpu_featureset;
        struct xen_sysctl_cpu_policy cpu_policy;
        uint8_t pad[128];
    } u;
};
PVABI_SIZE(struct xen_sysctl, 136);
PVABI_AT(struct xen_sysctl, u.physinfo, 8);

#endif
