/* SPDX-License-Identifier: MIT */
/* R11-R15: cache attributes, frames that are not ours, reuse, error paths, unbounded work. */
#include "attack.h"

/* R11: RAM mapped uncached or write-combining must be usable as a table afterwards, or refused. */
static void cache_attributes(void)
{
    static const uint64_t attr[] = {PTE_PWT, PTE_PCD, PTE_PWT | PTE_PCD, PTE_PSE,
                                    PTE_PSE | PTE_PWT};
    uint64_t *page = table_page();
    uint64_t mfn = pv_va_to_mfn(page);

    pv_make_l1(AREA_VA);
    for (unsigned i = 0; i < ARRAY_SIZE(attr); i++) {
        volatile uint64_t *alias = (uint64_t *)AREA_VA;

        if (!pv_update_va_mapping(AREA_VA, pv_pte(mfn, PTE_KERNEL | attr[i]), UVMF_INVLPG)) {
            alias[7] = pv_pte(pv_va_to_mfn(pv_table(0, 4)), PTE_KERNEL);
            refused("attribute changes and RW stays",
                    (pv_set_readonly(page, true), pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn)));
            holds("alias removed", !pv_update_va_mapping(AREA_VA, 0, UVMF_INVLPG));
            refused("table written uncached", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
            pv_set_readonly(page, false);
            page[7] = 0;
        }
    }
    holds("still our page", can_be_written(mfn));
}

/* Hypervisor pages that are there to be mapped: the shared page and the grant table. */
static uint64_t exported[65];
static unsigned exported_count;

static void find_exported(void)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF};

    exported[64] = pv_start_info->shared_info >> PAGE_SHIFT;
    pv_grant_table_op(GNTTABOP_query_size, &size, 1);
    setup.nr_frames = size.nr_frames < 64 ? size.nr_frames : 64;
    PV_SET_PTR(setup.frame_list, exported);
    if (!pv_grant_table_op(GNTTABOP_setup_table, &setup, 1) && !setup.status)
        exported_count = setup.nr_frames;
}

static bool is_exported(uint64_t mfn)
{
    for (unsigned i = 0; i < exported_count; i++)
        if (exported[i] == mfn)
            return true;
    return mfn == exported[64];
}

/* R12: every RAM frame of the machine that is not in our p2m. */
static bool owned(uint64_t mfn)
{
    volatile uint64_t pfn = ~0ul;
    struct pv_fault f;

    PV_TRY(&f) pfn = pv_m2p[mfn];
    return f.vector < 0 && pfn < pv_start_info->nr_pages && pv_p2m[pfn] == mfn;
}

static bool try_foreign(uint64_t mfn, uint64_t va)
{
    /* A batch would stop at its first refusal: one by one. */
    return pv_update_va_mapping(va, pv_pte(mfn, PTE_KERNEL), UVMF_NONE) < 0;
}

static void foreign_frames(void)
{
    static struct {
        uint64_t addr, size;
        uint32_t type;
    } pv_packed map[128];
    struct xen_memory_map mm = {.nr_entries = ARRAY_SIZE(map)};
    unsigned tried = 0, wrong = 0;

    PV_SET_PTR(mm.buffer, map);
    holds("machine memory map", !pv_memory_op(XENMEM_machine_memory_map, &mm));
    find_exported();
    pv_make_l1(AREA_VA);
    for (unsigned i = 0; i < mm.nr_entries; i++) {
        uint64_t first = map[i].addr >> PAGE_SHIFT, end = (map[i].addr + map[i].size) >> PAGE_SHIFT;

        if (map[i].type != 1)
            continue;
        for (uint64_t mfn = first < 256 ? 256 : first; mfn < end; mfn++) {
            if (is_exported(mfn) || owned(mfn))
                continue;
            tried++;
            if (!try_foreign(mfn, AREA_VA)) {
                if (wrong++ < 8)
                    pv_printf("frame %lx could be mapped writable\n", mfn);
                pv_update_va_mapping(AREA_VA, 0, UVMF_INVLPG);
            }
        }
    }
    pv_printf("ATTACK r12: %u foreign frames tried\n", tried);
    holds("some frames are not ours", tried > 0);
    holds("no foreign frame can be mapped writable", wrong == 0);
}

