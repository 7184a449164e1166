/* SPDX-License-Identifier: MIT */
/* R19 and R20: grant accounting, and the grant features that must not exist. */
#include "attack.h"
#include <pvguest/grant.h>

#define TABLE_VA 0x0000110000000000ul
#define MAP_VA   0x0000120000000000ul
#define REF      PV_GRANT_FIRST
#define OWN_ID   0

static long map_at(uint64_t va, unsigned ref, unsigned flags, unsigned *handle)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = va, .flags = flags, .ref = ref, .dom = OWN_ID, .status = 99};
    long rc = pv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    if (handle)
        *handle = op.handle;
    return rc ? rc : op.status;
}

static long unmap_at(uint64_t va, unsigned handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = va, .handle = handle, .status = 99};
    long rc = pv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return rc ? rc : op.status;
}

static void bad_maps(uint64_t mfn)
{
    static const unsigned refs[] = {REF + 1, 511, 512, 4096, 0x7fffffff, 0xffffffff};
    unsigned h;

    pv_grant_give(REF, OWN_ID, mfn, true);
    refused("RW map of a read-only grant", map_at(MAP_VA, REF, GNTMAP_host_map, &h));
    refused("map with no address kind", map_at(MAP_VA, REF, 0, &h));
    refused("map into the hypervisor",
            map_at(HV_INSIDE_VA, REF, GNTMAP_host_map | GNTMAP_readonly, &h));
    refused("map at a non-canonical address",
            map_at(NONCANON_VA, REF, GNTMAP_host_map | GNTMAP_readonly, &h));
    refused("map where there is no table",
            map_at(MAP_VA * 2, REF, GNTMAP_host_map | GNTMAP_readonly, &h));
    refused("map into a frame that is no table",
            map_at(mfn << PAGE_SHIFT, REF,
                   GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte, &h));
    refused("map into the root", map_at(pv_maddr(pv_table(0, 4)), REF,
                                        GNTMAP_host_map | GNTMAP_readonly | GNTMAP_contains_pte,
                                        &h));
    for (unsigned i = 0; i < ARRAY_SIZE(refs); i++)
        refused("map of an unused ref", map_at(MAP_VA, refs[i], GNTMAP_host_map, &h));
    pv_grant_give(REF, 5, mfn, false);
    refused("map of somebody else's grant", map_at(MAP_VA, REF, GNTMAP_host_map, &h));
    pv_grant_give(REF, OWN_ID, 1ul << 31, false);
    refused("map of a frame past memory", map_at(MAP_VA, REF, GNTMAP_host_map, &h));
}

static void handles(uint64_t mfn)
{
    unsigned h, second;

    pv_grant_give(REF, OWN_ID, mfn, false);
    holds("map", !map_at(MAP_VA, REF, GNTMAP_host_map, &h));
    refused("unmap of a handle never given", unmap_at(MAP_VA, h + 1));
    refused("unmap of handle 2^32-1", unmap_at(MAP_VA, 0xffffffff));
    refused("unmap elsewhere", unmap_at(MAP_VA + PAGE_SIZE, h));
    holds("still marked as in use", !pv_grant_end(REF));
    holds("second map", !map_at(MAP_VA + PAGE_SIZE, REF, GNTMAP_host_map, &second));
    /* What the handle says it maps is no longer there. */
    holds("entry changed behind the handle",
          !pv_update_va_mapping(MAP_VA, pv_pte(pv_va_to_mfn(pv_page_alloc()), PTE_KERNEL),
                                UVMF_INVLPG));
    holds("unmap of the changed entry", (unmap_at(MAP_VA, h), true));
    holds("unmap of the second", !unmap_at(MAP_VA + PAGE_SIZE, second));
    refused("unmap twice", unmap_at(MAP_VA + PAGE_SIZE, second));
    holds("entry put back",
          !pv_update_va_mapping(MAP_VA, pv_pte(mfn, PTE_KERNEL), UVMF_INVLPG));
    holds("unmap of the entry put back", !unmap_at(MAP_VA, h));
    holds("no longer in use", pv_grant_end(REF));
}

