/* SPDX-License-Identifier: MIT */
/* Changes of page-table entries: 512 present read-write 4 KiB entries turn from one frame to
 * another and back, so that both frames' counts move each time. */
#include "bench.h"

#define MAX_CALLS 64

uint64_t *area_l1;
uint64_t area_ptes[2][ENTRIES]; /* what each entry holds in even and in odd rounds */
static struct mmu_update reqs[2][ENTRIES];
static struct multicall_entry va_calls[2][ENTRIES], mmu_calls[2][ENTRIES];

static void prepare(unsigned side, unsigned i, uint64_t mfn)
{
    struct multicall_entry *va = &va_calls[side][i], *mmu = &mmu_calls[side][i];

    area_ptes[side][i] = pv_pte(mfn, PTE_KERNEL);
    reqs[side][i].ptr = pv_maddr(&area_l1[i]) | MMU_NORMAL_PT_UPDATE;
    reqs[side][i].val = area_ptes[side][i];
    va->op = __HYPERVISOR_update_va_mapping;
    va->args[0] = AREA_VA + i * PAGE_SIZE;
    va->args[1] = area_ptes[side][i];
    mmu->op = __HYPERVISOR_mmu_update;
    mmu->args[0] = (uint64_t)&reqs[side][i];
    mmu->args[1] = 1;
    mmu->args[3] = DOMID_SELF;
}

static void area_init(void)
{
    uint8_t *frames[2] = {pv_pages_alloc(ENTRIES), pv_pages_alloc(ENTRIES)};

    area_l1 = pv_make_l1(AREA_VA);
    bench_check("area", area_l1 && frames[0] && frames[1] ? 0 : -XEN_ENOMEM);
    for (unsigned side = 0; side < 2; side++)
        for (unsigned i = 0; i < ENTRIES; i++)
            prepare(side, i, pv_va_to_mfn(frames[side] + i * PAGE_SIZE));
}

/* Every entry as odd rounds leave it, so that an even one changes all. */
static void area_reset(void)
{
    bench_check("fill", pv_mmu_update(reqs[1], ENTRIES, NULL, DOMID_SELF));
}

static void bench_mmu_update(unsigned batch)
{
    struct bench_clock c = {.rounds = 0};
    unsigned done;

    area_reset();
    for (unsigned round = 0; round < bench_rounds; round++) {
        long rc = 0;

        bench_round_begin(&c);
        for (unsigned i = 0; i < ENTRIES; i += batch)
            rc |= CALL4(mmu_update, &reqs[round & 1][i], batch, &done, DOMID_SELF);
        bench_round_end(&c);
        bench_check("mmu_update", rc);
    }
    bench_report("mmu_update", batch, &c, ENTRIES);
}

static void bench_multicall(const char *name, struct multicall_entry calls[2][ENTRIES],
                            unsigned batch)
{
    struct bench_clock c = {.rounds = 0};

    area_reset();
    for (unsigned round = 0; round < bench_rounds; round++) {
        struct multicall_entry *call = calls[round & 1];
        long rc = 0;

        bench_round_begin(&c);
        for (unsigned i = 0; i < ENTRIES; i += batch)
            rc |= CALL2(multicall, &call[i], batch);
        bench_round_end(&c);
        for (unsigned i = 0; i < ENTRIES; i++)
            rc |= (long)call[i].result;
        bench_check(name, rc);
    }
    bench_report(name, batch, &c, ENTRIES);
}

static void bench_va(const char *name, uint64_t flags)
{
    struct bench_clock c = {.rounds = 0};

    area_reset();
    for (unsigned round = 0; round < bench_rounds; round++) {
        uint64_t *pte = area_ptes[round & 1];
        long rc = 0;

        bench_round_begin(&c);
        for (unsigned i = 0; i < ENTRIES; i++)
            rc |= CALL3(update_va_mapping, AREA_VA + i * PAGE_SIZE, pte[i], flags);
        bench_round_end(&c);
        bench_check(name, rc);
    }
    bench_report(name, 0, &c, ENTRIES);
}

static void bench_trapped(void)
{
    struct bench_clock c = {.rounds = 0};
    volatile uint64_t *entry = area_l1;

    area_reset();
    for (unsigned round = 0; round < bench_rounds; round++) {
        uint64_t *pte = area_ptes[round & 1];

        bench_round_begin(&c);
        for (unsigned i = 0; i < ENTRIES; i++)
            entry[i] = pte[i];
        bench_round_end(&c);
    }
    bench_report("trapped_pte_write", 0, &c, ENTRIES);
}

void bench_updates(void)
{
    area_init();
    for (unsigned batch = 1; batch <= ENTRIES; batch *= 2)
        bench_mmu_update(batch);
    for (unsigned batch = 1; batch <= MAX_CALLS; batch *= 2)
        bench_multicall("multicall_mmu", mmu_calls, batch);
    for (unsigned batch = 1; batch <= MAX_CALLS; batch *= 2)
        bench_multicall("multicall_va", va_calls, batch);
    bench_va("update_va_mapping", UVMF_INVLPG);
    bench_va("update_va_mapping_bare", 0);
    bench_trapped();
}
