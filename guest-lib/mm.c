/* SPDX-License-Identifier: MIT */
/* Page tables: walks by way of the M2P, and changes through the hypervisor. */
#include <pvguest/mm.h>
#include <pvguest/start.h>

uint64_t *pv_p2m;
const uint64_t *pv_m2p;

void pv_mm_init(void)
{
    struct xen_machphys_mapping m;

    pv_p2m = (uint64_t *)pv_start_info->mfn_list;
    pv_m2p = (const uint64_t *)HYPERVISOR_VIRT_START;
    if (!pv_memory_op(XENMEM_machphys_mapping, &m))
        pv_m2p = (const uint64_t *)m.v_start;
}

uint64_t *pv_table(uint64_t va, unsigned level)
{
    uint64_t *table = (uint64_t *)pv_start_info->pt_base;

    for (unsigned l = 4; l > level; l--) {
        uint64_t e = table[pv_index(va, l)];

        if (!(e & PTE_P))
            return NULL;
        table = pv_mfn_to_va((e & PTE_FRAME) >> PAGE_SHIFT);
    }
    return table;
}

long pv_set_entry(const uint64_t *entry, uint64_t value)
{
    struct mmu_update u = {.ptr = pv_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = value};

    return pv_mmu_update(&u, 1, NULL, DOMID_SELF);
}

long pv_set_readonly(void *page, bool readonly)
{
    return pv_update_va_mapping((uint64_t)page,
                                pv_pte(pv_va_to_mfn(page), readonly ? PTE_KERNEL_RO : PTE_KERNEL),
                                UVMF_INVLPG);
}

uint64_t *pv_make_l1(uint64_t va)
{
    for (unsigned l = 4; l > 1; l--) {
        uint64_t *entry = &pv_table(va, l)[pv_index(va, l)];
        void *page;

        if (*entry & PTE_P)
            continue;
        page = pv_page_alloc();
        if (!page || pv_set_readonly(page, true) ||
            pv_set_entry(entry, pv_pte(pv_va_to_mfn(page), PTE_TABLE)))
            return NULL;
    }
    return pv_table(va, 1);
}

long pv_ext_mfn(unsigned cmd, uint64_t mfn)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};

    return pv_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

long pv_ext_va(unsigned cmd, uint64_t va)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.linear_addr = va};

    return pv_mmuext_op(&op, 1, NULL, DOMID_SELF);
}
