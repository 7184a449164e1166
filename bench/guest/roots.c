/* SPDX-License-Identifier: MIT */
/* Root switches, one and both in one call, and flushes. */
#include "bench.h"

#define OPS 256

static uint64_t current_root(void)
{
    return pv_va_to_mfn(pv_table(0, 4));
}

/* A second root with the same entries, pinned. */
static uint64_t make_root(void)
{
    uint64_t *root = pv_page_alloc();

    bench_check("root", root ? 0 : -XEN_ENOMEM);
    memcpy(root, pv_table(0, 4), PAGE_SIZE);
    bench_check("root: read-only", pv_set_readonly(root, true));
    bench_check("root: pin", pv_ext_mfn(MMUEXT_PIN_L4_TABLE, pv_va_to_mfn(root)));
    return pv_va_to_mfn(root);
}

static void bench_switches(void)
{
    struct mmuext_op op[2][2];
    uint64_t roots[2] = {current_root(), make_root()};

    for (unsigned i = 0; i < 2; i++) {
        op[i][0] = (struct mmuext_op){.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = roots[i]};
        op[i][1] = (struct mmuext_op){.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = roots[i]};
    }
    bench_check("new_baseptr", CALL4(mmuext_op, &op[0][0], 1, NULL, DOMID_SELF));
    BENCH("new_baseptr", OPS, CALL4(mmuext_op, &op[0][0], 1, NULL, DOMID_SELF));
    BENCH("new_baseptr_other", OPS, CALL4(mmuext_op, &op[~i & 1][0], 1, NULL, DOMID_SELF));
    bench_check("new_user_baseptr", CALL4(mmuext_op, &op[0][1], 1, NULL, DOMID_SELF));
    BENCH("new_user_baseptr", OPS, CALL4(mmuext_op, &op[~i & 1][1], 1, NULL, DOMID_SELF));
    BENCH("both_roots", OPS, CALL4(mmuext_op, &op[~i & 1], 2, NULL, DOMID_SELF));
    bench_check("root: back", CALL4(mmuext_op, &op[0], 2, NULL, DOMID_SELF));
}

static void bench_flush(const char *name, unsigned cmd)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.linear_addr = AREA_VA};

    bench_check(name, CALL4(mmuext_op, &op, 1, NULL, DOMID_SELF));
    BENCH(name, OPS, CALL4(mmuext_op, &op, 1, NULL, DOMID_SELF));
}

void bench_roots(void)
{
    bench_switches();
    bench_flush("invlpg_local", MMUEXT_INVLPG_LOCAL);
    bench_flush("invlpg_all", MMUEXT_INVLPG_ALL);
    bench_flush("tlb_flush_local", MMUEXT_TLB_FLUSH_LOCAL);
    bench_flush("tlb_flush_all", MMUEXT_TLB_FLUSH_ALL);
}
