/* SPDX-License-Identifier: MIT */
/* What the grant tests share: entries as a guest writes them, one-operation calls, accounts to
 * compare. */
#ifndef TESTS_GRANT_FIXTURE_H
#define TESTS_GRANT_FIXTURE_H

#include "fake_test.h"
#include "../../hv/dom/grant.h"

#define REF   8
#define VA(n) ((100ull + (n)) << PAGE_SHIFT) /* in every domain's one L1, empty */
#define BUSY  (GTF_reading | GTF_writing)

static inline volatile struct grant_entry_v1 *entry(const struct domain *d, unsigned ref)
{
    return (volatile struct grant_entry_v1 *)d->grants->shared[ref / GRANTS_PER_FRAME] +
           ref % GRANTS_PER_FRAME;
}

static inline void give(const struct domain *d, unsigned ref, const struct domain *to, mfn_t m,
                        unsigned flags)
{
    entry(d, ref)->frame = (uint32_t)m.n;
    entry(d, ref)->domid = to->id;
    entry(d, ref)->flags = (uint16_t)(GTF_permit_access | flags);
}

/* The n-th page of data. */
static inline mfn_t data(const struct domain *d, unsigned n)
{
    return fake_page(d, PAGE_DATA + n);
}

static inline uint64_t refs_of(mfn_t m)
{
    return mfn_frame(m)->word >> FW_REF_SHIFT;
}

static inline uint64_t pte_at(const struct domain *d, uint64_t va)
{
    return fake_words(fake_page(d, PAGE_L1))[va >> PAGE_SHIFT];
}

static inline struct gnttab_map_grant_ref map(const struct domain *of, unsigned ref, uint64_t addr,
                                              unsigned flags)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = addr, .flags = flags, .ref = ref, .dom = of->id, .status = 99};

    ck_assert_int_eq(call_grant(GNTTABOP_map_grant_ref, &op, sizeof(op), 1), 0);
    return op;
}

static inline uint32_t mapped(const struct domain *of, unsigned ref, uint64_t addr, unsigned flags)
{
    struct gnttab_map_grant_ref op = map(of, ref, addr, flags);

    ck_assert_msg(op.status == GNTST_okay, "status %d: %s", op.status, fake_sentence);
    return op.handle;
}

static inline int unmap(uint32_t handle, uint64_t addr, uint64_t bus)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = addr, .dev_bus_addr = bus, .handle = handle, .status = 99};

    ck_assert_int_eq(call_grant(GNTTABOP_unmap_grant_ref, &op, sizeof(op), 1), 0);
    return op.status;
}

/* Nobody uses the grant, nothing is left of former uses. */
static inline void unused(const struct domain *d, unsigned ref)
{
    const struct active *a = &d->grants->active[ref / GRANTS_PER_FRAME][ref % GRANTS_PER_FRAME];

    ck_assert_uint_eq(a->readers + a->writers, 0);
    ck_assert_uint_eq(entry(d, ref)->flags & BUSY, 0);
    ck_assert_uint_eq(d->grants->pins, 0);
    fake_grant_check();
}

#endif
