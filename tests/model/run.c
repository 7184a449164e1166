/* SPDX-License-Identifier: MIT */
/* Operations in lockstep: predicted by the model, carried out by the hypervisor's code, compared,
 * audited. */
#include <stdio.h>

#include "model.h"
#include "run.h"

#define TRACE 24
static struct op trace[TRACE];
static uint64_t trace_at;

struct run_stats run_stats;

static void print_trace(void)
{
    fprintf(stderr, "last operations, the newest last:\n");
    for (uint64_t i = trace_at > TRACE ? trace_at - TRACE : 0; i < trace_at; i++)
        op_print(&trace[i % TRACE]);
    fprintf(stderr, "last sentence: %s\n", fake_sentence);
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        fprintf(stderr, "domain %u: frames from %#lx\n", i, fake_page(fake_dom[i], 0).n);
}

/* Whatever is read from guest memory is something else the next time. */
static uint64_t turn_hostile(uint64_t i)
{
    return (i + 1) * 0x9e3779b97f4a7c15ull;
}

void run_begin(void)
{
    fake_on_fatal = print_trace;
    trace_at = 0;
    op_begin();
    model_take();
    fake_hostile = turn_hostile;
}

static void judge(const struct op *op, struct expected x)
{
    bool refused = op->result < 0;

    if (refused != x.refused)
        fake_fail("the model says %s, the answer was %ld (%s)", x.refused ? "refused" : "accepted",
                  op->result, fake_sentence);
    if ((op->kind == OP_MMU_UPDATE || op->kind == OP_MMUEXT) && op->done != x.done &&
        !(op->done == ~0u && x.done == 0))
        fake_fail("%u parts done, the model says %u", op->done, x.done);
    if (op->kind == OP_GRANT_MAP && !refused)
        model_mapped(op->v->domain, &op->map);
    if (op->kind == OP_POPULATE && !refused)
        model_populated(op);
    run_stats.kind[op->kind][refused]++;
}

void run_step(struct input *in)
{
    struct op *op = &trace[trace_at++ % TRACE];
    struct expected x;

    op_choose(op, in);
    x = model_predict(op);
    op_run(op);
    judge(op, x);
    model_compare();
    fake_audit();
    if (run_stats.ops++ % 64 == 0)
        audit(); /* the hypervisor's own opinion */
}
