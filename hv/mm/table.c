/* SPDX-License-Identifier: MIT */
/*
 * Page tables and descriptor pages: how a frame becomes one (T2-T4), and how it ceases to be (T6).
 *
 * A table of level n holds a typed use of level n-1 for each present entry, so that the depth of
 * the recursion here is at most four and there are no cycles. L1 and descriptor pages are done in
 * one go; between the children of the others there may be a window, in which the tables on the way
 * stay busy and are this walk's alone.
 */
#include <hv/init.h>
#include "types.h"

static void table_release(struct pt_call *c, mfn_t m, enum frame_type t, unsigned count);

/* Whoever is in the window may have lost this very CPU: it gets it. */
void pt_wait_walk(struct domain *d)
{
    while (d->walk_busy) {
        unlock(&d->pt_lock);
        vcpu_set_work(current, WORK_RESCHED);
        preempt_point();
        lock(&d->pt_lock);
    }
}

void pt_lock_walk(struct domain *d)
{
    lock(&d->pt_lock);
    if (unlikely(d->walk_busy))
        pt_wait_walk(d);
}

void pt_breathe(struct pt_call *c)
{
    struct domain *d = c->d;

    c->worked = false;
    d->walk_busy = true;
    unlock(&d->pt_lock);
    preempt_point();
    lock(&d->pt_lock);
    d->walk_busy = false;
}

/* Entry i is absent: the last of the absent ones that follow it, or one before. Most of most tables
 * is empty. */
static always_inline unsigned skip_absent(const uint64_t *e, unsigned i, unsigned end)
{
    for (; i + 8 < end; i += 8) {
        uint64_t any = 0;

#pragma GCC unroll 8
        for (unsigned k = 1; k <= 8; k++)
            any |= e[i + k];
        if (any & PTE_P)
            break;
    }
    return i;
}

static int l1_validate(struct pt_call *c, mfn_t m)
{
    uint64_t *e = mfn_va(m);

    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        uint64_t pte = e[i], normal = pte_normal(pte);
        int rc;

        if (!(pte & PTE_P)) {
            i = skip_absent(e, i, PT_ENTRIES);
            continue;
        }
        rc = leaf_get(c, normal);
        if (unlikely(rc)) {
            rc = pte_refuse(c, rc, &e[i], 1, pte);
            table_release(c, m, FT_L1, i);
            return rc;
        }
        if (pte != normal)
            e[i] = normal;
    }
    return 0;
}

static int child_get(struct pt_call *c, uint64_t pte, unsigned level)
{
    if (!table_entry_ok(pte))
        return no(c, -XEN_EINVAL,
                  "large pages, cache attributes and bits 59 to 62 are not allowed above L1");
    return table_get(c, pte_mfn(pte), (enum frame_type)(FT_L1 + level - 2));
}

static int upper_validate(struct pt_call *c, mfn_t m, unsigned level)
{
    uint64_t *e = mfn_va(m);

    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        uint64_t pte = e[i];
        int rc;

        if (is_hv_slot(level, i)) {
            e[i] = hv_root[i];
            continue;
        }
        if (!(pte & PTE_P)) {
            i = level < 4 ? skip_absent(e, i, PT_ENTRIES) : i;
            continue;
        }
        rc = child_get(c, pte, level);
        if (unlikely(rc)) {
            if (c->why)
                rc = pte_refuse(c, rc, &e[i], level, pte);
            table_release(c, m, (enum frame_type)(FT_L1 + level - 1), i);
            return rc;
        }
        e[i] = pte_normal(pte);
        if (c->worked)
            pt_breathe(c);
    }
    return 0;
}

static int seg_page_validate(struct pt_call *c, mfn_t m)
{
    int bad = seg_validate(mfn_va(m));

    c->why = NULL;
    if (bad < 0)
        return 0;
    return refuse(-XEN_EINVAL,
                  "entry %d of descriptor page %#lx is %#lx, a system descriptor that the "
                  "processor would act upon",
                  bad, m.n, ((uint64_t *)mfn_va(m))[bad]);
}

/* A table is judged for its owner: whom a call names counts for the entries that it writes itself.
 */
