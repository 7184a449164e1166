/* SPDX-License-Identifier: MIT */
/* Persistent grants: an open hash table from references to pages, filled in runs. */
#include <string.h>

#include "pages.h"

/* After so many refused mappings the front end is one whose grants are better copied. */
#define FAILURES_MAX 8

/* Stands in the table for a page that is wanted, or was refused. */
static char wanted_page;

static unsigned place_of(const struct pages *p, uint32_t ref)
{
    unsigned i = (ref * 2654435761u) >> 20;

    while (p->table[i & (PAGES_TABLE - 1)].page && p->table[i & (PAGES_TABLE - 1)].ref != ref)
        i++;
    return i & (PAGES_TABLE - 1);
}

void *pages_find(const struct pages *p, uint32_t ref)
{
    void *page = p->table[place_of(p, ref)].page;

    return page == &wanted_page ? NULL : page;
}

void pages_want(struct pages *p, uint32_t ref)
{
    unsigned i = place_of(p, ref);

    if (p->table[i].page || p->mapped + p->wanted >= PAGES_MAX || p->failures >= FAILURES_MAX)
        return;
    p->table[i].ref = ref;
    p->table[i].page = &wanted_page;
    p->want[p->wanted++] = ref;
}

static bool map_run(struct pages *p, const uint32_t *refs, unsigned n)
{
    char *start = p->grants->map(p->grants, refs, n, true);

    if (!start)
        return false;
    p->run[p->runs++] = (struct pages_run){start, n};
    for (unsigned i = 0; i < n; i++)
        p->table[place_of(p, refs[i])].page = start + (size_t)i * PAGE_BYTES;
    p->mapped += n;
    return true;
}

/* One call for all; if that fails, one for each, to tell which are at fault. A refused reference
 * keeps its place in the table, and counts as mapped, so that refusals neither repeat nor fill the
 * table. */
void pages_map(struct pages *p)
{
    unsigned n = p->wanted;

    p->wanted = 0;
    if (!n || map_run(p, p->want, n))
        return;
    for (unsigned i = 0; i < n; i++) {
        if (p->failures >= FAILURES_MAX || !map_run(p, p->want + i, 1)) {
            p->failures++;
            p->mapped++;
        }
    }
}

void pages_unmap_all(struct pages *p)
{
    for (unsigned i = 0; i < p->runs; i++)
        p->grants->unmap(p->grants, p->run[i].start, p->run[i].n);
    p->runs = p->mapped = p->wanted = p->failures = 0;
    memset(p->table, 0, sizeof(p->table));
}
