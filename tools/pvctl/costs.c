/* SPDX-License-Identifier: MIT */
/* What is fixed about a call, and what grows with its entries.
 *
 * The cost of a call with one entry, less what each further entry of longer calls adds, is fixed.
 * Of operations that the trace shows with one entry only, that cannot be told: the fixed part
 * counts as nothing then, and the saving is underestimated. */
#include <stdlib.h>

#include "runs.h"

struct sample {
    struct operation op;
    uint64_t entries;
    double ticks;
};

static int by_ticks(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return x->ticks < y->ticks ? -1 : x->ticks > y->ticks;
}

/* Operations stay together; of one, single calls come first. */
static int by_operation(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->op.number != y->op.number)
        return x->op.number < y->op.number ? -1 : 1;
    if (x->op.sub != y->op.sub)
        return x->op.sub < y->op.sub ? -1 : 1;
    return (x->entries > 1) - (y->entries > 1);
}

static double median(struct sample *s, size_t n)
{
    qsort(s, n, sizeof(*s), by_ticks);
    return s[n / 2].ticks;
}

static struct cost cost_of(struct sample *s, size_t n)
{
    struct cost c = {.op = s->op};
    size_t singles = 0;
    double one, each;

    while (singles < n && s[singles].entries == 1)
        singles++;
    if (!singles)
        return c;
    one = median(s, singles);
    c.single = (uint64_t)one;
    if (singles == n)
        return c;
    for (size_t i = singles; i < n; i++)
        s[i].ticks = (s[i].ticks - one) / (double)(s[i].entries - 1);
    each = median(s + singles, n - singles);
    c.known = true;
    c.fixed = each < 0 ? c.single : each < one ? (uint64_t)(one - each) : 0;
    return c;
}

void costs_find(struct findings *f, const void *records, size_t bytes)
{
    const struct paravane_trace_record *r;
    struct sample *s = NULL;
    size_t n = 0;

    for (size_t at = 0; (r = trace_next(records, bytes, &at)) != NULL;) {
        uint64_t count = trace_entries(r);

        if (!count || r->result)
            continue;
        s = grown(s, n, sizeof(*s));
        s[n++] = (struct sample){trace_operation(r), count, r->cost};
    }
    if (n)
        qsort(s, n, sizeof(*s), by_operation);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i; next < n && same_operation(s[next].op, s[i].op); next++)
            ;
        f->cost = grown(f->cost, f->costs, sizeof(*f->cost));
        f->cost[f->costs++] = cost_of(&s[i], next - i);
    }
    free(s);
}

uint64_t cost_fixed(const struct findings *f, struct operation op)
{
    for (unsigned i = 0; i < f->costs; i++)
        if (same_operation(f->cost[i].op, op))
            return f->cost[i].fixed;
    return 0;
}
