/* SPDX-License-Identifier: MIT */
/* Scalar types of the guest ABI, and the checks that the other headers make of their layouts. */
#ifndef PVABI_BASE_H
#define PVABI_BASE_H

/* Domain identifiers that name no ordinary domain. */
#define DOMID_FIRST_RESERVED 0x7ff0
#define DOMID_SELF           0x7ff0 /* the caller */
#define DOMID_IO             0x7ff1 /* owner of frames that are no RAM: device memory */
#define DOMID_XEN            0x7ff2 /* owner of the hypervisor's own frames */
#define DOMID_COW            0x7ff3 /* owner of shared (deduplicated) frames */
#define DOMID_INVALID        0x7ff4
#define DOMID_IDLE           0x7fff
#define DOMID_MASK           0x7fff

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

typedef uint16_t domid_t;
typedef uint64_t xen_ulong_t;
typedef uint64_t xen_pfn_t;      /* frame number, machine or pseudo-physical */
typedef uint64_t xen_callback_t; /* guest-virtual address of an entry point */
typedef uint32_t evtchn_port_t;
typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;
typedef uint8_t xen_domain_handle_t[16];

/* A pointer field is an address in the caller's address space. Both sides see an integer: the
 * hypervisor must not dereference it, and the guest stores it by this macro. */
typedef uint64_t xen_guest_ptr_t;
#define set_xen_guest_handle(field, pointer) ((field) = (xen_guest_ptr_t)(uintptr_t)(pointer))

#ifdef __cplusplus
#define PVABI_ASSERT(condition, text) static_assert(condition, text)
#else
#define PVABI_ASSERT(condition, text) _Static_assert(condition, text)
#endif
#define PVABI_SIZE(type, size) PVABI_ASSERT(sizeof(type) == (size), "size of " #type)
#define PVABI_AT(type, field, offset)                                                              \
    PVABI_ASSERT(offsetof(type, field) == (offset), "place of " #field " in " #type)

#endif
#endif
