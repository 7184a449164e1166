/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a direct-paging guest. Entries hold machine frames. A table is plain memory while
 * it is being built; before the hypervisor may see it, its mapping becomes read-only (it is live),
 * and from then on entries change by hypercall, until the root is retired.
 *
 * Kernel and programs both run in ring 3: a second root, with the lower half only, keeps the kernel
 * out of programs' reach. The frame note of a root names it.
 */
#include "pv.h"

#define LIVE      1u
#define USER_ROOT 1 /* shift of the user root's frame number in the note */

static uint64_t map_l1[MEMORY_MAX >> 21]; /* frames of the tables that map memory at KERNEL_BASE */

void mmu_init(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(map_l1); i++) {
        const uint64_t *l1 = pv_table(KERNEL_BASE + ((uint64_t)i << 21), 1);

        map_l1[i] = l1 ? pv_va_to_mfn(l1) : 0;
    }
}

pte_t mmu_entry(paddr_t frame, uint64_t flags)
{
    return pv_pte(pv_pfn_to_mfn(frame >> PAGE_SHIFT), flags);
}

paddr_t mmu_frame(pte_t entry)
{
    return pv_m2p[(entry & PTE_FRAME) >> PAGE_SHIFT] << PAGE_SHIFT;
}

static bool is_live(paddr_t table)
{
    return *frame_note(table) & LIVE;
}

static paddr_t user_root(paddr_t root)
{
    return (paddr_t)(*frame_note(root) >> USER_ROOT) << PAGE_SHIFT;
}

static void set_mapping(paddr_t page, uint64_t flags)
{
    uint64_t pfn = page >> PAGE_SHIFT;

    pv_lazy_update(map_l1[pfn >> 9] << PAGE_SHIFT | (pfn & 511) * sizeof(pte_t),
                   mmu_entry(page, flags));
}

static void set_live(paddr_t table, bool live)
{
    set_mapping(table, live ? PTE_KERNEL_RO : PTE_KERNEL);
    if (live)
        *frame_note(table) |= LIVE;
    else
        *frame_note(table) &= ~LIVE;
}

/* A table with all below it; of a root, the programs' half. */
static void set_tree_live(paddr_t table, unsigned level, bool live)
{
    const pte_t *entries = phys_to_virt(table);

    for (unsigned i = 0; level > 1 && i < (level == 4 ? 256 : 512); i++)
        if (entries[i] & PTE_P)
            set_tree_live(mmu_frame(entries[i]), level - 1, live);
    set_live(table, live);
}

bool mmu_root_init(pte_t *root)
{
    paddr_t user = frame_alloc();

    if (!user)
        return false;
    root[511] = ((const pte_t *)pv_start_info->pt_base)[511];
    *frame_note(virt_to_phys(root)) = user >> PAGE_SHIFT << USER_ROOT;
    return true;
}

void mmu_set(pte_t *slot, pte_t value, unsigned level)
{
    paddr_t at = virt_to_phys(slot), table = ROUND_DOWN(at, PAGE_SIZE);

    if (!is_live(table)) {
        *slot = value;
        return;
    }
    pv_lazy_begin();
    if (level > 1 && value & PTE_P)
        set_tree_live(mmu_frame(value), level - 1, true);
    pv_lazy_update(pv_maddr(slot), value);
    if (level == 4)
        pv_lazy_update(pv_maddr(phys_to_virt(user_root(table) | at % PAGE_SIZE)), value);
    pv_lazy_end();
    if (level > 1)
        pv_lazy_flush();
}

void mmu_batch_begin(void)
{
    pv_lazy_begin();
}

void mmu_batch_end(void)
{
    pv_lazy_end();
}

static void ext(unsigned cmd, paddr_t table)
{
    struct mmuext_op op = {.cmd = cmd};

    if (table)
        op.arg1.mfn = pv_pfn_to_mfn(table >> PAGE_SHIFT);
    pv_lazy_ext(&op);
}

void mmu_flush_page(uintptr_t va)
{
    struct mmuext_op op = {.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = va};

    pv_lazy_ext(&op);
}

void mmu_flush_user(void)
{
    ext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

static void pin(paddr_t root)
{
    paddr_t user = user_root(root);

    __builtin_memcpy(phys_to_virt(user), phys_to_virt(root), PAGE_SIZE / 2);
    set_tree_live(root, 4, true);
    set_live(user, true);
    ext(MMUEXT_PIN_L4_TABLE, root);
    ext(MMUEXT_PIN_L4_TABLE, user);
}

void mmu_load(paddr_t root)
{
    pv_lazy_begin();
    if (root && !is_live(root))
        pin(root);
    ext(MMUEXT_NEW_BASEPTR, root ? root : virt_to_phys((void *)pv_start_info->pt_base));
    ext(MMUEXT_NEW_USER_BASEPTR, root ? user_root(root) : 0);
    pv_lazy_end();
}

void mmu_root_retire(paddr_t root)
{
    paddr_t user = user_root(root);

    if (is_live(root)) {
        pv_lazy_begin();
        ext(MMUEXT_UNPIN_TABLE, user);
        ext(MMUEXT_UNPIN_TABLE, root);
        set_tree_live(root, 4, false);
        set_live(user, false);
        pv_lazy_end();
    }
    frame_put(user);
}
