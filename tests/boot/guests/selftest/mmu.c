/* SPDX-License-Identifier: MIT */
/* mmu_update, update_va_mapping and mmuext_op: what they do, and what they answer. */
#include "selftest.h"

static void check_updates(void)
{
    uint64_t *l1 = selftest_area(4);
    struct mmu_update u[3];
    unsigned done = 77;
    volatile uint64_t *page = (uint64_t *)AREA_VA;

    page[0] = 0x1000;
    page[512] = 0x1001;
    CHECK_OK("entry changed", pv_set_entry(&l1[0], pv_pte(selftest_area_mfn(1), PTE_KERNEL)));
    pv_ext_va(MMUEXT_INVLPG_LOCAL, AREA_VA);
    CHECK_EQ("new frame seen", page[0], 0x1001);
    CHECK_EQ("frame in the entry", (l1[0] & PTE_FRAME) >> PAGE_SHIFT, selftest_area_mfn(1));
    CHECK_OK("entry removed", pv_set_entry(&l1[0], 0));
    pv_ext_va(MMUEXT_INVLPG_LOCAL, AREA_VA);
    CHECK_EQ("gone", pv_try_write(AREA_VA, 0), 14);
    CHECK_OK("non-present junk", pv_set_entry(&l1[0], 0xdead0000ul));
    CHECK_EQ("non-present junk kept", l1[0], 0xdead0000);
    for (unsigned i = 0; i < 3; i++) {
        u[i].ptr = pv_maddr(&l1[i]) | MMU_NORMAL_PT_UPDATE;
        u[i].val = pv_pte(selftest_area_mfn(i), PTE_KERNEL);
    }
    CHECK_OK("batch", pv_mmu_update(u, 3, &done, DOMID_SELF));
    CHECK_EQ("all done", done, 3);
    u[0].val = 0;
    u[1].val = pv_pte(pv_va_to_mfn(l1), PTE_KERNEL);
    u[2].val = 0;
    CHECK_REFUSED("batch with a bad second", pv_mmu_update(u, 3, &done, DOMID_SELF));
    CHECK_EQ("one done", done, 1);
    CHECK("first took effect, third did not", !(l1[0] & PTE_P) && (l1[2] & PTE_P));
    CHECK_OK("empty batch", pv_mmu_update(u, 0, &done, DOMID_SELF));
    CHECK_EQ("unknown domain", pv_mmu_update(u, 1, NULL, 0x1234), -XEN_ESRCH);
    u[0].ptr = pv_maddr(&l1[0]) | 4;
    CHECK_EQ("unknown command", pv_mmu_update(u, 1, NULL, DOMID_SELF), -XEN_ENOSYS);
}

