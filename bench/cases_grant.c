/* SPDX-License-Identifier: MIT */
/* Grants of the domain to itself: mapped, unmapped, copied, one a call and 32 a call. */
#include "bench.h"
#include <pvguest/grant.h>

#define TABLE_VA 0x0000110000000000ul
#define MAP_VA   0x0000120000000000ul
#define GRANTS   32
#define OWN_ID   0 /* the guest is booted as domain 0 */

static struct gnttab_map_grant_ref map[GRANTS];
static struct gnttab_unmap_grant_ref unmap[GRANTS];
static struct gnttab_copy copy[GRANTS];

static void check_map(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        bench_check("grant map", map[i].status);
        unmap[i].host_addr = map[i].host_addr;
        unmap[i].handle = map[i].handle;
        unmap[i].dev_bus_addr = 0;
    }
}

static void bench_map(unsigned per_call, const char *map_name, const char *unmap_name)
{
    struct bench_clock up = {.best = 0}, down = {.best = 0};

    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        bench_round_begin(&up);
        for (unsigned i = 0; i < GRANTS; i += per_call)
            CALL3(grant_table_op, GNTTABOP_map_grant_ref, &map[i], per_call);
        bench_round_end(&up);
        check_map(GRANTS);
        bench_round_begin(&down);
        for (unsigned i = 0; i < GRANTS; i += per_call)
            CALL3(grant_table_op, GNTTABOP_unmap_grant_ref, &unmap[i], per_call);
        bench_round_end(&down);
        for (unsigned i = 0; i < GRANTS; i++)
            bench_check("grant unmap", unmap[i].status);
    }
    bench_report(map_name, &up, GRANTS);
    bench_report(unmap_name, &down, GRANTS);
}

static void bench_copy(unsigned per_call, const char *name)
{
    struct bench_clock c = {.best = 0};

    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        bench_round_begin(&c);
        for (unsigned i = 0; i < GRANTS; i += per_call)
            CALL3(grant_table_op, GNTTABOP_copy, &copy[i], per_call);
        bench_round_end(&c);
        for (unsigned i = 0; i < GRANTS; i++)
            bench_check("grant copy", copy[i].status);
    }
    bench_report(name, &c, GRANTS);
}

void bench_grant(void)
{
    uint8_t *granted = pv_pages_alloc(GRANTS), *target = pv_pages_alloc(GRANTS);

    bench_check("grant table", pv_grant_init(1, TABLE_VA));
    bench_check("grant area", pv_make_l1(MAP_VA) ? 0 : -XEN_ENOMEM);
    for (unsigned i = 0; i < GRANTS; i++) {
        pv_grant_give(PV_GRANT_FIRST + i, OWN_ID, pv_va_to_mfn(granted + i * PAGE_SIZE), false);
        map[i].host_addr = MAP_VA + i * PAGE_SIZE;
        map[i].flags = GNTMAP_host_map;
        map[i].ref = PV_GRANT_FIRST + i;
        map[i].dom = OWN_ID;
        copy[i].source.u.ref = PV_GRANT_FIRST + i;
        copy[i].source.domid = OWN_ID;
        copy[i].dest.u.gmfn = pv_va_to_mfn(target + i * PAGE_SIZE);
        copy[i].dest.domid = DOMID_SELF;
        copy[i].len = 64;
        copy[i].flags = GNTCOPY_source_gref;
    }
    bench_map(1, "grant_map_1", "grant_unmap_1");
    bench_map(32, "grant_map_32", "grant_unmap_32");
    bench_copy(1, "grant_copy_1");
    bench_copy(32, "grant_copy_32");
}
