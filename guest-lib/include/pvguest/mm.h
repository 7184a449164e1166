/* SPDX-License-Identifier: MIT */
/* Page tables of a direct-paging guest: translation between the number spaces, entries, tables. */
#ifndef PVGUEST_MM_H
#define PVGUEST_MM_H

#include <pvguest/types.h>
#include <pvguest/hypercall.h>

#define PTE_P         0x001ul
#define PTE_RW        0x002ul
#define PTE_US        0x004ul
#define PTE_PWT       0x008ul
#define PTE_PCD       0x010ul
#define PTE_A         0x020ul
#define PTE_D         0x040ul
#define PTE_PSE       0x080ul
#define PTE_G         0x100ul
#define PTE_NX        (1ul << 63)
#define PTE_FRAME     0x000ffffffffff000ul
#define PTE_KERNEL    (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PTE_KERNEL_RO (PTE_P | PTE_US | PTE_A | PTE_D)
#define PTE_TABLE     (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

#define PV_VIRT_BASE 0xffffffff80000000ul

extern uint64_t *pv_p2m;       /* pfn -> mfn */
extern const uint64_t *pv_m2p; /* mfn -> pfn, the hypervisor's, read-only */

void pv_mm_init(void);

pv_inline uint64_t pv_pfn_to_mfn(uint64_t pfn)
{
    return pv_p2m[pfn];
}
/* Addresses within the bootstrap map only. */
pv_inline uint64_t pv_va_to_mfn(const void *va)
{
    return pv_p2m[((uint64_t)va - PV_VIRT_BASE) >> PAGE_SHIFT];
}
pv_inline void *pv_mfn_to_va(uint64_t mfn)
{
    return (void *)(PV_VIRT_BASE + (pv_m2p[mfn] << PAGE_SHIFT));
}
pv_inline uint64_t pv_pte(uint64_t mfn, uint64_t flags)
{
    return mfn << PAGE_SHIFT | flags;
}
pv_inline unsigned pv_index(uint64_t va, unsigned level)
{
    return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/* Zeroed pages out of the guest's own pool; the rewind gives back everything taken since the mark.
 */
void *pv_page_alloc(void);
void *pv_pages_alloc(unsigned count);
unsigned pv_page_mark(void);
void pv_page_rewind(unsigned mark);

/* The table of `level` (1-4) that translates va in the current root; NULL when none is there. */
uint64_t *pv_table(uint64_t va, unsigned level);
/* The L1 entry of va, NULL when there is no L1 table; entries may be read but not written. */
pv_inline uint64_t *pv_l1_entry(uint64_t va)
{
    uint64_t *l1 = pv_table(va, 1);

    return l1 ? &l1[pv_index(va, 1)] : NULL;
}
/* Makes the tables down to the L1 of va; the L1's address, NULL on refusal. */
uint64_t *pv_make_l1(uint64_t va);

/* Machine address of an entry, as mmu_update wants it. */
pv_inline uint64_t pv_maddr(const void *va)
{
    return pv_va_to_mfn(va) << PAGE_SHIFT | ((uint64_t)va & (PAGE_SIZE - 1));
}

/* One entry of a live table, by mmu_update. */
long pv_set_entry(const uint64_t *entry, uint64_t value);
/* The bootstrap mapping of a page: read-only (to become a table) or writable again. */
long pv_set_readonly(void *page, bool readonly);
/* One mmuext_op with a frame, and one with a linear address. */
long pv_ext_mfn(unsigned cmd, uint64_t mfn);
long pv_ext_va(unsigned cmd, uint64_t va);

#endif
