/* SPDX-License-Identifier: MIT */
/* The one gateway to guest memory. Addresses are guest-virtual in the current address space; a whole range is checked
 * (canonical, outside the hypervisor's hole, no wrap), faults are caught. Copy once, then validate and use the copy. */
#ifndef HV_ACCESS_H
#define HV_ACCESS_H

#include <hv/layout.h>
#include <hv/types.h>

/* Guest memory may lie in [0, 2^47) or [HV_VIRT_END, 2^64). */
static always_inline bool guest_range_ok(uint64_t addr, uint64_t len)
{
    uint64_t end = addr + len;
    if (end < addr)
        return false;
    return end <= 0x0000800000000000ull || addr >= HV_VIRT_END;
}
static always_inline bool canonical(uint64_t va)
{
    return va + (1ull << 47) < 1ull << 48;
}
static always_inline bool guest_array_ok(uint64_t addr, uint64_t count, uint64_t size)
{
    return count <= (1ull << 40) / size && guest_range_ok(addr, count * size);
}

/* 0, or -XEN_EFAULT with an unspecified part copied. */
int copy_from_guest(void *dst, uint64_t src, uint64_t len);
int copy_to_guest(uint64_t dst, const void *src, uint64_t len);
int clear_guest(uint64_t dst, uint64_t len);

/* One load or store, or some of 8 bytes; true if it worked. For hot paths: no range check of their own (guest_range_ok first). */
#ifdef PARAVANE_HOST
bool guest_load32(uint32_t *dst, uint64_t src);
bool guest_store32(uint64_t dst, uint32_t v);
bool guest_load_words(void *dst, uint64_t src, uint64_t words);
bool guest_store_words(uint64_t dst, const void *src, uint64_t words);
bool guest_load64(uint64_t *dst, uint64_t src);
bool guest_store64(uint64_t dst, uint64_t v);
#else
#include <hv/access_inline.h>
#endif

/* Typed forms: `ptr` is a guest address of an object like *obj. */
#define get_guest(obj, ptr) copy_from_guest((obj), (uint64_t)(ptr), sizeof(*(obj)))
#define put_guest(ptr, obj) copy_to_guest((uint64_t)(ptr), (obj), sizeof(*(obj)))

#endif
