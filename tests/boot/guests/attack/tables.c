/* SPDX-License-Identifier: MIT */
/* R6-R10: entries, recursion, type changes under old mappings, half-valid tables, flushes. */
#include "attack.h"

/* R6: bits that the fast paths must not let through. `l1` is in use; entry 0 maps `page` RO. */
static void bits_by(const char *how, uint64_t *l1, uint64_t evil, unsigned way)
{
    struct mmu_update u = {.ptr = pv_maddr(l1), .val = evil};
    uint64_t before = *l1;

    switch (way) {
    case 0:
        refused(how, pv_mmu_update(&u, 1, NULL, DOMID_SELF));
        break;
    case 1:
        u.ptr |= MMU_PT_UPDATE_PRESERVE_AD;
        refused(how, pv_mmu_update(&u, 1, NULL, DOMID_SELF));
        break;
    case 2:
        refused(how, pv_update_va_mapping(AREA_VA, evil, UVMF_INVLPG));
        break;
    default:
        stopped(how, pv_try_write((uint64_t)l1, evil));
    }
    holds("entry as it was", ((before ^ *l1) & ~(PTE_A | PTE_D)) == 0);
}

static void byte_writes(uint64_t *l1)
{
    struct pv_fault f;

    PV_TRY(&f) __asm__ volatile("lock orb $2, %0" : "+m"(*(volatile uint8_t *)l1));
    stopped("RW by lock orb", f.vector);
    PV_TRY(&f) __asm__ volatile("lock btsq $1, %0" : "+m"(*(volatile uint64_t *)l1));
    stopped("RW by lock bts", f.vector);
    PV_TRY(&f) __asm__ volatile("lock orl $2, %0" : "+m"(*(volatile uint32_t *)l1));
    stopped("RW by lock orl", f.vector);
    PV_TRY(&f) *((volatile uint32_t *)l1 + 1) = 0x000fffff;
    stopped("frame's upper half by a 32-bit write", f.vector);
    PV_TRY(&f) *(volatile uint16_t *)((uint8_t *)l1 + 7) = 0;
    stopped("write across two entries", f.vector);
    holds("entry still read-only", !(*l1 & PTE_RW));
}

static void entry_bits(void)
{
    uint64_t *l1 = pv_make_l1(AREA_VA);
    uint64_t *l2 = &pv_table(AREA_VA, 2)[pv_index(AREA_VA, 2)];
    uint64_t *l3 = &pv_table(AREA_VA, 3)[pv_index(AREA_VA, 3)];
    uint64_t *l4 = pv_table(0, 4);
    uint64_t table = pv_va_to_mfn(l1);
    struct mmu_update u;

    holds("map a table read-only",
          !pv_update_va_mapping(AREA_VA, pv_pte(table, PTE_KERNEL_RO), UVMF_INVLPG));
    for (unsigned way = 0; way < 4; way++) {
        bits_by("RW to a table", l1, pv_pte(table, PTE_KERNEL), way);
        bits_by("RW to the root", l1, pv_pte(pv_va_to_mfn(l4), PTE_KERNEL), way);
        bits_by("frame past memory", l1, (1ul << 51) | PTE_KERNEL_RO, way);
    }
    byte_writes(l1);
    refused("2 MiB page", pv_set_entry(l2, (*l2 & ~PTE_FRAME) | PTE_PSE | PTE_KERNEL));
    refused("PSE on a table", pv_set_entry(l2, *l2 | PTE_PSE));
    refused("1 GiB page", pv_set_entry(l3, PTE_PSE | PTE_KERNEL));
    refused("PSE in the root", pv_set_entry(&l4[pv_index(AREA_VA, 4)],
                                            l4[pv_index(AREA_VA, 4)] | PTE_PSE));
    for (unsigned slot = 256; slot < 272; slot++) {
        uint64_t was = l4[slot];

        u.ptr = pv_maddr(&l4[slot]);
        u.val = l4[pv_index(AREA_VA, 4)];
        pv_mmu_update(&u, 1, NULL, DOMID_SELF);
        holds("hypervisor slot unchanged", l4[slot] == was);
    }
}

