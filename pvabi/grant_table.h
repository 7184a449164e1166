/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_grant_table_op(cmd, ops, count): pages offered to other domains. */
#ifndef PVABI_GRANT_TABLE_H
#define PVABI_GRANT_TABLE_H

#include <pvabi/base.h>

/* An entry of the granting domain's table, version 1. The type in flags makes it valid: it is
 * written last. */
struct grant_entry_v1 {
    uint16_t flags; /* GTF_* */
    domid_t domid;  /* to whom */
    uint32_t frame;
};
PVABI_SIZE(struct grant_entry_v1, 8);
PVABI_AT(struct grant_entry_v1, frame, 4);

#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE    0
#define GNTTAB_RESERVED_XENSTORE   1

#define GTF_invalid            0
#define GTF_permit_access      1
#define GTF_accept_transfer    2
#define GTF_transitive         3
#define GTF_type_mask          3
#define GTF_readonly           (1 << 2)
#define GTF_reading            (1 << 3) /* set by the hypervisor while mapped or copied from */
#define GTF_writing            (1 << 4) /* set by the hypervisor while writable to the other side */
#define GTF_PWT                (1 << 5)
#define GTF_PCD                (1 << 6)
#define GTF_PAT                (1 << 7)
#define GTF_sub_page           (1 << 8)
#define GTF_transfer_committed (1 << 2)
#define GTF_transfer_completed (1 << 3)

/* Version 2 splits the status bits off into a table of grant_status_t. */
struct grant_entry_header {
    uint16_t flags;
    domid_t domid;
};
PVABI_SIZE(struct grant_entry_header, 4);

union grant_entry_v2 {
    struct grant_entry_header hdr;
    struct {
        struct grant_entry_header hdr;
        uint32_t pad0;
        uint64_t frame;
    } full_page;
    struct {
        struct grant_entry_header hdr;
        uint16_t page_off, length; /* bytes */
        uint64_t frame;
    } sub_page;
    struct {
        struct grant_entry_header hdr;
        domid_t trans_domid;
        uint16_t pad0;
        grant_ref_t gref;
    } transitive;
    uint32_t __spacer[4];
};
PVABI_SIZE(union grant_entry_v2, 16);
PVABI_AT(union grant_entry_v2, full_page.frame, 8);

typedef uint16_t grant_status_t;

#define GNTTABOP_map_grant_ref     0
#define GNTTABOP_unmap_grant_ref   1
#define GNTTABOP_setup_table       2
#define GNTTABOP_dump_table        3
#define GNTTABOP_transfer          4
#define GNTTABOP_copy              5
#define GNTTABOP_query_size        6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version       8
#define GNTTABOP_get_status_frames 9
#define GNTTABOP_get_version       10
#define GNTTABOP_swap_grant_ref    11
#define GNTTABOP_cache_flush       12

/* status of each op */
#define GNTST_okay              0
#define GNTST_general_error     (-1)
#define GNTST_bad_domain        (-2)
#define GNTST_bad_gntref        (-3)
#define GNTST_bad_handle        (-4)
#define GNTST_bad_virt_addr     (-5)
#define GNTST_bad_dev_addr      (-6)
#define GNTST_no_device_space   (-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page          (-9)
#define GNTST_bad_copy_arg      (-10)
#define GNTST_address_too_big   (-11)
#define GNTST_eagain            (-12) /* try again later */
#define GNTST_no_space          (-13)

#define GNTMAP_device_map       (1 << 0) /* for DMA */
#define GNTMAP_host_map         (1 << 1) /* for CPUs */
#define GNTMAP_readonly         (1 << 2)
#define GNTMAP_application_map  (1 << 3) /* the mapping is for user mode, too */
#define GNTMAP_contains_pte     (1 << 4) /* host_addr is the machine address of an L1 entry */
#define _GNTMAP_guest_avail0    16 /* from this bit: the entry's bits for the guest's own use */
#define GNTMAP_guest_avail_mask 0xffff0000u

