/* SPDX-License-Identifier: MIT */
/* The domain builder maps the kernel and a little more; here the map is extended to all memory. */
#include "pv.h"

static uint64_t next_page; /* the builder used all before it */

static uint64_t pages_up_to(uint64_t va)
{
    return va > PV_VIRT_BASE ? ROUND_UP(va - PV_VIRT_BASE, PAGE_SIZE) >> PAGE_SHIFT : 0;
}

/* What was loaded last differs between builders: the boot stack is behind the tables, P2M and
 * module may be before or behind. */
static uint64_t first_unused(void)
{
    const struct start_info *s = pv_start_info;
    uint64_t tables = pages_up_to(s->pt_base) + s->nr_pt_frames + 1;
    uint64_t p2m = pages_up_to(s->mfn_list + s->nr_pages * sizeof(uint64_t));
    uint64_t module = s->flags & SIF_MOD_START_PFN ? s->mod_start + (s->mod_len >> PAGE_SHIFT) + 1
                                                   : pages_up_to(s->mod_start + s->mod_len);
    uint64_t most = tables > p2m ? tables : p2m;

    return most > module ? most : module;
}

/* An L1 table may be written freely until it is one, and from then on by nobody but the hypervisor:
 * fill it, make its own mapping read-only, hook it in. */
static void add_table(uint64_t first_pfn, uint64_t end_pfn)
{
    uint64_t va = PV_VIRT_BASE + (first_pfn << PAGE_SHIFT);
    uint64_t *l1 = phys_to_virt(next_page++ << PAGE_SHIFT), *l2 = pv_table(va, 2);

    for (unsigned i = 0; i < 512; i++)
        l1[i] = first_pfn + i < end_pfn ? pv_pte(pv_pfn_to_mfn(first_pfn + i), PTE_KERNEL) : 0;
    if (pv_set_readonly(l1, true) ||
        pv_set_entry(&l2[pv_index(va, 2)], pv_pte(pv_va_to_mfn(l1), PTE_TABLE))) {
        pv_printf("minos: memory from frame %lx on cannot be mapped\n", first_pfn);
        pv_shutdown(SHUTDOWN_crash);
    }
}

static void complete_table(uint64_t *l1, uint64_t first_pfn, uint64_t end_pfn)
{
    pv_lazy_begin();
    for (unsigned i = 0; i < 512 && first_pfn + i < end_pfn; i++)
        if (!(l1[i] & PTE_P))
            pv_lazy_update(pv_maddr(&l1[i]), pv_pte(pv_pfn_to_mfn(first_pfn + i), PTE_KERNEL));
    pv_lazy_end();
}

paddr_t memory_init(void)
{
    uint64_t end = MIN(pv_start_info->nr_pages, MEMORY_MAX >> PAGE_SHIFT);

    next_page = first_unused();
    for (uint64_t pfn = 0; pfn < end; pfn += 512) {
        uint64_t *l1 = pv_table(PV_VIRT_BASE + (pfn << PAGE_SHIFT), 1);

        if (l1)
            complete_table(l1, pfn, end);
        else
            add_table(pfn, end);
    }
    return next_page << PAGE_SHIFT;
}
