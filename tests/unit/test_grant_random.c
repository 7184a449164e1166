/* SPDX-License-Identifier: MIT */
/* Long random lives of grants, with an audit after every call; and an owner that changes its entry
 * while it is claimed. OPS=1000000 makes the first long, SEED=n begins it elsewhere. */
#include "grant_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "../model/input.h"

#define REFS  6
#define SLOTS 8 /* addresses that are mapped at */
#define LIVE  64

static struct mapping {
    uint32_t handle;
    unsigned by, slot;
    mfn_t frame;
} live[LIVE]; /* what was mapped, and perhaps is not any more */
static unsigned next_live;

static struct domain *some_domain(struct input *in)
{
    return fake_dom[pick(in, FAKE_DOMAINS)];
}

static mfn_t some_frame(struct input *in, const struct domain *d)
{
    unsigned n = pick(in, 40);

    return n == 0 ? mfn(pick(in, 250)) : n == 1 ? mfn(~0ull >> 12) : fake_page(d, n % 9);
}

/* What a guest does to its table: proper grants, nonsense, busy flags of its own making. */
static void scribble(struct input *in)
{
    struct domain *d = some_domain(in);
    unsigned ref = REF + pick(in, REFS);

    if (one_in(in, 6))
        *(uint64_t *)entry(d, ref) = input_random(in);
    else if (one_in(in, 6))
        entry(d, ref)->flags ^= (uint16_t)(1 << pick(in, 16));
    else
        give(d, ref, some_domain(in), some_frame(in, d), pick(in, 4) ? 0 : GTF_readonly);
}

static uint64_t place(const struct domain *d, unsigned slot, bool by_pte)
{
    return by_pte ? fake_maddr(fake_page(d, PAGE_L1), VA(slot) >> PAGE_SHIFT) : VA(slot);
}

static void map_some(struct input *in)
{
    static struct gnttab_map_grant_ref op[3];
    unsigned n = 1 + pick(in, 3), slot[3];
    struct domain *d = some_domain(in);

    run_as(d);
    for (unsigned i = 0; i < n; i++) {
        unsigned flags = pick(in, 32);

        slot[i] = pick(in, SLOTS);
        op[i] = (struct gnttab_map_grant_ref){
            .host_addr =
                one_in(in, 40) ? input_random(in) : place(d, slot[i], flags & GNTMAP_contains_pte),
            .flags = flags,
            .ref = REF + pick(in, REFS),
            .dom = (domid_t)pick(in, FAKE_DOMAINS + 1)};
    }
    if (one_in(in, 30))
        fake_alloc_fails = 1 + pick(in, 2);
    call_grant(GNTTABOP_map_grant_ref, op, sizeof(op[0]), n);
    fake_alloc_fails = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!op[i].status)
            live[next_live++ % LIVE] = (struct mapping){op[i].handle, d->id, slot[i],
                                                        mfn(op[i].dev_bus_addr >> PAGE_SHIFT)};
    }
}

static void unmap_some(struct input *in)
{
    static struct gnttab_unmap_grant_ref op[4];
    unsigned n = 1 + pick(in, 4);
    const struct mapping *m = &live[pick(in, LIVE)];
    struct domain *d = one_in(in, 10) ? some_domain(in) : fake_dom[m->by];
    bool replace = one_in(in, 8);

    run_as(d);
    for (unsigned i = 0; i < n; i++) {
        const struct maptrack *r = track_at(d->grants, m->handle);
        bool by_pte = one_in(in, 12) || (r && (r->flags & GNTMAP_contains_pte));

        op[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = one_in(in, 6) ? 0 : place(d, m->slot, by_pte),
            .dev_bus_addr = replace         ? VA(pick(in, SLOTS))
                            : one_in(in, 3) ? 0
                                            : m->frame.n << PAGE_SHIFT,
            .handle = m->handle};
        m = &live[pick(in, LIVE)];
    }
    call_grant(replace ? GNTTABOP_unmap_and_replace : GNTTABOP_unmap_grant_ref, op, sizeof(op[0]),
               n);
}

