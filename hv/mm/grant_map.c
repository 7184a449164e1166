/* SPDX-License-Identifier: MIT */
/* Entries that map granted frames. Their references come from, and go back to, the grant code, so
 * here nothing counts but what the entry held before. */
#include "types.h"

struct place {
    struct frame *table; /* referenced if it was named by machine address */
    uint64_t *slot;
};

/* Lock: pt. False: there is no such entry of a live L1 of d. */
static bool find(struct domain *d, uint64_t where, bool by_pte, struct place *p)
{
    mfn_t m = mfn(where >> PAGE_SHIFT);

    p->table = NULL;
    if (!by_pte) {
        p->slot = d == current->domain ? pt_slot(current, where) : NULL;
        return p->slot;
    }
    if ((where & 7) || !mfn_valid(m) || !frame_get_ref(mfn_frame(m), d))
        return false;
    p->table = mfn_frame(m);
    p->slot = (uint64_t *)mfn_va(m) + slot_index((uint64_t *)where);
    if (word_is(READ_ONCE(p->table->word), FT_L1))
        return true;
    frame_put_ref(p->table);
    return false;
}

static void drop(const struct place *p)
{
    if (p->table)
        frame_put_ref(p->table);
}

static cold int no_place(const struct domain *d, uint64_t where, bool by_pte)
{
    return refuse(-XEN_EINVAL, "grant at %s %#lx: no entry of an L1 page table of d%u is there",
                  by_pte ? "machine address" : "address", (unsigned long)where, d->id);
}

int pt_install_grant(struct domain *d, uint64_t where, bool by_pte, uint64_t pte)
{
    struct place p;
    uint64_t old;

    lock(&d->pt_lock);
    if (unlikely(!find(d, where, by_pte, &p))) {
        unlock(&d->pt_lock);
        return no_place(d, where, by_pte);
    }
    old = READ_ONCE(*p.slot);
    WRITE_ONCE(*p.slot, pte_normal(pte));
    if (old & PTE_P)
        leaf_put(d, old);
    drop(&p);
    unlock(&d->pt_lock);
    return 0;
}

/* Lock: pt. */
static int remove_mapping(struct domain *d, uint64_t *slot, mfn_t m, bool writable,
                          uint64_t replace_va)
{
    uint64_t old = READ_ONCE(*slot), *other;

    if (!(old & PTE_P) || !mfn_eq(pte_mfn(old), m) || !(old & PTE_RW) == writable)
        return refuse(-XEN_EINVAL, "grant unmap: the entry is %#lx, not a %s mapping of frame %#lx",
                      (unsigned long)old, writable ? "writable" : "read-only", (unsigned long)m.n);
    if (!replace_va) {
        WRITE_ONCE(*slot, 0);
        return 0;
    }
    other = d == current->domain ? pt_slot(current, replace_va) : NULL;
    if (!other || other == slot)
        return refuse(-XEN_EINVAL, "grant unmap: nothing at %#lx can replace the mapping",
                      (unsigned long)replace_va);
    WRITE_ONCE(*slot, READ_ONCE(*other));
    WRITE_ONCE(*other, 0);
    return 0;
}

int pt_remove_grant(struct domain *d, uint64_t where, bool by_pte, mfn_t m, bool writable,
                    uint64_t replace_va)
{
    struct place p;
    int rc;

    lock(&d->pt_lock);
    if (unlikely(!find(d, where, by_pte, &p))) {
        unlock(&d->pt_lock);
        return no_place(d, where, by_pte);
    }
    rc = remove_mapping(d, p.slot, m, writable, replace_va);
    drop(&p);
    unlock(&d->pt_lock);
    return rc;
}