/* R7 */
static void recursion(void)
{
    uint64_t *root = pv_table(0, 4);
    uint64_t *t[5];

    for (unsigned level = 1; level <= 4; level++)
        t[level] = table_page();
    /* Each level's table refers to itself, then to one of its own level, then to one higher. */
    for (unsigned level = 1; level <= 4; level++) {
        unsigned pin = MMUEXT_PIN_L1_TABLE + level - 1;
        uint64_t flags = level == 1 ? PTE_KERNEL : PTE_TABLE;

        t[level][0] = pv_pte(pv_va_to_mfn(t[level]), flags);
        table_ready(t[level]);
        refused("table that holds itself", pv_ext_mfn(pin, pv_va_to_mfn(t[level])));
        pv_set_readonly(t[level], false);
        t[level][0] = pv_pte(pv_va_to_mfn(root), flags);
        table_ready(t[level]);
        refused("table that holds the root", pv_ext_mfn(pin, pv_va_to_mfn(t[level])));
        pv_set_readonly(t[level], false);
    }
    refused("root that holds itself", pv_set_entry(&root[40], pv_pte(pv_va_to_mfn(root),
                                                                     PTE_TABLE)));
    if (!attack_on_xen) /* the reference may be built to allow read-only linear tables */
        refused("root that holds itself read-only",
                pv_set_entry(&root[40], pv_pte(pv_va_to_mfn(root), PTE_P | PTE_US | PTE_A)));
    /* Two fresh tables that refer to each other, two levels apart. */
    memset(t[2], 0, PAGE_SIZE);
    memset(t[3], 0, PAGE_SIZE);
    t[3][0] = pv_pte(pv_va_to_mfn(t[2]), PTE_TABLE);
    t[2][0] = pv_pte(pv_va_to_mfn(t[3]), PTE_TABLE);
    table_ready(t[2]);
    table_ready(t[3]);
    refused("cycle from L3", pv_ext_mfn(MMUEXT_PIN_L3_TABLE, pv_va_to_mfn(t[3])));
    refused("cycle from L2", pv_ext_mfn(MMUEXT_PIN_L2_TABLE, pv_va_to_mfn(t[2])));
    for (unsigned level = 1; level <= 4; level++) {
        pv_set_readonly(t[level], false);
        holds("no type is left", can_be_written(pv_va_to_mfn(t[level])));
    }
}

/* R8: a table must be out of reach of every old writable translation. */
static void stale_writes(void)
{
    uint64_t *l1 = pv_make_l1(AREA_VA), *page = table_page();
    uint64_t mfn = pv_va_to_mfn(page), alias = AREA_VA + PAGE_SIZE;
    volatile uint64_t *stale = (uint64_t *)alias;

    holds("alias", !pv_update_va_mapping(alias, pv_pte(mfn, PTE_KERNEL), UVMF_INVLPG));
    *stale = 0;
    table_ready(page);
    refused("pin while mapped RW elsewhere", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
    *stale = 0; /* the translation is in the TLB now, and stays: no flush is asked for */
    holds("alias made read-only",
          !pv_update_va_mapping(alias, pv_pte(mfn, PTE_KERNEL_RO), UVMF_NONE));
    holds("pin", !pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
    stopped("write through a stale translation",
            pv_try_write(alias, pv_pte(pv_va_to_mfn(l1), PTE_KERNEL)));
    holds("table unchanged", page[0] == 0);
    refused("make it writable again by mapping", pv_set_readonly(page, false));
    /* The same by unmapping instead, and as part of a live tree. */
    pv_ext_mfn(MMUEXT_UNPIN_TABLE, mfn);
    holds("alias back", !pv_update_va_mapping(alias, pv_pte(mfn, PTE_KERNEL), UVMF_INVLPG));
    *stale = 0;
    holds("alias removed", !pv_update_va_mapping(alias, 0, UVMF_NONE));
    holds("hooked in", !pv_set_entry(&pv_table(AREA_VA, 2)[pv_index(AREA_VA, 2) + 1],
                                     pv_pte(mfn, PTE_TABLE)));
    stopped("write through a removed translation",
            pv_try_write(alias, pv_pte(pv_va_to_mfn(l1), PTE_KERNEL)));
    holds("live table unchanged", page[0] == 0);
}

/* R9: tables whose last entry is bad; whatever the walk took must be given back, each time. */
static void partial_tables(void)
{
    uint64_t *l2 = table_page(), *l1[8], *data = pv_page_alloc(), *l4;

    for (unsigned i = 0; i < 8; i++) {
        l1[i] = table_page();
        l1[i][0] = pv_pte(pv_va_to_mfn(data), PTE_KERNEL);
        table_ready(l1[i]);
        l2[i] = pv_pte(pv_va_to_mfn(l1[i]), PTE_TABLE);
    }
    l2[511] = pv_pte(pv_va_to_mfn(data), PTE_TABLE); /* data is mapped writable */
    table_ready(l2);
    for (unsigned n = 0; n < 64; n++)
        refused("L2 with a bad last entry", pv_ext_mfn(MMUEXT_PIN_L2_TABLE, pv_va_to_mfn(l2)));
    for (unsigned i = 0; i < 8; i++) {
        holds("child released", !pv_set_readonly(l1[i], false));
        table_ready(l1[i]);
    }
    holds("parent released", !pv_set_readonly(l2, false));
    l2[511] = 0;
    table_ready(l2);
    holds("pin once it is right", !pv_ext_mfn(MMUEXT_PIN_L2_TABLE, pv_va_to_mfn(l2)));
    refused("child writable while its parent lives", pv_set_readonly(l1[3], false));
    refused("pin as another level", pv_ext_mfn(MMUEXT_PIN_L3_TABLE, pv_va_to_mfn(l2)));
    refused("pin twice", pv_ext_mfn(MMUEXT_PIN_L2_TABLE, pv_va_to_mfn(l2)));
    holds("unpin", !pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(l2)));
    refused("unpin twice", pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(l2)));
    holds("child free again", !pv_set_readonly(l1[3], false));
    /* A root with good entries and one whose child is no table. */
    l4 = table_page();
    l4[0] = pv_table(0, 4)[511];
    l4[300] = l4[0];
    l4[510] = pv_pte(pv_va_to_mfn(data), PTE_TABLE);
    table_ready(l4);
    for (unsigned n = 0; n < 16; n++) {
        refused("root with a bad entry", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(l4)));
        refused("load it", pv_ext_mfn(MMUEXT_NEW_BASEPTR, pv_va_to_mfn(l4)));
    }
    holds("root released", !pv_set_readonly(l4, false));
}

