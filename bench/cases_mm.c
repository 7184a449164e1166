/* SPDX-License-Identifier: MIT */
/* Page-table operations: 512 present read-write 4 KiB entries change from one frame to another and
 * back, so that both frames' counts move each time. */
#include "bench.h"

#define AREA_VA 0x0000100000000000ul
#define ENTRIES 512

static uint64_t *l1;
static uint64_t ptes[2][ENTRIES]; /* what each entry holds in even and in odd rounds */
static struct mmu_update reqs[2][ENTRIES];
static struct multicall_entry calls[2][ENTRIES];

static void area_init(void)
{
    uint8_t *frames[2] = {pv_pages_alloc(ENTRIES), pv_pages_alloc(ENTRIES)};

    l1 = pv_make_l1(AREA_VA);
    bench_check("area", l1 ? 0 : -XEN_ENOMEM);
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < ENTRIES; i++) {
            struct multicall_entry *call = &calls[side][i];

            ptes[side][i] = pv_pte(pv_va_to_mfn(frames[side] + i * PAGE_SIZE), PTE_KERNEL);
            reqs[side][i].ptr = pv_maddr(&l1[i]) | MMU_NORMAL_PT_UPDATE;
            reqs[side][i].val = ptes[side][i];
            call->op = __HYPERVISOR_update_va_mapping;
            call->args[0] = AREA_VA + i * PAGE_SIZE;
            call->args[1] = ptes[side][i];
            call->args[2] = 0;
        }
    }
    bench_check("fill", pv_mmu_update(reqs[1], ENTRIES, NULL, DOMID_SELF));
}

static void bench_batches(void)
{
    static const struct {
        unsigned size;
        const char *name;
    } batch[] = {{1, "mmu_update_1"}, {8, "mmu_update_8"}, {32, "mmu_update_32"},
                 {512, "mmu_update_512"}};
    unsigned done;

    for (unsigned b = 0; b < ARRAY_SIZE(batch); b++) {
        struct bench_clock c = {.best = 0};

        for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
            long rc = 0;

            bench_round_begin(&c);
            for (unsigned i = 0; i < ENTRIES; i += batch[b].size)
                rc |= CALL4(mmu_update, &reqs[round & 1][i], batch[b].size, &done, DOMID_SELF);
            bench_round_end(&c);
            bench_check(batch[b].name, rc);
        }
        bench_report(batch[b].name, &c, ENTRIES);
    }
}

static void bench_single(void)
{
    struct bench_clock va = {.best = 0}, multi = {.best = 0}, trapped = {.best = 0};

    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t *pte = ptes[round & 1];
        struct multicall_entry *call = calls[round & 1];
        volatile uint64_t *entry = l1;
        long rc = 0;

        bench_round_begin(&va);
        for (unsigned i = 0; i < ENTRIES; i++)
            rc |= CALL3(update_va_mapping, AREA_VA + i * PAGE_SIZE, pte[i], UVMF_INVLPG);
        bench_round_end(&va);
        bench_check("update_va_mapping", rc);
        pte = ptes[~round & 1];
        call = calls[~round & 1];
        bench_round_begin(&multi);
        for (unsigned i = 0; i < ENTRIES; i += 32)
            rc |= CALL2(multicall, &call[i], 32);
        bench_round_end(&multi);
        for (unsigned i = 0; i < ENTRIES; i++)
            rc |= (long)call[i].result;
        bench_check("multicall", rc);
        pte = ptes[round & 1];
        bench_round_begin(&trapped);
        for (unsigned i = 0; i < ENTRIES; i++)
            entry[i] = pte[i];
        bench_round_end(&trapped);
        /* Back to the other side, so that the next round changes every entry again. */
        bench_check("refill", pv_mmu_update(reqs[round & 1], ENTRIES, NULL, DOMID_SELF));
    }
    bench_report("update_va_mapping", &va, ENTRIES);
    bench_report("multicall_32_va", &multi, ENTRIES);
    bench_report("trapped_pte_write", &trapped, ENTRIES);
}

static void bench_pin(void)
{
    uint64_t *table = pv_page_alloc();
    struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE}, unpin = {.cmd = MMUEXT_UNPIN_TABLE};
    struct bench_clock up = {.best = 0}, down = {.best = 0};

    pin.arg1.mfn = unpin.arg1.mfn = pv_va_to_mfn(table);
    memcpy(table, ptes[0], sizeof(ptes[0]));
    bench_check("pin: read-only", pv_set_readonly(table, true));
    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        long rc;

        bench_round_begin(&up);
        rc = CALL4(mmuext_op, &pin, 1, NULL, DOMID_SELF);
        bench_round_end(&up);
        bench_check("pin", rc);
        bench_round_begin(&down);
        rc = CALL4(mmuext_op, &unpin, 1, NULL, DOMID_SELF);
        bench_round_end(&down);
        bench_check("unpin", rc);
    }
    bench_report("pin_l1_512", &up, 1);
    bench_report("unpin_l1_512", &down, 1);
}

static void bench_roots(void)
{
    uint64_t mfn = pv_va_to_mfn(pv_table(0, 4));
    struct mmuext_op root = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = mfn};
    struct mmuext_op invlpg = {.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = AREA_VA};

    bench_check("new_baseptr", CALL4(mmuext_op, &root, 1, NULL, DOMID_SELF));
    BENCH("new_baseptr", 256, CALL4(mmuext_op, &root, 1, NULL, DOMID_SELF));
    bench_check("invlpg", CALL4(mmuext_op, &invlpg, 1, NULL, DOMID_SELF));
    BENCH("invlpg_local", 256, CALL4(mmuext_op, &invlpg, 1, NULL, DOMID_SELF));
}

void bench_mm(void)
{
    area_init();
    bench_batches();
    bench_single();
    bench_pin();
    bench_roots();
}
