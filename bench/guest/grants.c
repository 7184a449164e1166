/* SPDX-License-Identifier: MIT */
/* Grants of the domain to itself: mapped, unmapped, copied, 1 to 64 of them a call. */
#include "bench.h"
#include <pvguest/grant.h>

#define TABLE_VA 0x0000110000000000ul
#define MAP_VA   0x0000120000000000ul
#define GRANTS   64
#define OWN_ID   0 /* the guest is booted as domain 0 */

static struct gnttab_map_grant_ref map[GRANTS];
static struct gnttab_unmap_grant_ref unmap[GRANTS];
static struct gnttab_copy copy[GRANTS];

static void check_map(void)
{
    for (unsigned i = 0; i < GRANTS; i++) {
        bench_check("grant map", map[i].status);
        unmap[i].host_addr = map[i].host_addr;
        unmap[i].handle = map[i].handle;
        unmap[i].dev_bus_addr = 0;
    }
}

static void bench_map(unsigned batch)
{
    struct bench_clock up = {.rounds = 0}, down = {.rounds = 0};

    for (unsigned round = 0; round < bench_rounds; round++) {
        bench_round_begin(&up);
        for (unsigned i = 0; i < GRANTS; i += batch)
            CALL3(grant_table_op, GNTTABOP_map_grant_ref, &map[i], batch);
        bench_round_end(&up);
        check_map();
        bench_round_begin(&down);
        for (unsigned i = 0; i < GRANTS; i += batch)
            CALL3(grant_table_op, GNTTABOP_unmap_grant_ref, &unmap[i], batch);
        bench_round_end(&down);
        for (unsigned i = 0; i < GRANTS; i++)
            bench_check("grant unmap", unmap[i].status);
    }
    bench_report("grant_map", batch, &up, GRANTS);
    bench_report("grant_unmap", batch, &down, GRANTS);
}

static void bench_copy(unsigned batch)
{
    struct bench_clock c = {.rounds = 0};

    for (unsigned round = 0; round < bench_rounds; round++) {
        bench_round_begin(&c);
        for (unsigned i = 0; i < GRANTS; i += batch)
            CALL3(grant_table_op, GNTTABOP_copy, &copy[i], batch);
        bench_round_end(&c);
        for (unsigned i = 0; i < GRANTS; i++)
            bench_check("grant copy", copy[i].status);
    }
    bench_report("grant_copy", batch, &c, GRANTS);
}

static void prepare(unsigned i, const uint8_t *granted, const uint8_t *target)
{
    unsigned ref = PV_GRANT_FIRST + i;

    pv_grant_give(ref, OWN_ID, pv_va_to_mfn(granted), false);
    map[i].host_addr = MAP_VA + i * PAGE_SIZE;
    map[i].flags = GNTMAP_host_map;
    map[i].ref = ref;
    map[i].dom = OWN_ID;
    copy[i].source.u.ref = ref;
    copy[i].source.domid = OWN_ID;
    copy[i].dest.u.gmfn = pv_va_to_mfn(target);
    copy[i].dest.domid = DOMID_SELF;
    copy[i].len = 64;
    copy[i].flags = GNTCOPY_source_gref;
}

void bench_grants(void)
{
    uint8_t *granted = pv_pages_alloc(GRANTS), *target = pv_pages_alloc(GRANTS);

    bench_check("grant table", pv_grant_init(1, TABLE_VA));
    bench_check("grant area", pv_make_l1(MAP_VA) && granted && target ? 0 : -XEN_ENOMEM);
    for (unsigned i = 0; i < GRANTS; i++)
        prepare(i, granted + i * PAGE_SIZE, target + i * PAGE_SIZE);
    for (unsigned batch = 1; batch <= GRANTS; batch *= 2) {
        bench_map(batch);
        bench_copy(batch);
    }
}
