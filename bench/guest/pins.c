/* SPDX-License-Identifier: MIT */
/* Pinning and unpinning: one L1 of 512 entries, and trees of an L2, L3, L4 over eight such. */
#include "bench.h"

#define LEAF_TABLES 8

static uint64_t make_table(uint64_t *table)
{
    bench_check("pin: read-only", pv_set_readonly(table, true));
    return pv_pte(pv_va_to_mfn(table), PTE_TABLE);
}

static void bench_pin(unsigned cmd, uint64_t entry, const char *pin_name, const char *unpin_name)
{
    struct mmuext_op pin = {.cmd = cmd, .arg1.mfn = entry >> PAGE_SHIFT};
    struct mmuext_op unpin = {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = entry >> PAGE_SHIFT};
    struct bench_clock up = {.rounds = 0}, down = {.rounds = 0};

    for (unsigned round = 0; round < bench_rounds; round++) {
        long rc;

        bench_round_begin(&up);
        rc = CALL4(mmuext_op, &pin, 1, NULL, DOMID_SELF);
        bench_round_end(&up);
        bench_check(pin_name, rc);
        bench_round_begin(&down);
        rc = CALL4(mmuext_op, &unpin, 1, NULL, DOMID_SELF);
        bench_round_end(&down);
        bench_check(unpin_name, rc);
    }
    bench_report(pin_name, 0, &up, 1);
    bench_report(unpin_name, 0, &down, 1);
}

void bench_pins(void)
{
    uint64_t *leaves = pv_pages_alloc(LEAF_TABLES), *l2 = pv_page_alloc(), *l3 = pv_page_alloc(),
             *l4 = pv_page_alloc();

    bench_check("pin: pages", leaves && l2 && l3 && l4 ? 0 : -XEN_ENOMEM);
    for (unsigned i = 0; i < LEAF_TABLES; i++) {
        uint64_t *l1 = leaves + i * ENTRIES;

        memcpy(l1, area_ptes[0], sizeof(area_ptes[0]));
        l2[i] = make_table(l1);
    }
    l3[0] = make_table(l2);
    l4[0] = make_table(l3);
    bench_pin(MMUEXT_PIN_L1_TABLE, l2[0] & PTE_FRAME, "pin_l1", "unpin_l1");
    bench_pin(MMUEXT_PIN_L2_TABLE, l3[0] & PTE_FRAME, "pin_l2", "unpin_l2");
    bench_pin(MMUEXT_PIN_L3_TABLE, l4[0] & PTE_FRAME, "pin_l3", "unpin_l3");
    bench_pin(MMUEXT_PIN_L4_TABLE, make_table(l4) & PTE_FRAME, "pin_l4", "unpin_l4");
}
