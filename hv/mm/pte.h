/* SPDX-License-Identifier: MIT */
/* Which entries may stand in a guest's page tables, level by level: pure predicates over one value.
 * They are allow-lists: a bit that is not named here is refused. Entries that are not present may
 * hold anything. */
#ifndef HV_MM_PTE_H
#define HV_MM_PTE_H

#include <hv/mm.h>

#define PT_ENTRIES 512

/* Protection keys, and what later processors may define. */
#define PTE_RESERVED 0x7800000000000000ull
/* Cache attribute of a leaf. The host's PAT gives write-back to 0 and to no other combination. */
#define LEAF_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)

/* Bits of a present leaf on which its references and rights depend. An update that leaves them all
 * as they are needs no counting; the rest is A, D, NX, U, G and software's. */
#define LEAF_MEANING (PTE_ADDR | PTE_P | PTE_RW | LEAF_CACHE | PTE_RESERVED)
/* A leaf with one of these is for the slow path to judge. */
#define LEAF_SPECIAL (LEAF_CACHE | PTE_RESERVED)

#define TABLE_ALLOWED                                                                              \
    (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D | PTE_G | PTE_AVAIL | PTE_ADDR | PTE_NX)
/* As LEAF_MEANING: an entry of L2 to L4 holds a typed use of its child, whatever its rights. */
#define TABLE_MEANING (PTE_ADDR | PTE_P)

_Static_assert((LEAF_MEANING & (PTE_U | PTE_A | PTE_D | PTE_G | PTE_AVAIL | PTE_NX)) == 0 &&
                   (LEAF_MEANING | PTE_U | PTE_A | PTE_D | PTE_G | PTE_AVAIL | PTE_NX) == ~0ull,
               "every bit of a leaf is either revalidated or harmless");

/* Guests run in ring 3, kernel or not, and their translations never outlive a change of root. */
static always_inline uint64_t pte_normal(uint64_t pte)
{
    return (pte | PTE_U) & ~PTE_G;
}
/* No large pages, no cache attributes on the walk, no reserved bits. */
static always_inline bool table_entry_ok(uint64_t pte)
{
    return !(pte & ~TABLE_ALLOWED);
}
static always_inline bool is_hv_slot(unsigned level, unsigned index)
{
    return level == 4 && index - HV_SLOT_FIRST <= HV_SLOT_LAST - HV_SLOT_FIRST;
}
/* Where an entry stands in its table. */
static always_inline unsigned slot_index(const uint64_t *slot)
{
    return (unsigned)(((uint64_t)slot & (PAGE_SIZE - 1)) / sizeof(*slot));
}

#endif