struct gnttab_map_grant_ref {
    uint64_t host_addr;
    uint32_t flags; /* GNTMAP_* */
    grant_ref_t ref;
    domid_t dom;
    /* out */
    int16_t status; /* GNTST_* */
    grant_handle_t handle;
    uint64_t dev_bus_addr; /* machine address of the page */
};
PVABI_SIZE(struct gnttab_map_grant_ref, 32);
PVABI_AT(struct gnttab_map_grant_ref, status, 18);
PVABI_AT(struct gnttab_map_grant_ref, dev_bus_addr, 24);

struct gnttab_unmap_grant_ref {
    uint64_t host_addr;    /* 0: leave the CPU mapping */
    uint64_t dev_bus_addr; /* 0: leave the DMA mapping */
    grant_handle_t handle;
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_unmap_grant_ref, 24);
PVABI_AT(struct gnttab_unmap_grant_ref, status, 20);

struct gnttab_setup_table {
    domid_t dom;
    uint32_t nr_frames;
    int16_t status;             /* out */
    xen_guest_ptr_t frame_list; /* of xen_pfn_t, filled in */
};
PVABI_SIZE(struct gnttab_setup_table, 24);
PVABI_AT(struct gnttab_setup_table, status, 8);
PVABI_AT(struct gnttab_setup_table, frame_list, 16);

struct gnttab_dump_table {
    domid_t dom;
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_dump_table, 4);

struct gnttab_transfer {
    xen_pfn_t mfn;
    domid_t domid;
    grant_ref_t ref;
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_transfer, 24);
PVABI_AT(struct gnttab_transfer, status, 16);

#define GNTCOPY_source_gref (1 << 0) /* source is a grant, else a frame of the caller */
#define GNTCOPY_dest_gref   (1 << 1)

struct gnttab_copy_ptr {
    union {
        grant_ref_t ref;
        xen_pfn_t gmfn;
    } u;
    domid_t domid;
    uint16_t offset;
};
PVABI_SIZE(struct gnttab_copy_ptr, 16);
PVABI_AT(struct gnttab_copy_ptr, offset, 10);

struct gnttab_copy {
    struct gnttab_copy_ptr source, dest;
    uint16_t len;
    uint16_t flags; /* GNTCOPY_* */
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_copy, 40);
PVABI_AT(struct gnttab_copy, len, 32);
PVABI_AT(struct gnttab_copy, status, 36);

struct gnttab_query_size {
    domid_t dom;
    /* out */
    uint32_t nr_frames;
    uint32_t max_nr_frames;
    int16_t status;
};
PVABI_SIZE(struct gnttab_query_size, 16);
PVABI_AT(struct gnttab_query_size, status, 12);

/* Unmaps a grant, and moves the mapping at new_addr to its place. */
struct gnttab_unmap_and_replace {
    uint64_t host_addr;
    uint64_t new_addr;
    grant_handle_t handle;
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_unmap_and_replace, 24);

struct gnttab_set_version {
    uint32_t version; /* in: wanted; out: in effect */
};
PVABI_SIZE(struct gnttab_set_version, 4);

struct gnttab_get_status_frames {
    uint32_t nr_frames;
    domid_t dom;
    int16_t status;             /* out */
    xen_guest_ptr_t frame_list; /* of uint64_t, filled in */
};
PVABI_SIZE(struct gnttab_get_status_frames, 16);

struct gnttab_get_version {
    domid_t dom;
    uint16_t pad;
    uint32_t version; /* out */
};
PVABI_SIZE(struct gnttab_get_version, 8);

struct gnttab_swap_grant_ref {
    grant_ref_t ref_a;
    grant_ref_t ref_b;
    int16_t status; /* out */
};
PVABI_SIZE(struct gnttab_swap_grant_ref, 12);

#define GNTTAB_CACHE_CLEAN       (1u << 0)
#define GNTTAB_CACHE_INVAL       (1u << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1u << 31)

struct gnttab_cache_flush {
    union {
        uint64_t dev_bus_addr;
        grant_ref_t ref;
    } a;
    uint16_t offset; /* in the page */
    uint16_t length;
    uint32_t op; /* GNTTAB_CACHE_* */
};
PVABI_SIZE(struct gnttab_cache_flush, 16);
PVABI_AT(struct gnttab_cache_flush, op, 12);

#endif
