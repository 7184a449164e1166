/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_memory_op(cmd, arg): how much memory a domain has, and which frames. */
#ifndef PVABI_MEMORY_H
#define PVABI_MEMORY_H

#include <pvabi/base.h>

#define XENMEM_increase_reservation       0
#define XENMEM_decrease_reservation       1
#define XENMEM_maximum_ram_page           2 /* returns the highest frame; no argument */
#define XENMEM_current_reservation        3 /* returns the frames of a xen_memory_domain */
#define XENMEM_maximum_reservation        4 /* the same, the limit */
#define XENMEM_machphys_mfn_list          5
#define XENMEM_populate_physmap           6
#define XENMEM_add_to_physmap             7
#define XENMEM_memory_map                 9  /* struct xen_memory_map: the domain's */
#define XENMEM_machine_memory_map         10 /* struct xen_memory_map: the machine's */
#define XENMEM_exchange                   11
#define XENMEM_machphys_mapping           12
#define XENMEM_set_memory_map             13
#define XENMEM_maximum_gpfn               14
#define XENMEM_remove_from_physmap        15
#define XENMEM_set_pod_target             16
#define XENMEM_get_pod_target             17
#define XENMEM_get_sharing_freed_pages    18
#define XENMEM_get_sharing_shared_pages   19
#define XENMEM_paging_op                  20
#define XENMEM_access_op                  21
#define XENMEM_sharing_op                 22
#define XENMEM_add_to_physmap_batch       23
#define XENMEM_claim_pages                24
#define XENMEM_machphys_compat_mfn_list   25
#define XENMEM_get_vnumainfo              26
#define XENMEM_reserved_device_memory_map 27
#define XENMEM_acquire_resource           28

/* xen_memory_reservation.mem_flags */
#define XENMEMF_address_bits(bits)      (bits) /* machine addresses below 2^bits; 0: any */
#define XENMEMF_get_address_bits(flags) ((flags)&0xffu)
#define XENMEMF_node(node)              (((node) + 1) << 8)
#define XENMEMF_get_node(flags)         ((((flags) >> 8) - 1) & 0xffu)
#define XENMEMF_populate_on_demand      (1 << 16)
#define XENMEMF_exact_node_request      (1 << 17)
#define XENMEMF_exact_node(node)        (XENMEMF_node(node) | XENMEMF_exact_node_request)
#define XENMEMF_vnode                   (1 << 18)

struct xen_memory_reservation {
    xen_guest_ptr_t extent_start; /* of xen_pfn_t. increase: MFNs out; decrease: MFNs in; populate:
                                     PFNs in, MFNs out */
    xen_ulong_t nr_extents;
    uint32_t extent_order; /* 2^order frames each, aligned */
    uint32_t mem_flags;    /* XENMEMF_* */
    domid_t domid;
};
PVABI_SIZE(struct xen_memory_reservation, 32);
PVABI_AT(struct xen_memory_reservation, extent_order, 16);
PVABI_AT(struct xen_memory_reservation, domid, 24);

/* Gives the frames of `in` back, and gets as many others, of another order or below another limit,
 * for the PFNs of `out`. */
struct xen_memory_exchange {
    struct xen_memory_reservation in;
    struct xen_memory_reservation out;
    xen_ulong_t nr_exchanged; /* in: 0; out: extents of `in` that were done */
};
PVABI_SIZE(struct xen_memory_exchange, 72);
PVABI_AT(struct xen_memory_exchange, nr_exchanged, 64);

struct xen_memory_domain {
    domid_t domid;
};
PVABI_SIZE(struct xen_memory_domain, 2);

/* The frames that hold the M2P, 2 MiB each. */
struct xen_machphys_mfn_list {
    uint32_t max_extents;
    xen_guest_ptr_t extent_start; /* of xen_pfn_t, filled in */
    uint32_t nr_extents;          /* out */
};
PVABI_SIZE(struct xen_machphys_mfn_list, 24);
PVABI_AT(struct xen_machphys_mfn_list, nr_extents, 16);

/* Where the M2P is mapped. All out. */
struct xen_machphys_mapping {
    xen_ulong_t v_start, v_end;
    xen_ulong_t max_mfn;
};
PVABI_SIZE(struct xen_machphys_mapping, 24);

#define XENMAPSPACE_shared_info      0
#define XENMAPSPACE_grant_table      1
#define XENMAPSPACE_gmfn             2
#define XENMAPSPACE_gmfn_range       3
#define XENMAPSPACE_gmfn_foreign     4
#define XENMAPSPACE_dev_mmio         5
#define XENMAPIDX_grant_table_status 0x80000000u

struct xen_add_to_physmap {
    domid_t domid;
    uint16_t size;  /* frames, of gmfn_range only */
    uint32_t space; /* XENMAPSPACE_* */
    xen_ulong_t idx;
    xen_pfn_t gpfn;
};
PVABI_SIZE(struct xen_add_to_physmap, 24);
PVABI_AT(struct xen_add_to_physmap, idx, 8);

struct xen_add_to_physmap_batch {
    domid_t domid;
    uint16_t space;
    uint16_t size;
    union {
        domid_t foreign_domid;
        uint16_t res0;
    } u;
    xen_guest_ptr_t idxs;  /* of xen_ulong_t */
    xen_guest_ptr_t gpfns; /* of xen_pfn_t */
    xen_guest_ptr_t errs;  /* of int, filled in */
};
PVABI_SIZE(struct xen_add_to_physmap_batch, 32);
PVABI_AT(struct xen_add_to_physmap_batch, idxs, 8);

struct xen_remove_from_physmap {
    domid_t domid;
    xen_pfn_t gpfn;
};
PVABI_SIZE(struct xen_remove_from_physmap, 16);

/* Entries are those of the BIOS's E820 call: 64-bit start, 64-bit length, 32-bit type, packed. */
struct xen_memory_map {
    uint32_t nr_entries; /* in: room; out: written */
    xen_guest_ptr_t buffer;
};
PVABI_SIZE(struct xen_memory_map, 16);
PVABI_AT(struct xen_memory_map, buffer, 8);

struct xen_foreign_memory_map {
    domid_t domid;
    struct xen_memory_map map;
};
PVABI_SIZE(struct xen_foreign_memory_map, 24);

struct xen_pod_target {
    uint64_t target_pages;
    uint64_t tot_pages, pod_cache_pages, pod_entries; /* out */
    domid_t domid;
};
PVABI_SIZE(struct xen_pod_target, 40);

#define XENMEM_resource_ioreq_server          0
#define XENMEM_resource_grant_table           1
#define XENMEM_resource_vmtrace_buf           2
#define XENMEM_resource_grant_table_id_shared 0
#define XENMEM_resource_grant_table_id_status 1

/* Frames that serve a domain without being its memory, for tools to map. Without a list and with
 * nr_frames 0 it asks for the size. */
struct xen_mem_acquire_resource {
    domid_t domid;
    uint16_t type; /* XENMEM_resource_* */
    uint32_t id;   /* by type */
    uint32_t nr_frames;
    uint32_t pad;
    uint64_t frame;             /* first wanted */
    xen_guest_ptr_t frame_list; /* of xen_pfn_t, filled in */
};
PVABI_SIZE(struct xen_mem_acquire_resource, 32);
PVABI_AT(struct xen_mem_acquire_resource, frame, 16);

#endif
