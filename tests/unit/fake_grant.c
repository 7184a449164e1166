/* SPDX-License-Identifier: MIT */
/* A10: every pin of a grant is a record of who mapped it, every record a pin; and what the other
 * checks must know of grants: who may map what, which frames the tables lie in. */
#include <string.h>

#include "../../hv/dom/grant.h"
#include "fake.h"

/* Runs over much that is empty after every operation: too much for the sanitizers. */
#define QUICK __attribute__((no_sanitize("address", "undefined")))

QUICK static const struct maptrack *next_record(const struct grant_table *t, uint32_t *handle)
{
    for (; *handle < t->track_pages * TRACKS_PER_PAGE; ++*handle) {
        const struct maptrack *r = track_at(t, *handle);

        if (r->flags & TRACK_PARTS)
            return r;
    }
    return NULL;
}

#define for_each_record(t, r) for (uint32_t h_ = 0; ((r) = next_record(t, &h_)); h_++)

bool fake_grant_maps(const struct domain *d, mfn_t m)
{
    const struct maptrack *r;

    for_each_record(d->grants, r)
    {
        if ((r->flags & GNTMAP_host_map) && r->mfn == m.n)
            return true;
    }
    return false;
}

mfn_t fake_grant_frame(const struct domain *d)
{
    return d->grants->mfn[0];
}

void fake_grant_tally(const struct domain *d, void (*use)(mfn_t, enum frame_type, const char *),
                      void (*shared)(mfn_t, const char *))
{
    const struct grant_table *t = d->grants;
    const struct maptrack *r;

    for (unsigned i = 0; i < t->frames; i++)
        shared(t->mfn[i], "a page of the grant table");
    for_each_record(t, r)
    {
        if (r->flags & GNTMAP_device_map)
            use(mfn(r->mfn), r->flags & GNTMAP_readonly ? FT_NONE : FT_WR, "a device mapping");
    }
}

static struct active counted[FAKE_DOMAINS][GRANTS_PER_FRAME];

static void count_records(const struct domain *d)
{
    const struct maptrack *r;

    for_each_record(d->grants, r)
    {
        struct active *a = &counted[r->granter->id][r->ref % GRANTS_PER_FRAME];

        ++*(r->flags & GNTMAP_readonly ? &a->readers : &a->writers);
    }
}

static void check_grant(const struct domain *d, unsigned ref, const struct active *a)
{
    const struct active *c = &counted[d->id][ref % GRANTS_PER_FRAME];

    if (ref >= GRANTS_PER_FRAME ? a->readers + a->writers
                                : a->readers != c->readers || a->writers != c->writers)
        fake_fail("A10: grant %u of domain %u has %u readers and %u writers; mapped are %u and %u",
                  ref, d->id, a->readers, a->writers, c->readers, c->writers);
}

QUICK static uint64_t check_grants(const struct domain *d)
{
    uint64_t pins = 0;

    for (unsigned i = 0; i < d->grants->frames * GRANTS_PER_FRAME; i++) {
        const struct active *a = &d->grants->active[i / GRANTS_PER_FRAME][i % GRANTS_PER_FRAME];
        const struct active *c = &counted[d->id][i % GRANTS_PER_FRAME];

        if (a->readers | a->writers | c->readers | c->writers)
            check_grant(d, i, a);
        pins += a->readers + a->writers;
    }
    return pins;
}

/* The tests map grants of the table's first page only. */
void fake_grant_check(void)
{
    memset(counted, 0, sizeof(counted));
    for_each_domain(d)
        count_records(d);
    for_each_domain(d) {
        uint64_t pins = check_grants(d);

        if (pins != d->grants->pins)
            fake_fail("A10: domain %u counts %lu pins, there are %lu", d->id, d->grants->pins,
                      pins);
    }
}
