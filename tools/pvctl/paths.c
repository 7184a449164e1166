/* SPDX-License-Identifier: MIT */
/* Ways to calls: each is worked out once, and known again by the return addresses on the stack. */
#include <fnmatch.h>
#include <stdlib.h>

#include "runs.h"
#include "say.h"

#define HASH_SIZE 1024

struct paths {
    struct symbols *symbols;
    const char *const *library;
    struct path *hash[HASH_SIZE];
};

struct paths *paths_new(struct symbols *symbols, const char *const *library)
{
    struct paths *d = calloc(1, sizeof(*d));

    if (!d)
        die("no memory for the trace");
    d->symbols = symbols;
    d->library = library;
    return d;
}

static bool of_library(const struct paths *d, const struct frame *f)
{
    for (const char *const *p = d->library; *p; p++)
        if ((f->function && !fnmatch(*p, f->function, 0)) || (f->file && !fnmatch(*p, f->file, 0)))
            return true;
    return false;
}

static bool same_path(const struct path *p, const struct paravane_trace_record *r,
                      const uint64_t *stack)
{
    if (p->rip != r->rip)
        return false;
    for (unsigned i = 0; i < p->returns.count; i++)
        if (p->returns.at[i] >= r->stack || stack[p->returns.at[i]] != p->returns.pc[i])
            return false;
    return true;
}

const struct path *path_of(struct paths *d, const struct paravane_trace_record *r)
{
    const uint64_t *stack = (const uint64_t *)(r + 1);
    struct path **bucket = &d->hash[(r->rip >> 1) % HASH_SIZE], *p;
    struct stack k = {r->rip, r->rsp, r->rbp, stack, r->stack};

    for (p = *bucket; p; p = p->next)
        if (same_path(p, r, stack))
            return p;
    p = calloc(1, sizeof(*p));
    if (!p)
        die("no memory for the trace");
    p->rip = r->rip;
    p->frames = symbols_unwind(d->symbols, &k, p->frame, &p->returns);
    while (p->site_frame + 1 < p->frames && of_library(d, &p->frame[p->site_frame]))
        p->site_frame++;
    p->next = *bucket;
    *bucket = p;
    return p;
}