/* A frame mapped writable by a grant must not become a table, nor a table be granted writable. */
static void types(uint64_t *page)
{
    uint64_t mfn = pv_va_to_mfn(page);
    unsigned h;

    pv_grant_give(REF, OWN_ID, mfn, false);
    holds("map", !map_at(MAP_VA, REF, GNTMAP_host_map, &h));
    table_ready(page);
    refused("table mapped by a grant", pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
    *(volatile uint64_t *)MAP_VA = 0;
    holds("unmap", !unmap_at(MAP_VA, h));
    stopped("write after the unmap", pv_try_write(MAP_VA, 1));
    holds("now a table", !pv_ext_mfn(MMUEXT_PIN_L1_TABLE, mfn));
    refused("writable grant map of a table", map_at(MAP_VA, REF, GNTMAP_host_map, &h));
    holds("unpin", !pv_ext_mfn(MMUEXT_UNPIN_TABLE, mfn));
    pv_set_readonly(page, false);
    pv_grant_give(REF, OWN_ID, pv_start_info->shared_info >> PAGE_SHIFT, false);
    map_at(MAP_VA, REF, GNTMAP_host_map, &h);
    unmap_at(MAP_VA, h);
}

static long copy(unsigned len, unsigned src_off, unsigned dst_off, uint64_t dst, unsigned flags)
{
    struct gnttab_copy c = {.source.u.ref = REF,
                            .source.domid = OWN_ID,
                            .source.offset = src_off,
                            .dest.u.gmfn = dst,
                            .dest.domid = DOMID_SELF,
                            .dest.offset = dst_off,
                            .len = len,
                            .flags = flags};
    long rc = pv_grant_table_op(GNTTABOP_copy, &c, 1);

    return rc ? rc : c.status;
}

static void copies(uint64_t mfn)
{
    uint64_t dst = pv_va_to_mfn(pv_page_alloc()), root = pv_va_to_mfn(pv_table(0, 4));

    pv_grant_give(REF, OWN_ID, mfn, false);
    refused("copy past the source page", copy(64, 4090, 0, dst, GNTCOPY_source_gref));
    refused("copy past the target page", copy(64, 0, 4090, dst, GNTCOPY_source_gref));
    refused("copy whose offsets wrap", copy(0xffff, 0xffff, 0, dst, GNTCOPY_source_gref));
    refused("copy over a page table", copy(64, 0, 0, root, GNTCOPY_source_gref));
    refused("copy to a frame past memory", copy(64, 0, 0, 1ul << 40, GNTCOPY_source_gref));
    pv_grant_give(REF, OWN_ID, mfn, true);
    {
        struct gnttab_copy c = {.source.u.gmfn = dst, .source.domid = DOMID_SELF,
                                .dest.u.ref = REF, .dest.domid = OWN_ID, .len = 8,
                                .flags = GNTCOPY_dest_gref};

        pv_grant_table_op(GNTTABOP_copy, &c, 1);
        refused("copy into a read-only grant", c.status);
    }
}

static void grant_accounting(void)
{
    uint64_t *page = pv_page_alloc();

    holds("table", !pv_grant_init(1, TABLE_VA));
    holds("area", pv_make_l1(MAP_VA) != NULL);
    bad_maps(pv_va_to_mfn(page));
    handles(pv_va_to_mfn(page));
    types(page);
    copies(pv_va_to_mfn(page));
    for (unsigned n = 0; n < 500; n++)
        map_at(HV_INSIDE_VA, REF, GNTMAP_host_map, NULL);
    holds("nothing leaked", pv_grant_end(REF) && !pv_set_readonly(page, true) &&
                                !pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(page)));
}

/* R20 */
static void missing_features(void)
{
    struct gnttab_set_version version = {.version = 2};
    struct gnttab_transfer transfer = {.mfn = pv_va_to_mfn(pv_page_alloc()), .domid = OWN_ID};
    long rc;

    version.version = 3;
    refused("version 3", pv_grant_table_op(GNTTABOP_set_version, &version, 1));
    if (attack_on_xen)
        return;
    version.version = 2;
    refused("version 2", pv_grant_table_op(GNTTABOP_set_version, &version, 1));
    rc = pv_grant_table_op(GNTTABOP_transfer, &transfer, 1);
    refused("transfer", rc ? rc : transfer.status);
    refused("cache_flush", pv_grant_table_op(GNTTABOP_cache_flush, &transfer, 1));
}

const struct attack grant_attacks[] = {
    {"r19", "grant handles, counts and types", grant_accounting, ATTACK_SURVIVES},
    {"r20", "grant features that are not there", missing_features, ATTACK_SURVIVES},
    {.name = NULL},
};
