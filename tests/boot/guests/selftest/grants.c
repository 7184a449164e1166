/* SPDX-License-Identifier: MIT */
/* Grant table v1, granted to oneself: map, unmap, copy, and the flags in the shared entry. */
#include "selftest.h"
#include <pvguest/grant.h>

#define TABLE_VA 0x0000110000000000ul
#define MAP_VA   0x0000120000000000ul
#define REF      PV_GRANT_FIRST
#define OWN_ID   0

static uint64_t *page;
static uint64_t mfn;

static struct gnttab_map_grant_ref map(uint64_t addr, unsigned ref, unsigned flags)
{
    struct gnttab_map_grant_ref op = {.host_addr = addr, .flags = flags, .ref = ref, .dom = OWN_ID};
    long rc = pv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    if (rc)
        op.status = rc;
    return op;
}

static long unmap(uint64_t addr, unsigned handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = addr, .handle = handle};
    long rc = pv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return rc ? rc : op.status;
}

static void check_table(void)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    struct gnttab_set_version version = {.version = 1};
    struct gnttab_get_version get = {.dom = DOMID_SELF};

    CHECK_OK("query_size", pv_grant_table_op(GNTTABOP_query_size, &size, 1));
    CHECK("frames", size.status == 0 && size.nr_frames >= 1 && size.max_nr_frames >= 4);
    CHECK_OK("set_version 1", pv_grant_table_op(GNTTABOP_set_version, &version, 1));
    CHECK_OK("get_version", pv_grant_table_op(GNTTABOP_get_version, &get, 1));
    CHECK_EQ("version", get.version, 1);
    CHECK_OK("setup_table and map", pv_grant_init(2, TABLE_VA));
    CHECK("area", pv_make_l1(MAP_VA) != NULL);
    CHECK_EQ("unknown command", pv_grant_table_op(99, &size, 1), -XEN_ENOSYS);
}

