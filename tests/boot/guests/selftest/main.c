/* SPDX-License-Identifier: MIT */
/* Runs every group and counts. */
#include "selftest.h"

bool selftest_on_xen;

static unsigned passed, failed;
static const char *group;

void selftest_result(const char *what, bool ok, uint64_t got, uint64_t want)
{
    if (ok) {
        passed++;
        pv_printf("PASS %s: %s\n", group, what);
        return;
    }
    failed++;
    pv_printf("FAIL %s: %s: %lx, expected %lx\n", group, what, got, want);
}

static uint64_t area_mfns[16];

uint64_t *selftest_area(unsigned n)
{
    uint64_t *l1 = pv_make_l1(AREA_VA);

    for (unsigned i = 0; i < n; i++) {
        area_mfns[i] = pv_va_to_mfn(pv_page_alloc());
        pv_update_va_mapping(AREA_VA + i * PAGE_SIZE, pv_pte(area_mfns[i], PTE_KERNEL),
                             UVMF_INVLPG);
    }
    return l1;
}

uint64_t selftest_area_mfn(unsigned i)
{
    return area_mfns[i];
}

static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"boot", test_boot},     {"calls", test_calls},   {"traps", test_traps},
    {"mmu", test_mmu},       {"ptwr", test_ptwr},     {"memory", test_memory},
    {"descriptors", test_descriptors},                {"cpu", test_cpu},
    {"events", test_events}, {"time", test_time},     {"grants", test_grants},
    {"user", test_user},     {"vcpu_info", test_vcpu_info},
    {"smp", test_smp},
};

void pv_main(void)
{
    char only[16] = "", on[8];

    selftest_on_xen = pv_option("on=", on, sizeof(on)) && !strcmp(on, "xen");
    pv_option("only=", only, sizeof(only));
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        if (*only && strcmp(only, groups[i].name))
            continue;
        group = groups[i].name;
        groups[i].run();
    }
    pv_printf("SELFTEST: %u passed, %u failed\n", passed, failed);
}