static uint64_t some_foreign_frame(void)
{
    uint64_t mfn = 512; /* above 2 MiB: a hypervisor's or a free frame, or ours */

    while (owned(mfn))
        mfn++;
    return mfn;
}

static void foreign_uses(void)
{
    uint64_t mfn = some_foreign_frame(), own = pv_va_to_mfn(pv_page_alloc()), frame = mfn;
    struct mmuext_op copy = {.cmd = MMUEXT_COPY_PAGE, .arg1.mfn = own, .arg2.src_mfn = mfn};
    struct mmuext_op over = {.cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mfn, .arg2.src_mfn = own};
    struct mmu_update u = {.ptr = mfn << PAGE_SHIFT, .val = 0};
    struct mmu_update m2p = {.ptr = mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 5};
    struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};
    uint64_t *table = pv_table(0, 4);
    uint64_t own_table = pv_va_to_mfn(table);

    refused("pin L1", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
    refused("pin L4", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, mfn));
    refused("unpin", pv_ext_mfn(MMUEXT_UNPIN_TABLE, mfn));
    refused("kernel root", pv_ext_mfn(MMUEXT_NEW_BASEPTR, mfn));
    refused("user root", pv_ext_mfn(MMUEXT_NEW_USER_BASEPTR, mfn));
    refused("clear page", pv_ext_mfn(MMUEXT_CLEAR_PAGE, mfn));
    refused("copy from it", pv_mmuext_op(&copy, 1, NULL, DOMID_SELF));
    refused("copy to it", pv_mmuext_op(&over, 1, NULL, DOMID_SELF));
    refused("update an entry in it", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
    refused("change its M2P entry", pv_mmu_update(&m2p, 1, NULL, DOMID_SELF));
    refused("GDT in it", pv_set_gdt(&frame, 512));
    refused("descriptor in it", pv_update_descriptor(mfn << PAGE_SHIFT, 0));
    refused("clear a page table", pv_ext_mfn(MMUEXT_CLEAR_PAGE, own_table));
    over.arg1.mfn = own_table;
    refused("copy over a page table", pv_mmuext_op(&over, 1, NULL, DOMID_SELF));
    PV_SET_PTR(res.extent_start, &frame);
    holds("give it back", pv_memory_op(XENMEM_decrease_reservation, &res) <= 0);
    frame = own_table;
    holds("page table unharmed by giving it back",
          (pv_memory_op(XENMEM_decrease_reservation, &res), table[511] & PTE_P));
    refused("a domain that is not there", pv_mmu_update(&u, 1, NULL, 77));
    refused("updates in the hypervisor's name", pv_mmu_update(&u, 1, NULL, DOMID_XEN));
}

static void ownership(void)
{
    foreign_uses();
    foreign_frames();
}

/* R13: frames taken from the hypervisor hold nothing of whoever had them. */
static void dirty_frames(void)
{
    static uint64_t frames[256];
    struct xen_memory_reservation res = {.nr_extents = ARRAY_SIZE(frames), .domid = DOMID_SELF};
    uint8_t *pages = pv_pages_alloc(ARRAY_SIZE(frames));
    unsigned dirty = 0;
    long got;

    memset(pages, 0xa5, ARRAY_SIZE(frames) * PAGE_SIZE);
    PV_SET_PTR(res.extent_start, frames);
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = pv_va_to_mfn(pages + i * PAGE_SIZE);
        holds("unmapped", !pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE, 0, UVMF_INVLPG));
    }
    holds("given back", pv_memory_op(XENMEM_decrease_reservation, &res) == ARRAY_SIZE(frames));
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++)
        frames[i] = ((uint64_t)(pages + i * PAGE_SIZE) - PV_VIRT_BASE) >> PAGE_SHIFT;
    got = pv_memory_op(XENMEM_populate_physmap, &res);
    holds("taken again", got == ARRAY_SIZE(frames));
    for (long i = 0; i < got; i++) {
        const uint64_t *p = (uint64_t *)(pages + i * PAGE_SIZE);

        holds("mapped", !pv_update_va_mapping((uint64_t)p, pv_pte(frames[i], PTE_KERNEL), 0));
        for (unsigned w = 0; w < 512; w++)
            dirty += p[w] != 0;
    }
    if (!attack_on_xen) /* the reference leaves it to guests to clean what they give back */
        holds("all zeroes", dirty == 0);
}

