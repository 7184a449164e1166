/* SPDX-License-Identifier: MIT */
/* dom0's first page tables: 4 KiB mappings of the bootstrap area, and of the p2m where the kernel
 * wants it. They are written directly; pinning the root then checks them like any guest's. */
#include <string.h>

#include <hv/mm.h>

#include "build.h"

#define TABLE_FLAGS (PTE_P | PTE_RW | PTE_U | PTE_A)
#define PAGE_FLAGS  (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D)

static uint64_t spanned(uint64_t va, uint64_t end, unsigned shift)
{
    return ((end - 1) >> shift) - (va >> shift) + 1;
}

uint64_t tables_needed(uint64_t va, uint64_t end)
{
    return spanned(va, end, 21) + spanned(va, end, 30) + spanned(va, end, 39);
}

static mfn_t new_table(struct builder *b)
{
    mfn_t m = build_mfn(b, b->next_table++);

    memset(mfn_va(m), 0, PAGE_SIZE);
    return m;
}

static uint64_t *l1_entry(struct builder *b, uint64_t va)
{
    uint64_t *table = mfn_va(b->root);

    for (unsigned shift = 39; shift > PAGE_SHIFT; shift -= 9) {
        uint64_t *e = &table[va >> shift & 511];

        if (!*e)
            *e = new_table(b).n << PAGE_SHIFT | TABLE_FLAGS;
        table = mfn_va(pte_mfn(*e));
    }
    return &table[va >> PAGE_SHIFT & 511];
}

static void map(struct builder *b, uint64_t va, uint64_t pfn, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++, va += PAGE_SIZE) {
        bool is_table = pfn + i - b->tables_pfn < b->tables;

        *l1_entry(b, va) =
            build_mfn(b, pfn + i).n << PAGE_SHIFT | (is_table ? PAGE_FLAGS & ~PTE_RW : PAGE_FLAGS);
    }
}

void build_tables(struct builder *b)
{
    b->next_table = b->tables_pfn;
    b->root = new_table(b);
    map(b, b->image.virt_base, 0, b->map_pages);
    if (b->image.init_p2m != IMAGE_ABSENT) {
        b->next_table = b->p2m_pfn + b->p2m_pages;
        map(b, b->image.init_p2m, b->p2m_pfn, b->p2m_pages);
    }
}