static int table_validate(struct pt_call *c, mfn_t m, enum frame_type t)
{
    struct domain *named = c->pg;
    int rc;

    if (t == FT_SEG)
        return seg_page_validate(c, m);
    c->pg = c->d;
    rc = t == FT_L1 ? l1_validate(c, m) : upper_validate(c, m, t - FT_L1 + 1);
    c->pg = named;
    c->worked = true;
    return rc;
}

/* Drops what the first `count` entries hold. The frame is busy. */
static void table_release(struct pt_call *c, mfn_t m, enum frame_type t, unsigned count)
{
    const uint64_t *e = mfn_va(m);
    unsigned level = t - FT_L1 + 1;

    if (t == FT_SEG)
        return;
    if (level == 1) {
        for (unsigned i = 0; i < count; i++) {
            if (e[i] & PTE_P)
                leaf_put(c->d, e[i]);
            else
                i = skip_absent(e, i, count);
        }
        c->worked = true;
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!(e[i] & PTE_P))
            i = skip_absent(e, i, count);
        if (!(e[i] & PTE_P) || is_hv_slot(level, i))
            continue;
        table_put(c, pte_mfn(e[i]), (enum frame_type)(t - 1));
        if (c->worked)
            pt_breathe(c);
    }
    c->worked = true;
}

/* T2: from untyped to busy; the caller's reference is there already. */
static int type_begin(struct pt_call *c, struct frame *f, enum frame_type t, bool *first)
{
    uint64_t w = READ_ONCE(f->word), to;

    do {
        *first = word_type(w) == FT_NONE;
        if (*first)
            to = w + FW_TYPE(t) + FW_BUSY + FW_COUNT_ONE;
        else if (!word_is(w, t))
            return no(c, -XEN_EBUSY, "the frame is in use as something else");
        else if (w & FW_COUNT_HIGH)
            return no(c, -XEN_EBUSY, "the frame has too many uses");
        else
            to = w + FW_COUNT_ONE;
    } while (!word_cas(f, &w, to));
    return 0;
}

int table_get(struct pt_call *c, mfn_t m, enum frame_type t)
{
    struct frame *f = mfn_frame(m);
    bool first;
    int rc;

    if (!mfn_valid(m) || !frame_get_ref(f, c->d))
        return no(c, -XEN_EPERM, "the frame does not belong to the domain whose table this is");
    rc = type_begin(c, f, t, &first);
    if (rc) {
        frame_put_ref(f);
        return rc;
    }
    if (!first)
        return 0;
    /* Nobody can map it writable any more. Whatever could is flushed, or it could change behind the
     * check. */
    tlb_flush_older(f->stamp);
    if (READ_ONCE(f->word) & FW_NC)
        cache_flush_frame(m);
    rc = table_validate(c, m, t);
    if (rc)
        type_end(f);
    else
        __atomic_and_fetch(&f->word, ~FW_BUSY, __ATOMIC_RELEASE);
    return rc;
}

void table_put(struct pt_call *c, mfn_t m, enum frame_type t)
{
    struct frame *f = mfn_frame(m);
    uint64_t w;

    while (!type_put_shared(f)) {
        w = READ_ONCE(f->word);
        if ((w & FW_COUNT_MASK) == 1 && word_cas(f, &w, w | FW_BUSY)) {
            table_release(c, m, t, PT_ENTRIES);
            type_end(f);
            return;
        }
    }
}

int table_update(struct pt_call *c, uint64_t *slot, unsigned level, uint64_t val, bool keep_ad)
{
    uint64_t old = READ_ONCE(*slot), changed;
    int rc;

    if (is_hv_slot(level, slot_index(slot)))
        return 0; /* kernels copy whole roots; what they put here is never used */
    changed = (old ^ val) & TABLE_MEANING;
    if (val & PTE_P) {
        rc = changed ? child_get(c, val, level)
             : !table_entry_ok(val)
                 ? no(c, -XEN_EINVAL, "a bit is set that is not allowed above L1")
                 : 0;
        if (rc)
            return c->why ? pte_refuse(c, rc, slot, level, val) : rc;
        val = pte_normal(val);
    }
    pte_store(slot, old, val, keep_ad);
    if (changed && (old & PTE_P))
        table_put(c, pte_mfn(old), (enum frame_type)(FT_L1 + level - 2));
    return 0;
}
