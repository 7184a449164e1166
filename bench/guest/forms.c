/* SPDX-License-Identifier: MIT */
/* One call per update, guest-lib's lazy batch, multicalls of single updates, and plain stores that
 * the hypervisor emulates ("writable page tables"). */
#include "bench.h"
#include "forms.h"
#include <pvguest/lazy.h>
#include <pvguest/trap.h>

#define MAX_CALLS 32

static void nothing(void)
{
}

/* --- One call per update --- */

static void each_set(uint64_t *entry, uint64_t va, uint64_t value)
{
    struct mmu_update u = {.ptr = pv_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = value};

    (void)va;
    bench_check("mmu_update", CALL4(mmu_update, &u, 1, NULL, DOMID_SELF));
}

static void switch_cpu(const struct bench_task *t)
{
    CALL2(stack_switch, PV_SS, t->stack);
    CALL2(set_segment_base, SEGBASE_FS, t->segment_base);
    CALL1(fpu_taskswitch, 1);
}

static void each_switch(const struct bench_task *t)
{
    bench_check("new_baseptr", CALL4(mmuext_op, &t->roots[0], 1, NULL, DOMID_SELF));
    bench_check("new_user_baseptr", CALL4(mmuext_op, &t->roots[1], 1, NULL, DOMID_SELF));
    switch_cpu(t);
}

/* --- The lazy batch; a change that must be in force at once is made outside of it --- */

static void lazy_set(uint64_t *entry, uint64_t va, uint64_t value)
{
    (void)va;
    pv_lazy_update(pv_maddr(entry) | MMU_NORMAL_PT_UPDATE, value);
}

static void lazy_switch(const struct bench_task *t)
{
    pv_lazy_ext(&t->roots[0]);
    pv_lazy_ext(&t->roots[1]);
    pv_lazy_flush();
    switch_cpu(t);
}

/* --- Multicalls --- */

static struct multicall_entry calls[MAX_CALLS];
static struct mmu_update requests[MAX_CALLS];
static unsigned call_count;

static void multicall_flush(void)
{
    unsigned count = call_count;

    if (!count)
        return;
    call_count = 0;
    bench_check("multicall", CALL2(multicall, calls, count));
    for (unsigned i = 0; i < count; i++)
        bench_check("a call of a multicall", calls[i].result);
}

static struct multicall_entry *next_call(unsigned op)
{
    struct multicall_entry *c;

    if (call_count == MAX_CALLS)
        multicall_flush();
    c = &calls[call_count++];
    c->op = op;
    return c;
}

static void multicall_set(uint64_t *entry, uint64_t va, uint64_t value)
{
    struct multicall_entry *c;
    struct mmu_update *u;

    if (va) {
        c = next_call(__HYPERVISOR_update_va_mapping);
        c->args[0] = va;
        c->args[1] = value;
        c->args[2] = 0;
        return;
    }
    c = next_call(__HYPERVISOR_mmu_update);
    u = &requests[c - calls];
    *u = (struct mmu_update){.ptr = pv_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = value};
    c->args[0] = (uint64_t)u;
    c->args[1] = 1;
    c->args[2] = 0;
    c->args[3] = DOMID_SELF;
}

static void multicall_set_now(uint64_t *entry, uint64_t va, uint64_t value)
{
    (void)entry;
    bench_check("update_va_mapping", CALL3(update_va_mapping, va, value, 0));
}

static void multicall_switch(const struct bench_task *t)
{
    struct multicall_entry *c = next_call(__HYPERVISOR_mmuext_op);

    c->args[0] = (uint64_t)t->roots;
    c->args[1] = 2;
    c->args[2] = 0;
    c->args[3] = DOMID_SELF;
    c = next_call(__HYPERVISOR_stack_switch);
    c->args[0] = PV_SS;
    c->args[1] = t->stack;
    c = next_call(__HYPERVISOR_set_segment_base);
    c->args[0] = SEGBASE_FS;
    c->args[1] = t->segment_base;
    c = next_call(__HYPERVISOR_fpu_taskswitch);
    c->args[0] = 1;
}

/* --- Plain stores --- */

static void store_set(uint64_t *entry, uint64_t va, uint64_t value)
{
    (void)va;
    pv_store(entry, value);
}

const struct bench_form bench_forms[BENCH_FORMS] = {
    {"each", nothing, nothing, each_set, each_set, each_switch},
    {"lazy", pv_lazy_begin, pv_lazy_end, lazy_set, lazy_set, lazy_switch},
    {"multicall", nothing, multicall_flush, multicall_set, multicall_set_now, multicall_switch},
    {"writable", nothing, nothing, store_set, store_set, each_switch},
};

const struct bench_form *const bench_form_lazy = &bench_forms[1];