/* R10: frames given away or retyped while translations, or the CPU's root, still refer to them. */
static void missed_flushes(void)
{
    uint64_t *root = pv_table(0, 4), *page = pv_page_alloc(), *fresh;
    uint64_t mfn = pv_va_to_mfn(page), stale = AREA_VA + PAGE_SIZE, probe = AREA_VA + 2 * PAGE_SIZE;
    uint64_t pfn = ((uint64_t)page - PV_VIRT_BASE) >> PAGE_SHIFT, frame = mfn;
    struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};

    PV_SET_PTR(res.extent_start, &frame);
    refused("root writable while loaded", pv_set_readonly(root, false));
    pv_ext_mfn(MMUEXT_UNPIN_TABLE, pv_va_to_mfn(root));
    refused("root writable while loaded and unpinned", pv_set_readonly(root, false));
    holds("root pinned again", !pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(root)));

    pv_make_l1(AREA_VA);
    holds("alias", !pv_update_va_mapping(stale, pv_pte(mfn, PTE_KERNEL), UVMF_INVLPG));
    *(volatile uint64_t *)stale = 1;
    holds("alias removed", !pv_update_va_mapping(stale, 0, UVMF_NONE));
    holds("own mapping removed", !pv_update_va_mapping((uint64_t)page, 0, UVMF_INVLPG));
    holds("frame given back", pv_memory_op(XENMEM_decrease_reservation, &res) == 1);
    refused("map a frame given back", pv_update_va_mapping(probe, pv_pte(mfn, PTE_KERNEL), 0));
    frame = pfn;
    holds("frame taken", pv_memory_op(XENMEM_populate_physmap, &res) == 1);
    holds("it is mapped", !pv_update_va_mapping(probe, pv_pte(frame, PTE_KERNEL), UVMF_INVLPG));
    fresh = (uint64_t *)probe;
    fresh[0] = 0x1234;
    pv_try_write(stale, 0xbad);
    holds("new owner's data intact", pv_load(&fresh[0]) == 0x1234);
}

const struct attack table_attacks[] = {
    {"r6", "entry bits that fast paths could miss", entry_bits, ATTACK_SURVIVES},
    {"r7", "recursive and same-level tables", recursion, ATTACK_SURVIVES},
    {"r8", "writing a table through stale translations", stale_writes, ATTACK_SURVIVES},
    {"r9", "tables that are valid in part", partial_tables, ATTACK_SURVIVES},
    {"r10", "frames reused before they are flushed", missed_flushes, ATTACK_SURVIVES},
    {.name = NULL},
};