static void check_flag_bits(void)
{
    uint64_t *l1 = pv_make_l1(AREA_VA);
    struct mmu_update u = {.ptr = pv_maddr(&l1[3]) | MMU_PT_UPDATE_PRESERVE_AD};

    u.val = pv_pte(selftest_area_mfn(3), PTE_KERNEL & ~PTE_D);
    pv_set_entry(&l1[3], pv_pte(selftest_area_mfn(3), PTE_P | PTE_US | PTE_RW));
    pv_ext_va(MMUEXT_INVLPG_LOCAL, AREA_VA + 3 * PAGE_SIZE);
    *(volatile char *)(AREA_VA + 3 * PAGE_SIZE) = 1;
    CHECK_EQ("accessed and dirty by the CPU", l1[3] & (PTE_A | PTE_D), PTE_A | PTE_D);
    u.val = pv_pte(selftest_area_mfn(3), PTE_P | PTE_US);
    CHECK_OK("preserve_ad", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
    CHECK_EQ("kept", l1[3] & (PTE_A | PTE_D | PTE_RW), PTE_A | PTE_D);
    CHECK_OK("software bits",
             pv_set_entry(&l1[3], pv_pte(selftest_area_mfn(3), PTE_KERNEL | 0xe00 | 1ul << 58)));
    CHECK_EQ("software bits kept", l1[3] & 0xe00, 0xe00);
    CHECK_OK("without the user bit",
             pv_set_entry(&l1[3], pv_pte(selftest_area_mfn(3), PTE_P | PTE_RW)));
    pv_ext_va(MMUEXT_INVLPG_LOCAL, AREA_VA + 3 * PAGE_SIZE);
    CHECK_EQ("the kernel still gets at it", pv_try_write(AREA_VA + 3 * PAGE_SIZE, 1), -1);
    CHECK_OK("what is read can be written back", pv_set_entry(&l1[3], l1[3]));
}

static void check_machphys(void)
{
    uint64_t mfn = selftest_area_mfn(0), pfn = pv_m2p[mfn];
    struct mmu_update u = {.ptr = mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 0x55};

    CHECK_OK("machphys update", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
    CHECK_EQ("seen", pv_m2p[mfn], 0x55);
    u.val = pfn;
    CHECK_OK("and back", pv_mmu_update(&u, 1, NULL, DOMID_SELF));
    CHECK_EQ("seen", pv_m2p[mfn], pfn);
}

static void check_va_mapping(void)
{
    static const uint64_t flags[] = {UVMF_NONE, UVMF_TLB_FLUSH, UVMF_INVLPG,
                                     UVMF_TLB_FLUSH | UVMF_ALL, UVMF_INVLPG | UVMF_ALL};
    volatile uint64_t *page = (uint64_t *)(AREA_VA + PAGE_SIZE);
    uint64_t mask = 1;

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
        CHECK_OK("flush flags", pv_update_va_mapping(AREA_VA + PAGE_SIZE,
                                                     pv_pte(selftest_area_mfn(i % 3), PTE_KERNEL),
                                                     flags[i]));
    CHECK_OK("flush by mask", pv_update_va_mapping(AREA_VA + PAGE_SIZE,
                                                   pv_pte(selftest_area_mfn(1), PTE_KERNEL),
                                                   UVMF_INVLPG | (uint64_t)&mask));
    page[3] = 3;
    CHECK_OK("other domain is oneself",
             pv_hypercall4(__HYPERVISOR_update_va_mapping_otherdomain, AREA_VA + PAGE_SIZE,
                           pv_pte(selftest_area_mfn(2), PTE_KERNEL), UVMF_INVLPG, DOMID_SELF));
    CHECK("frame changed", page[3] != 3);
    CHECK_REFUSED("address without an L1", pv_update_va_mapping(0x0000300000000000ul, 0, 0));
    CHECK_REFUSED("hypervisor's address", pv_update_va_mapping(0xffff830000000000ul, 0, 0));
    CHECK_REFUSED("table writable",
                  pv_update_va_mapping(AREA_VA, pv_pte(pv_va_to_mfn(pv_make_l1(AREA_VA)),
                                                       PTE_KERNEL), 0));
    CHECK_OK("table read-only",
             pv_update_va_mapping(AREA_VA, pv_pte(pv_va_to_mfn(pv_make_l1(AREA_VA)),
                                                  PTE_KERNEL_RO), UVMF_INVLPG));
    CHECK_OK("unmap", pv_update_va_mapping(AREA_VA, 0, UVMF_INVLPG));
}

static void check_pins(void)
{
    uint64_t *t[5] = {NULL}, *data = pv_page_alloc();

    for (unsigned level = 1; level <= 4; level++)
        t[level] = pv_page_alloc();
    for (unsigned i = 0; i < 512; i++)
        t[1][i] = pv_pte(pv_va_to_mfn(data), PTE_KERNEL);
    for (unsigned level = 1; level <= 4; level++) {
        if (level > 1)
            t[level][0] = pv_pte(pv_va_to_mfn(t[level - 1]), PTE_TABLE);
        CHECK_OK("read-only", pv_set_readonly(t[level], true));
    }
    CHECK_OK("pin L4 with all below", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(t[4])));
    CHECK_REFUSED("L1 writable", pv_set_readonly(t[1], false));
    CHECK_REFUSED("L1 pinned as L2", pv_ext_mfn(MMUEXT_PIN_L2_TABLE, pv_va_to_mfn(t[1])));
    CHECK_OK("L1 pinned too", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, pv_va_to_mfn(t[1])));
    CHECK_OK("unpin L4", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(t[4])));
    CHECK_OK("L4 writable again", pv_set_readonly(t[4], false));
    CHECK_OK("L2 writable again", pv_set_readonly(t[2], false));
    CHECK_REFUSED("L1 still pinned", pv_set_readonly(t[1], false));
    CHECK_OK("unpin L1", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(t[1])));
    CHECK_OK("L1 writable again", pv_set_readonly(t[1], false));
    CHECK_REFUSED("unpin what is not pinned", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(t[1])));
    CHECK_REFUSED("pin what is writable", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, pv_va_to_mfn(t[1])));
    CHECK("data intact", data[0] == 0);
}

