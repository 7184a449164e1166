/* SPDX-License-Identifier: MIT */
/* Runs of single calls.
 *
 * A run is what one vCPU does without anything between that a batch could not carry: page-table
 * operations among themselves, grant operations of one kind, events to one port until it sleeps. A
 * return to user code, which needs all changes to be made, ends it: the hypercall iret was counted
 * then. All calls of a run but the first could have been spared. */
#include <stdlib.h>
#include <string.h>

#include <pvabi/xen.h>

#include "runs.h"
#include "say.h"

#define VCPUS_MAX 64
#define HASH_SIZE 1024

enum class { TABLES, GRANTS, EVENTS, CLASSES };

/* A run that has not ended. */
struct run {
    unsigned count, room;
    uint32_t key; /* grant operation, or port */
    uint32_t irets;
    struct {
        struct site *site;
        const struct path *path;
    } * member;
};

struct vcpu {
    struct run run[CLASSES];
    uint64_t end; /* of the call before */
    uint32_t irets;
};

struct reader {
    struct findings *f;
    struct paths *paths;
    struct vcpu vcpu[VCPUS_MAX];
    struct site **site; /* while there may come more */
    unsigned sites;
    uint64_t runs;
};

/* ---- Sites. ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_place(const struct frame *a, const struct frame *b)
{
    if (!a->function || !b->function)
        return a->pc == b->pc;
    return same_text(a->function, b->function) && same_text(a->file, b->file) &&
           (a->file ? a->line == b->line : a->pc == b->pc);
}

static struct site *site_of(struct reader *d, const struct path *p, struct operation op)
{
    const struct frame *at = &p->frame[p->site_frame];
    struct site *s;

    for (unsigned i = 0; i < d->sites; i++)
        if (same_operation(d->site[i]->op, op) && same_place(&d->site[i]->frame, at))
            return d->site[i];
    d->site = grown(d->site, d->sites, sizeof(struct site *));
    s = calloc(1, sizeof(*s));
    if (!s)
        die("no memory for the trace");
    s->op = op;
    s->frame = *at;
    d->site[d->sites++] = s;
    return s;
}

/* By names: how the same functions came to call each other does not matter. */
static bool same_callers(const struct path *a, const struct path *b)
{
    unsigned n = a->frames - a->site_frame;

    if (b->frames - b->site_frame != n)
        return false;
    for (unsigned i = 1; i < n; i++)
        if (!same_text(a->frame[a->site_frame + i].function, b->frame[b->site_frame + i].function))
            return false;
    return true;
}

/* The least frequent of those kept makes room, as what is frequent comes again. */
static void count_caller(struct site *s, const struct path *p)
{
    unsigned least = 0;

    for (unsigned i = 0; i < s->callers; i++) {
        if (same_callers(s->caller[i].path, p)) {
            s->caller[i].calls++;
            return;
        }
        if (s->caller[i].calls < s->caller[least].calls)
            least = i;
    }
    if (s->callers < CALLERS_MAX)
        least = s->callers++;
    s->caller[least].path = p;
    s->caller[least].calls = 1;
}

/* ---- Runs. ---- */

static void end_run(struct reader *d, struct run *run)
{
    unsigned n = run->count;

    run->count = 0;
    if (n < 2)
        return;
    d->runs++;
    for (unsigned i = 0; i < n; i++) {
        struct site *s = run->member[i].site;

        s->calls++;
        count_caller(s, run->member[i].path);
        if (s->last_run != d->runs)
            s->runs++;
        s->last_run = d->runs;
        s->longest = s->longest < n ? n : s->longest;
        if (!i)
            continue;
        s->saved_calls++;
        s->saved_ticks += d->f->crossing + cost_fixed(d->f, s->op);
    }
}

static void add_call(struct reader *d, struct run *run, uint32_t key,
                     const struct paravane_trace_record *r)
{
    const struct path *p = path_of(d->paths, r);
    struct site *s = site_of(d, p, trace_operation(r));

    if (run->count && run->key != key)
        end_run(d, run);
    run->member = grown(run->member, run->count, sizeof(*run->member));
    run->member[run->count].site = s;
    run->member[run->count++].path = p;
    run->key = key;
}

