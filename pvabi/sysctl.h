/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sysctl(arg): the machine as a whole, for the control domain's tools. Only what is used
 * here: the counts of processors and memory. */
#ifndef PVABI_SYSCTL_H
#define PVABI_SYSCTL_H

#include <pvabi/base.h>

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

#define XEN_SYSCTL_physinfo 3

struct xen_sysctl_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;    /* online */
    uint32_t max_cpu_id; /* highest possible */
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    uint32_t capabilities; /* which kinds of guests are possible */
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

struct xen_sysctl {
    uint32_t cmd;
    uint32_t interface_version;
    union {
        struct xen_sysctl_physinfo physinfo;
        uint8_t pad[128];
    } u;
};
PVABI_SIZE(struct xen_sysctl, 136);
PVABI_AT(struct xen_sysctl, u.physinfo, 8);

#endif
