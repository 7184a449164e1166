/* SPDX-License-Identifier: MIT */
/* Each vCPU's calls run on a stack of their own. At a preempt point control goes to the round's
 * loop, which looks at the TLBs and lets some vCPU go on. There is no telling what the calls should
 * answer, but the invariants have to hold. */
#include <stdio.h>
#include <ucontext.h>

#include "interleave.h"

#define STACK    (128 * 1024)
#define PATIENCE 200000 /* turns in a round; more means that all wait for each other */
#define TRACE    32

static struct fiber {
    ucontext_t context;
    struct vcpu *v;
    unsigned left; /* operations to do */
    struct op op;
    _Alignas(16) uint8_t stack[STACK];
} fibers[FAKE_DOMAINS * FAKE_VCPUS];

static ucontext_t round_context;
static struct fiber *running;
static struct input *input;
static struct op trace[TRACE];
static unsigned trace_at;
uint64_t interleave_switches;

static void print_trace(void)
{
    for (unsigned i = trace_at > TRACE ? trace_at - TRACE : 0; i < trace_at; i++)
        op_print(&trace[i % TRACE]);
    for (unsigned i = 0; i < FAKE_DOMAINS * FAKE_VCPUS; i++) {
        if (fibers[i].left) {
            fprintf(stderr, "under way: ");
            op_print(&fibers[i].op);
        }
    }
    fprintf(stderr, "last sentence: %s\n", fake_sentence);
}

static void give_way(void)
{
    struct fiber *f = running;

    interleave_switches++;
    swapcontext(&f->context, &round_context);
    running = f;
    fake_run(f->v);
}

/* Half of the operations take down or put up the second tree, which takes long. */
static void choose(struct fiber *f)
{
    static const uint8_t cmd[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
                                  MMUEXT_PIN_L4_TABLE};
    unsigned level = pick(input, 4);

    op_choose(&f->op, input);
    f->op.v = f->v;
    if (pick(input, 2))
        return;
    f->op.kind = OP_MMUEXT;
    f->op.domid = DOMID_SELF;
    f->op.n = 1;
    f->op.ext[0].cmd = pick(input, 2) ? MMUEXT_UNPIN_TABLE : cmd[level];
    if (level == 3 && one_in(input, 3))
        f->op.ext[0].cmd = MMUEXT_NEW_USER_BASEPTR;
    f->op.ext[0].arg1.mfn = fake_page(f->v->domain, PAGE_DATA + level).n;
}

static void life(void)
{
    struct fiber *f = running;

    for (; f->left; f->left--) {
        choose(f);
        op_run(&f->op);
        trace[trace_at++ % TRACE] = f->op;
        swapcontext(&f->context, &round_context);
        running = f;
    }
    swapcontext(&f->context, &round_context); /* for good */
}

static void start(struct fiber *f, struct vcpu *v, unsigned each)
{
    f->v = v;
    f->left = each;
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK;
    f->context.uc_link = NULL;
    makecontext(&f->context, life, 0);
}

void interleave_begin(void)
{
    fake_on_fatal = print_trace;
    trace_at = 0;
    op_begin();
}

static struct fiber *somebody(void)
{
    unsigned first = pick(input, FAKE_DOMAINS * FAKE_VCPUS);

    for (unsigned i = first; i < first + FAKE_DOMAINS * FAKE_VCPUS; i++) {
        if (fibers[i % (FAKE_DOMAINS * FAKE_VCPUS)].left)
            return &fibers[i % (FAKE_DOMAINS * FAKE_VCPUS)];
    }
    return NULL;
}

void interleave_round(struct input *in, unsigned each)
{
    struct fiber *f;
    unsigned turns = 0;

    input = in;
    for (unsigned i = 0; i < FAKE_DOMAINS * FAKE_VCPUS; i++)
        start(&fibers[i], fake_dom[i / FAKE_VCPUS]->vcpu[i % FAKE_VCPUS], each);
    fake_on_preempt = give_way;
    while ((f = somebody())) {
        if (++turns > PATIENCE)
            fake_fail("nobody gets on");
        running = f;
        fake_run(f->v);
        swapcontext(&round_context, &f->context);
        fake_tlb_note();
        fake_tlb_check();
    }
    fake_on_preempt = NULL;
    fake_audit();
    audit();
}