static void follow(struct reader *d, struct vcpu *v, const struct paravane_trace_record *r)
{
    bool single = trace_entries(r) == 1;

    if (v->irets != r->irets)
        for (unsigned i = 0; i < CLASSES; i++)
            end_run(d, &v->run[i]);
    v->irets = r->irets;
    if (single && r->number == __HYPERVISOR_event_channel_op) {
        add_call(d, &v->run[EVENTS], r->first, r);
        return; /* between them there may be others */
    }
    if (r->number == __HYPERVISOR_sched_op)
        end_run(d, &v->run[EVENTS]);
    if (single && r->number == __HYPERVISOR_grant_table_op)
        add_call(d, &v->run[GRANTS], (uint32_t)r->arg[0], r);
    else
        end_run(d, &v->run[GRANTS]);
    if (single && r->number != __HYPERVISOR_grant_table_op)
        add_call(d, &v->run[TABLES], 0, r);
    else
        end_run(d, &v->run[TABLES]);
}

/* From one call's end to the next one's begin there is the way out, what little the guest did, and
 * the way in. Where it did least, that is mostly the two ways. */
static uint64_t shortest_gap(const void *records, size_t bytes)
{
    struct {
        uint64_t end;
        uint32_t irets;
    } last[VCPUS_MAX] = {{0, 0}};
    const struct paravane_trace_record *r;
    uint64_t least = UINT64_MAX;

    for (size_t at = 0; (r = trace_next(records, bytes, &at)) != NULL;) {
        unsigned v = r->vcpu % VCPUS_MAX;

        if (r->kind != PARAVANE_TRACE_call)
            continue;
        if (last[v].end && last[v].irets == r->irets && r->tsc - last[v].end < least)
            least = r->tsc - last[v].end;
        last[v].end = r->tsc + r->cost;
        last[v].irets = r->irets;
    }
    return least == UINT64_MAX ? 0 : least;
}

static int by_saving(const void *a, const void *b)
{
    const struct site *x = a, *y = b;

    return x->saved_ticks != y->saved_ticks  ? (x->saved_ticks < y->saved_ticks ? 1 : -1)
           : x->saved_calls < y->saved_calls ? 1
                                             : -1;
}

/* Those with runs, sorted. */
static void keep_sites(struct reader *d)
{
    struct findings *f = d->f;

    for (unsigned i = 0; i < d->sites; i++) {
        if (!d->site[i]->saved_calls)
            continue;
        f->site = grown(f->site, f->sites, sizeof(*f->site));
        f->site[f->sites++] = *d->site[i];
    }
    if (f->sites)
        qsort(f->site, f->sites, sizeof(*f->site), by_saving);
}

struct findings *runs_find(const struct trace_header *header, const void *records, size_t bytes,
                           struct paths *paths)
{
    struct findings *f = calloc(1, sizeof(*f));
    struct reader *d = calloc(1, sizeof(*d));
    const struct paravane_trace_record *r;
    uint64_t gap = shortest_gap(records, bytes), own = header->own;

    if (!f || !d)
        die("no memory for the trace");
    *d = (struct reader){.f = f, .paths = paths};
    f->recording = own <= gap ? own : gap; /* without records it is nonsense */
    f->crossing = gap - f->recording;
    costs_find(f, records, bytes);
    for (size_t at = 0; (r = trace_next(records, bytes, &at)) != NULL;) {
        if (r->kind != PARAVANE_TRACE_call) {
            f->subcalls++;
            continue;
        }
        f->calls++;
        f->ticks += f->crossing + (r->number == __HYPERVISOR_sched_op ? 0 : r->cost);
        follow(d, &d->vcpu[r->vcpu % VCPUS_MAX], r);
    }
    for (unsigned i = 0; i < VCPUS_MAX; i++)
        for (unsigned k = 0; k < CLASSES; k++)
            end_run(d, &d->vcpu[i].run[k]);
    keep_sites(d);
    return f;
}