static void copy_some(struct input *in)
{
    static struct gnttab_copy op[4];
    unsigned n = 1 + pick(in, 4);
    struct domain *d = some_domain(in);

    run_as(d);
    memset(op, 0, sizeof(op));
    for (unsigned i = 0; i < n; i++) {
        op[i].flags = (uint16_t)pick(in, 4);
        op[i].len = one_in(in, 20) ? 4000 : (uint16_t)pick(in, 64);
        op[i].source.offset = (uint16_t)pick(in, 200);
        op[i].source.u.gmfn =
            op[i].flags & GNTCOPY_source_gref ? REF + pick(in, REFS) : some_frame(in, d).n;
        op[i].source.domid = op[i].flags & GNTCOPY_source_gref ? (domid_t)pick(in, 4) : DOMID_SELF;
        op[i].dest.u.gmfn =
            op[i].flags & GNTCOPY_dest_gref ? REF + pick(in, REFS) : some_frame(in, d).n;
        op[i].dest.domid = op[i].flags & GNTCOPY_dest_gref ? (domid_t)pick(in, 4) : DOMID_SELF;
    }
    call_grant(GNTTABOP_copy, op, sizeof(op[0]), n);
}

/* Entries come and go behind the grants' backs. */
static void remap(struct input *in)
{
    struct domain *d = some_domain(in);
    uint64_t pte =
        pick(in, 3) ? fake_pte(some_frame(in, d), PTE_P | PTE_U | (pick(in, 2) ? PTE_RW : 0)) : 0;

    run_as(d);
    call(__HYPERVISOR_update_va_mapping, VA(pick(in, SLOTS)), pte, 0, 0);
}

static void swap_some(struct input *in)
{
    struct gnttab_swap_grant_ref op = {.ref_a = REF + pick(in, REFS),
                                       .ref_b = REF + pick(in, REFS)};

    run_as(some_domain(in));
    call_grant(GNTTABOP_swap_grant_ref, &op, sizeof(op), 1);
}

/* As when domains die: tables first, then what was mapped; nothing may be left of either. */
static void everybody_dies(void)
{
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        run_as(fake_dom[i]);
        for (unsigned slot = 0; slot < SLOTS; slot++)
            ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping, VA(slot), 0, 0, 0), 0);
        grant_domain_release(fake_dom[i]);
        fake_audit();
    }
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        ck_assert(grant_domain_idle(fake_dom[i]));
}

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *s = getenv(name);

    return s ? strtoul(s, NULL, 0) : otherwise;
}

START_TEST(random_lives_leave_nothing)
{
    static void (*const what[])(struct input *) = {scribble, scribble,   map_some,   map_some,
                                                   map_some, unmap_some, unmap_some, copy_some,
                                                   remap,    swap_some};
    struct input in = {.seed = number("SEED", 20230611)};

    for (unsigned long i = number("OPS", 12000); i; i--) {
        what[pick(&in, ARRAY_SIZE(what))](&in);
        if (one_in(&in, 250) && one_in(&in, 4))
            everybody_dies();
    }
    everybody_dies();
}
END_TEST

static bool stop;

static void *change(void *arg)
{
    volatile uint64_t *e = (volatile uint64_t *)entry(d1, REF);
    const uint64_t *value = arg;

    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++)
        *e = value[i % 3];
    return NULL;
}

/* Whatever it is at the moment of the claim, it is one of the things that stood there, as a whole.
 */
START_TEST(claims_race_with_the_owner)
{
    uint64_t value[3];
    unsigned mapped_count = 0;
    pthread_t owner;

    give(d1, REF, d2, data(d1, 0), GTF_readonly);
    value[0] = *(uint64_t *)entry(d1, REF);
    give(d1, REF, d2, data(d1, 1), 0);
    value[1] = *(uint64_t *)entry(d1, REF);
    give(d1, REF, d0, data(d0, 0), 0);
    value[2] = *(uint64_t *)entry(d1, REF);
    run_as(d2);
    ck_assert_int_eq(pthread_create(&owner, NULL, change, value), 0);
    for (unsigned i = 0; i < 4000; i++) {
        bool writable = i & 1;
        struct gnttab_map_grant_ref op =
            map(d1, REF, VA(0), GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly));

        if (op.status) {
            ck_assert_int_eq(op.status, GNTST_general_error);
            continue;
        }
        mapped_count++;
        ck_assert(op.dev_bus_addr >> PAGE_SHIFT == data(d1, 1).n ||
                  (!writable && op.dev_bus_addr >> PAGE_SHIFT == data(d1, 0).n));
        ck_assert_int_eq(unmap(op.handle, VA(0), 0), GNTST_okay);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(owner, NULL);
    ck_assert_uint_gt(mapped_count, 0);
    ck_assert(grant_domain_idle(d1));
}
END_TEST

int main(void)
{
    RUN_TESTS("random grants", random_lives_leave_nothing, claims_race_with_the_owner);
}
