/* SPDX-License-Identifier: MIT */
/* Entries that map granted frames. Their references come from, and go back to, the grant code, so
 * here nothing counts but what the entry held before. */
#include "types.h"

void pt_run_begin(struct pt_run *r, struct domain *d)
{
    *r = (struct pt_run){.d = d, .tag = ~0ull};
    lock(&d->pt_lock);
}

void pt_run_end(struct pt_run *r)
{
    unlock(&r->d->pt_lock);
}

/* The table that was found last stays a table at its place while the lock is held. */
static always_inline uint64_t *slot_of(struct pt_run *r, uint64_t va)
{
    unsigned i = va >> PAGE_SHIFT & (PT_ENTRIES - 1);
    uint64_t *slot;

    if (likely(va >> 21 == r->tag))
        return r->l1 + i;
    slot = r->d == current->domain ? pt_slot(current, va) : NULL;
    if (slot) {
        r->tag = va >> 21;
        r->l1 = slot - i;
    }
    return slot;
}

/* The entry at a machine address, if it is one of a live L1 of the domain, whose frame is
 * referenced then. */
static noinline uint64_t *slot_at(const struct pt_run *r, uint64_t maddr)
{
    mfn_t m = mfn(maddr >> PAGE_SHIFT);

    if ((maddr & 7) || !mfn_valid(m) || !frame_get_ref(mfn_frame(m), r->d))
        return NULL;
    if (word_is(READ_ONCE(mfn_frame(m)->word), FT_L1))
        return (uint64_t *)mfn_va(m) + slot_index((uint64_t *)maddr);
    frame_put_ref(mfn_frame(m));
    return NULL;
}

static always_inline uint64_t *find(struct pt_run *r, uint64_t where, bool by_pte)
{
    return likely(!by_pte) ? slot_of(r, where) : slot_at(r, where);
}

static always_inline void drop(uint64_t where, bool by_pte)
{
    if (unlikely(by_pte))
        frame_put_ref(mfn_frame(mfn(where >> PAGE_SHIFT)));
}

static cold noinline int no_place(const struct domain *d, uint64_t where, bool by_pte)
{
    return refuse(-XEN_EINVAL, "grant at %s %#lx: no entry of an L1 page table of d%u is there",
                  by_pte ? "machine address" : "address", where, d->id);
}

int pt_install_grant(struct pt_run *r, uint64_t where, bool by_pte, uint64_t pte)
{
    uint64_t *slot = find(r, where, by_pte), old;

    if (unlikely(!slot))
        return no_place(r->d, where, by_pte);
    old = READ_ONCE(*slot);
    WRITE_ONCE(*slot, pte_normal(pte));
    if (unlikely(old & PTE_P))
        leaf_put(r->d, old);
    drop(where, by_pte);
    return 0;
}

static cold noinline int not_this(uint64_t old, mfn_t m, bool writable)
{
    return refuse(-XEN_EINVAL, "grant unmap: the entry is %#lx, not a %s mapping of frame %#lx",
                  old, writable ? "writable" : "read-only", m.n);
}

static noinline int replace(struct pt_run *r, uint64_t *slot, uint64_t va)
{
    uint64_t *other = slot_of(r, va);

    if (!other || other == slot)
        return refuse(-XEN_EINVAL, "grant unmap: nothing at %#lx can replace the mapping", va);
    WRITE_ONCE(*slot, READ_ONCE(*other));
    WRITE_ONCE(*other, 0);
    return 0;
}

int pt_remove_grant(struct pt_run *r, uint64_t where, bool by_pte, mfn_t m, bool writable,
                    uint64_t replace_va)
{
    const uint64_t part = PTE_P | PTE_RW | PTE_ADDR;
    uint64_t *slot = find(r, where, by_pte), old;
    int rc = 0;

    if (unlikely(!slot))
        return no_place(r->d, where, by_pte);
    old = READ_ONCE(*slot);
    if (unlikely((old & part) != (m.n << PAGE_SHIFT | PTE_P | (writable ? PTE_RW : 0))))
        rc = not_this(old, m, writable);
    else if (unlikely(replace_va))
        rc = replace(r, slot, replace_va);
    else
        WRITE_ONCE(*slot, 0);
    drop(where, by_pte);
    return rc;
}