/* R14: failures, many times; a leaked count would keep the frame from being freed or retyped. */
static void error_paths(void)
{
    uint64_t *page = table_page(), *l1 = pv_make_l1(AREA_VA);
    uint64_t mfn = pv_va_to_mfn(page), foreign = some_foreign_frame();

    page[511] = pv_pte(foreign, PTE_KERNEL);
    for (unsigned i = 0; i < 500; i++)
        page[i] = pv_pte(pv_va_to_mfn(l1), PTE_KERNEL_RO);
    table_ready(page);
    for (unsigned n = 0; n < 200; n++) {
        struct gnttab_copy c = {.source.u.gmfn = mfn, .source.domid = DOMID_SELF,
                                .dest.u.gmfn = foreign, .dest.domid = DOMID_SELF, .len = 8};

        refused("pin", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
        refused("map as L2's child", pv_set_entry(&pv_table(AREA_VA, 2)[9], pv_pte(mfn,
                                                                                   PTE_TABLE)));
        pv_grant_table_op(GNTTABOP_copy, &c, 1);
        holds("copy", c.status < 0);
    }
    holds("table writable again", !pv_set_readonly(page, false));
    memset(page, 0, PAGE_SIZE);
    table_ready(page);
    holds("and a table", !pv_ext_mfn(MMUEXT_PIN_L4_TABLE, mfn));
    holds("and free", !pv_ext_mfn(MMUEXT_UNPIN_TABLE, mfn));
    pv_set_readonly(page, false);
    holds("and data", can_be_written(mfn));
}

/* R15: counts that no loop may simply follow; each call must come back. */
static void giant_counts(void)
{
    static struct multicall_entry calls[512];
    static struct mmuext_op ext[512];
    struct xen_memory_reservation res = {.nr_extents = 1ul << 40, .domid = DOMID_SELF};
    uint64_t list = PV_VIRT_BASE;
    struct sched_poll poll = {.nr_ports = 0x7fffffff};

    PV_SET_PTR(res.extent_start, list);
    holds("populate 2^40", pv_memory_op(XENMEM_populate_physmap, &res) <= 0);
    res.nr_extents = ~0ul;
    holds("decrease 2^64-1", pv_memory_op(XENMEM_decrease_reservation, &res) <= 0);
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i].op = __HYPERVISOR_xen_version;
    holds("multicall of 512", !pv_multicall(calls, ARRAY_SIZE(calls)));
    refused("multicall past its list", pv_multicall((void *)AREA_VA, 0xffffffff));
    refused("mmu_update of 2^31", pv_mmu_update((void *)AREA_VA, 0x7fffffff, NULL, DOMID_SELF));
    refused("mmuext of 2^31", pv_mmuext_op((void *)AREA_VA, 0x7fffffff, NULL, DOMID_SELF));
    for (unsigned i = 0; i < ARRAY_SIZE(ext); i++)
        ext[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
    holds("512 flushes", !pv_mmuext_op(ext, ARRAY_SIZE(ext), NULL, DOMID_SELF));
    refused("poll of 2^31 ports", pv_sched_op(SCHEDOP_poll, &poll));
    refused("2^31 grants", pv_grant_table_op(GNTTABOP_map_grant_ref, (void *)AREA_VA, 0x7fffffff));
    refused("console write of 2 GiB", pv_console_io(CONSOLEIO_write, 0x7fffffff, (char *)AREA_VA));
}

const struct attack frame_attacks[] = {
    {"r11", "cache attributes of tables to be", cache_attributes, ATTACK_SURVIVES},
    {"r12", "frames of the hypervisor and of nobody", ownership, ATTACK_SURVIVES},
    {"r13", "what new frames still hold", dirty_frames, ATTACK_SURVIVES},
    {"r14", "counts leaked on error paths", error_paths, ATTACK_SURVIVES},
    {"r15", "giant counts", giant_counts, ATTACK_SURVIVES},
    {.name = NULL},
};
