/* SPDX-License-Identifier: MIT */
/* The lazy batch: two arrays of entries, and a list of runs in them that keeps the order. */
#include <pvguest/lazy.h>

#define UPDATES 256
#define EXTS    32
#define RUNS    32

struct pv_lazy_counts pv_lazy_counts;

static struct mmu_update updates[UPDATES];
static struct mmuext_op exts[EXTS];
static struct multicall_entry runs[RUNS];
static unsigned update_count, ext_count, run_count, depth;
static bool disabled;

/* Finds the first entry of a run that did not go through, by sending the rest one by one. */
static void blame_updates(const struct multicall_entry *run)
{
    const struct mmu_update *u = (const struct mmu_update *)run->args[0];

    for (unsigned i = 0; i < run->args[1]; i++) {
        long error = pv_mmu_update(&u[i], 1, NULL, DOMID_SELF);

        if (error)
            pv_lazy_refused("mmu_update", error, u[i].ptr, u[i].val);
    }
}

static void check(const struct multicall_entry *run)
{
    const struct mmuext_op *op = (const struct mmuext_op *)run->args[0];

    if (!run->result)
        return;
    if (run->op == __HYPERVISOR_mmu_update)
        blame_updates(run);
    else
        pv_lazy_refused("mmuext_op", run->result, op->cmd, op->arg1.mfn);
}

void pv_lazy_flush(void)
{
    unsigned count = run_count;

    if (!count)
        return;
    /* Empty again first: who handles a refusal may make further changes. */
    update_count = ext_count = run_count = 0;
    pv_lazy_counts.flushes++;
    pv_lazy_counts.hypercalls++;
    if (count == 1) {
        runs[0].result = pv_hypercall4(runs[0].op, runs[0].args[0], runs[0].args[1], 0, DOMID_SELF);
    } else {
        long error = pv_multicall(runs, count);

        if (error)
            pv_lazy_refused("multicall", error, count, 0);
    }
    for (unsigned i = 0; i < count; i++)
        check(&runs[i]);
}

/* The run for the next entry of the array that `first` points into, with room for one more. */
static void extend(unsigned op, const void *entry)
{
    struct multicall_entry *run = &runs[run_count - 1];

    if (run_count && run->op == op) {
        run->args[1]++;
        return;
    }
    runs[run_count++] =
        (struct multicall_entry){.op = op, .args = {(uint64_t)entry, 1, 0, DOMID_SELF}};
}

static void flush_unless_gathering(void)
{
    if (!depth || disabled || update_count == UPDATES || ext_count == EXTS || run_count == RUNS)
        pv_lazy_flush();
}

void pv_lazy_update(uint64_t ptr, uint64_t value)
{
    struct mmu_update *u = &updates[update_count++];

    pv_lazy_counts.updates++;
    *u = (struct mmu_update){.ptr = ptr, .val = value};
    extend(__HYPERVISOR_mmu_update, u);
    flush_unless_gathering();
}

void pv_lazy_ext(const struct mmuext_op *op)
{
    struct mmuext_op *o = &exts[ext_count++];

    pv_lazy_counts.exts++;
    *o = *op;
    extend(__HYPERVISOR_mmuext_op, o);
    flush_unless_gathering();
}

void pv_lazy_begin(void)
{
    depth++;
}

void pv_lazy_end(void)
{
    if (!--depth)
        pv_lazy_flush();
}

void pv_lazy_enable(bool on)
{
    pv_lazy_flush();
    disabled = !on;
}
