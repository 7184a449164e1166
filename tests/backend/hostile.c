/* SPDX-License-Identifier: MIT */
/* The front end's side of grants: copies and maps out of its pages, with refusals. Mapped pages lie
 * side by side in memory as gntdev has them, so runs are mapped only if their pages are
 * consecutive. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static uint64_t state;

void random_seed(uint64_t seed)
{
    state = seed * 2 + 1;
}

uint64_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

unsigned random_below(unsigned n)
{
    return (unsigned)(random_bits() >> 16) % n;
}

static void access_begins(struct guest *g)
{
    if (g->meddle)
        g->meddle(g);
}

static bool grants(const struct guest *g, uint32_t ref, bool write)
{
    if (ref < FIRST_REF || ref >= FIRST_REF + GUEST_PAGES)
        return false;
    if (g->malicious && random_below(50) == 0)
        return false;
    return !write || !g->readonly[ref - FIRST_REF];
}

static void copy(struct grants *grants_, struct grant_copy *pieces, unsigned n)
{
    struct guest *g = (struct guest *)grants_;

    for (unsigned i = 0; i < n; i++) {
        struct grant_copy *p = &pieces[i];
        unsigned char *page;

        access_begins(g);
        g->copies++;
        ck_assert_uint_le(p->offset + p->len, PAGE_BYTES);
        p->ok = grants(g, p->ref, p->to_guest);
        if (!p->ok)
            continue;
        page = g->page[p->ref - FIRST_REF] + p->offset;
        if (p->to_guest)
            memcpy(page, p->local, p->len);
        else
            memcpy(p->local, page, p->len);
    }
}

static void *map(struct grants *grants_, const uint32_t *refs, unsigned n, bool writable)
{
    struct guest *g = (struct guest *)grants_;

    access_begins(g);
    g->maps++;
    for (unsigned i = 0; i < n; i++) {
        if (!grants(g, refs[i], writable) || refs[i] != refs[0] + i)
            return NULL;
    }
    for (unsigned i = 0; i < n; i++)
        g->mapped[refs[i] - FIRST_REF]++;
    return g->page[refs[0] - FIRST_REF];
}

static void unmap(struct grants *grants_, void *pages, unsigned n)
{
    struct guest *g = (struct guest *)grants_;
    size_t first = (size_t)((unsigned char(*)[PAGE_BYTES])pages - g->page);

    for (size_t i = first; i < first + n; i++) {
        ck_assert_uint_gt(g->mapped[i], 0);
        g->mapped[i]--;
    }
}

static void *allocate(struct grants *grants_, unsigned n)
{
    (void)grants_;
    return aligned_alloc(PAGE_BYTES, (size_t)n * PAGE_BYTES);
}

static void release(struct grants *grants_, void *pages, unsigned n)
{
    (void)grants_;
    (void)n;
    free(pages);
}

static void notify(struct notifier *notifier)
{
    struct guest *g = (struct guest *)((char *)notifier - offsetof(struct guest, notifier));

    g->notified++;
    if (g->on_notify)
        g->on_notify(g);
}

void guest_init(struct guest *g)
{
    memset(g, 0, sizeof(*g));
    g->grants = (struct grants){copy, map, unmap, allocate, release};
    g->notifier.notify = notify;
    g->page = calloc(GUEST_PAGES, PAGE_BYTES);
    ck_assert_ptr_nonnull(g->page);
}

void guest_free(struct guest *g)
{
    for (unsigned i = 0; i < GUEST_PAGES; i++)
        ck_assert_uint_eq(g->mapped[i], 0);
    free(g->page);
}

uint64_t test_requests(uint64_t short_form)
{
    const char *n = getenv("N");

    return n ? strtoull(n, NULL, 10) : short_form;
}

uint64_t test_seed(void)
{
    const char *seed = getenv("SEED");

    return seed ? strtoull(seed, NULL, 10) : 1;
}