static void check_roots(void)
{
    uint64_t *old = pv_table(0, 4), *root = pv_page_alloc();
    uint64_t seen = 0;

    for (unsigned slot = 0; slot < 512; slot++)
        if (slot < 256 || slot > 271)
            root[slot] = old[slot];
    CHECK_OK("read-only", pv_set_readonly(root, true));
    CHECK_OK("unpinned root loaded", pv_ext_mfn(MMUEXT_NEW_BASEPTR, pv_va_to_mfn(root)));
    CHECK_OK("entry of the loaded root changed", pv_set_entry(&root[33], 0));
    CHECK_EQ("M2P visible in the new root", pv_try_read((uint64_t)&pv_m2p[pv_p2m[1]], &seen), -1);
    CHECK_OK("old root back", pv_ext_mfn(MMUEXT_NEW_BASEPTR, pv_va_to_mfn(old)));
    CHECK_OK("new root released", pv_set_readonly(root, false));
    CHECK_REFUSED("root that is no table", pv_ext_mfn(MMUEXT_NEW_BASEPTR, pv_va_to_mfn(root)));
}

static void check_ext(void)
{
    uint64_t mask = 1, *a = pv_page_alloc(), *b = pv_page_alloc();
    struct mmuext_op op[3] = {{.cmd = MMUEXT_TLB_FLUSH_LOCAL}, {.cmd = 99}, {.cmd = 0}};
    struct mmuext_op copy = {.cmd = MMUEXT_COPY_PAGE};
    unsigned done = 77;

    CHECK_OK("TLB_FLUSH_LOCAL", pv_ext_mfn(MMUEXT_TLB_FLUSH_LOCAL, 0));
    CHECK_OK("TLB_FLUSH_ALL", pv_ext_mfn(MMUEXT_TLB_FLUSH_ALL, 0));
    CHECK_OK("INVLPG_LOCAL", pv_ext_va(MMUEXT_INVLPG_LOCAL, AREA_VA));
    CHECK_OK("INVLPG_ALL", pv_ext_va(MMUEXT_INVLPG_ALL, AREA_VA));
    CHECK_OK("INVLPG of an odd address", pv_ext_va(MMUEXT_INVLPG_LOCAL, 0x8000000000000123ul));
    copy.cmd = MMUEXT_TLB_FLUSH_MULTI;
    PV_SET_PTR(copy.arg2.vcpumask, &mask);
    CHECK_OK("TLB_FLUSH_MULTI", pv_mmuext_op(&copy, 1, NULL, DOMID_SELF));
    copy.cmd = MMUEXT_INVLPG_MULTI;
    copy.arg1.linear_addr = AREA_VA;
    CHECK_OK("INVLPG_MULTI", pv_mmuext_op(&copy, 1, NULL, DOMID_SELF));
    CHECK_OK("FLUSH_CACHE", pv_ext_mfn(MMUEXT_FLUSH_CACHE, 0));
    a[0] = a[511] = 0x41;
    copy.cmd = MMUEXT_COPY_PAGE;
    copy.arg1.mfn = pv_va_to_mfn(b);
    copy.arg2.src_mfn = pv_va_to_mfn(a);
    CHECK_OK("COPY_PAGE", pv_mmuext_op(&copy, 1, NULL, DOMID_SELF));
    CHECK("copied", pv_load(&b[0]) == 0x41 && pv_load(&b[511]) == 0x41);
    CHECK_OK("CLEAR_PAGE", pv_ext_mfn(MMUEXT_CLEAR_PAGE, pv_va_to_mfn(b)));
    CHECK("cleared", !pv_load(&b[0]) && !pv_load(&b[511]));
    CHECK_EQ("unknown command after a good one", pv_mmuext_op(op, 3, &done, DOMID_SELF),
             -XEN_ENOSYS);
    CHECK_EQ("one done", done, 1);
    CHECK_EQ("unknown domain", pv_mmuext_op(op, 1, NULL, 0x1234), -XEN_ESRCH);
}

/* A stock kernel turns pages into tables and tables into pages in one list of calls. */
static void check_multicall_order(void)
{
    static struct multicall_entry c[3];
    static struct mmuext_op pin;
    uint64_t *page = pv_page_alloc();

    pin.cmd = MMUEXT_PIN_L1_TABLE;
    pin.arg1.mfn = pv_va_to_mfn(page);
    c[0].op = __HYPERVISOR_update_va_mapping;
    c[0].args[0] = (uint64_t)page;
    c[0].args[1] = pv_pte(pv_va_to_mfn(page), PTE_KERNEL_RO);
    c[1].op = __HYPERVISOR_mmuext_op;
    c[1].args[0] = (uint64_t)&pin;
    c[1].args[1] = 1;
    c[1].args[3] = DOMID_SELF;
    CHECK_OK("read-only, then pinned", pv_multicall(c, 2));
    CHECK_EQ("both results", c[0].result | c[1].result, 0);
    CHECK_OK("unpin", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pin.arg1.mfn));
    CHECK_OK("writable", pv_set_readonly(page, false));
}

void test_mmu(void)
{
    check_updates();
    check_flag_bits();
    check_machphys();
    check_va_mapping();
    check_pins();
    check_roots();
    check_ext();
    check_multicall_order();
}