static void check_map(void)
{
    struct gnttab_map_grant_ref op;

    pv_grant_give(REF, OWN_ID, mfn, false);
    page[0] = 0x6a;
    op = map(MAP_VA, REF, GNTMAP_host_map);
    CHECK_OK("map", op.status);
    CHECK_EQ("dev_bus_addr", op.dev_bus_addr, mfn << PAGE_SHIFT);
    CHECK_EQ("flags: in use for writing", pv_load(&pv_grants[REF].flags) &
             (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
    CHECK("cannot be revoked", !pv_grant_end(REF));
    *(volatile uint64_t *)MAP_VA += 1;
    CHECK_EQ("same page", pv_load(&page[0]), 0x6b);
    CHECK_OK("unmap", unmap(MAP_VA, op.handle));
    CHECK_EQ("mapping gone", pv_try_write(MAP_VA, 0), 14);
    CHECK_EQ("flags: free", pv_load(&pv_grants[REF].flags) & (GTF_reading | GTF_writing), 0);
    CHECK_EQ("unmap again", unmap(MAP_VA, op.handle), GNTST_bad_handle);
    op = map(MAP_VA, REF, GNTMAP_host_map | GNTMAP_readonly);
    CHECK_OK("read-only map", op.status);
    CHECK_EQ("flags: in use for reading", pv_load(&pv_grants[REF].flags) &
             (GTF_reading | GTF_writing), GTF_reading);
    CHECK_EQ("not writable", pv_try_write(MAP_VA, 0), 14);
    CHECK_OK("unmap", unmap(MAP_VA, op.handle));
    CHECK("can be revoked", pv_grant_end(REF));
    CHECK_EQ("map of a revoked grant", map(MAP_VA, REF, GNTMAP_host_map).status,
             GNTST_general_error);
    pv_grant_give(REF, OWN_ID, mfn, true);
    CHECK_EQ("writable map of a read-only grant", map(MAP_VA, REF, GNTMAP_host_map).status,
             GNTST_general_error);
    CHECK_EQ("ref beyond the table", map(MAP_VA, 1u << 20, GNTMAP_host_map).status,
             GNTST_bad_gntref);
}

static void check_pte_map(void)
{
    struct gnttab_map_grant_ref op;
    struct gnttab_unmap_and_replace replace = {.host_addr = MAP_VA, .new_addr = MAP_VA + PAGE_SIZE};
    uint64_t entry = pv_maddr(pv_l1_entry(MAP_VA)), spare = pv_va_to_mfn(pv_page_alloc());

    pv_grant_give(REF, OWN_ID, mfn, false);
    op = map(entry, REF, GNTMAP_host_map | GNTMAP_contains_pte);
    CHECK_OK("map by entry", op.status);
    CHECK_EQ("frame in the entry", (*pv_l1_entry(MAP_VA) & PTE_FRAME) >> PAGE_SHIFT, mfn);
    CHECK_OK("unmap by entry", unmap(entry, op.handle));
    CHECK_EQ("entry cleared", *pv_l1_entry(MAP_VA), 0);
    op = map(MAP_VA, REF, GNTMAP_host_map);
    CHECK_OK("spare page", pv_update_va_mapping(MAP_VA + PAGE_SIZE, pv_pte(spare, PTE_KERNEL),
                                                UVMF_INVLPG));
    replace.handle = op.handle;
    CHECK_OK("unmap_and_replace", pv_grant_table_op(GNTTABOP_unmap_and_replace, &replace, 1));
    CHECK_OK("its status", replace.status);
    CHECK_EQ("the spare took its place", (*pv_l1_entry(MAP_VA) & PTE_FRAME) >> PAGE_SHIFT, spare);
    CHECK_EQ("and left its own", *pv_l1_entry(MAP_VA + PAGE_SIZE), 0);
    pv_update_va_mapping(MAP_VA, 0, UVMF_INVLPG);
    CHECK("free", pv_grant_end(REF));
}

static void check_batch(void)
{
    static struct gnttab_map_grant_ref m[4];
    static struct gnttab_unmap_grant_ref u[4];

    for (unsigned i = 0; i < 4; i++) {
        pv_grant_give(REF + i, OWN_ID, mfn, false);
        m[i].host_addr = MAP_VA + i * PAGE_SIZE;
        m[i].flags = GNTMAP_host_map;
        m[i].ref = REF + i;
        m[i].dom = OWN_ID;
    }
    pv_grant_end(REF + 2);
    CHECK_OK("batch with one bad", pv_grant_table_op(GNTTABOP_map_grant_ref, m, 4));
    CHECK("the others are mapped", !m[0].status && !m[1].status && !m[3].status);
    CHECK("the bad one is not", m[2].status < 0);
    for (unsigned i = 0; i < 4; i++) {
        u[i].host_addr = m[i].host_addr;
        u[i].handle = m[i].status ? 0xffffffff : m[i].handle;
    }
    CHECK_OK("unmap", pv_grant_table_op(GNTTABOP_unmap_grant_ref, u, 4));
    CHECK("results", !u[0].status && !u[1].status && u[2].status < 0 && !u[3].status);
}

static void check_copy(void)
{
    uint8_t *from = (uint8_t *)page, *to = pv_page_alloc();
    struct gnttab_copy c = {.source.u.ref = REF,
                            .source.domid = OWN_ID,
                            .source.offset = 100,
                            .dest.u.gmfn = pv_va_to_mfn(to),
                            .dest.domid = DOMID_SELF,
                            .dest.offset = 7,
                            .len = 64,
                            .flags = GNTCOPY_source_gref};

    for (unsigned i = 0; i < PAGE_SIZE; i++)
        from[i] = i;
    pv_grant_give(REF, OWN_ID, mfn, true);
    CHECK_OK("copy from a grant", pv_grant_table_op(GNTTABOP_copy, &c, 1));
    CHECK_OK("its status", c.status);
    CHECK("bytes", !memcmp(to + 7, from + 100, 64) && to[6] == 0 && to[71] == 0);
    c.len = 4000;
    pv_grant_table_op(GNTTABOP_copy, &c, 1);
    CHECK_EQ("copy past the page", c.status, GNTST_bad_copy_arg);
    c.len = 64;
    c.source.u.gmfn = pv_va_to_mfn(to);
    c.source.domid = DOMID_SELF;
    c.dest.u.ref = REF;
    c.dest.domid = OWN_ID;
    c.flags = GNTCOPY_dest_gref;
    pv_grant_table_op(GNTTABOP_copy, &c, 1);
    CHECK("copy into a read-only grant", c.status < 0);
    pv_grant_end(REF);
    pv_grant_give(REF, OWN_ID, mfn, false);
    pv_grant_table_op(GNTTABOP_copy, &c, 1);
    CHECK_OK("copy into a grant", c.status);
    CHECK("bytes", !memcmp(from + 7, to + 100, 64));
    CHECK("free afterwards", pv_grant_end(REF));
}

void test_grants(void)
{
    page = pv_page_alloc();
    mfn = pv_va_to_mfn(page);
    check_table();
    check_map();
    check_pte_map();
    check_batch();
    check_copy();
}
