/* SPDX-License-Identifier: MIT */
/*
 * What the files of mm/ share: the frame word's transitions, leaves, tables.
 *
 * Page tables of a domain change, and become or cease to be tables, only under its pt_lock. So
 * while the lock is held a frame that was seen to be a stable L1 of the domain stays one. Work
 * below L2-L4 is long: between two children it opens a window (pt_breathe) in which the lock is
 * free and `walk_busy` says that whatever needs structure has to wait.
 */
#ifndef HV_MM_TYPES_H
#define HV_MM_TYPES_H

#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/print.h>
#include "pte.h"

#define NO_REQUEST (~0u)

/* One operation on the page tables of a domain. */
struct pt_call {
    struct domain *d;  /* whose tables */
    struct domain *pg; /* whose frames leaves may name */
    unsigned request;  /* index in a batch, for sentences; NO_REQUEST */
    bool worked;       /* a table was validated or released since the last window */
    const char *why;   /* what was wrong, when the caller, who knows where, has to say it */
};
#define PT_CALL(dom)                                                                               \
    {                                                                                              \
        .d = (dom), .pg = (dom), .request = NO_REQUEST                                             \
    }

static inline int no(struct pt_call *c, int err, const char *why)
{
    c->why = why;
    return err;
}

/* ---- Words (frame.c). ---- */

static always_inline bool word_cas(struct frame *f, uint64_t *w, uint64_t to)
{
    return __atomic_compare_exchange_n(&f->word, w, to, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}
/* One comparison for "has references" and "can take another". */
static always_inline bool word_refs_ok(uint64_t w)
{
    return (int64_t)w >= (int64_t)FW_REF_ONE;
}
static always_inline bool frame_is_io(mfn_t m)
{
    return !mfn_valid(m) || mfn_frame(m)->owner == &dom_io;
}
/* One use more of a frame whose type is stable; the caller looks at the owner once more. */
static always_inline bool type_get_shared(struct frame *f, const struct domain *d,
                                          enum frame_type t)
{
    uint64_t w = READ_ONCE(f->word);

    do {
        if (READ_ONCE(f->owner) != d ||
            (w & (FW_TYPE_MASK | FW_BUSY | FW_COUNT_HIGH | FW_REF_HIGH)) != FW_TYPE(t))
            return false;
    } while (!word_cas(f, &w, w + FW_REF_ONE + FW_COUNT_ONE));
    return true;
}
/* One use less, unless it is the last. */
static always_inline bool type_put_shared(struct frame *f)
{
    uint64_t w = READ_ONCE(f->word);

    do {
        if ((w & FW_COUNT_MASK) <= 1)
            return false;
    } while (!word_cas(f, &w, w - FW_REF_ONE - FW_COUNT_ONE));
    return true;
}
/* Ends a type: the frame is (T, busy, 1) by the caller; the caller's reference goes with it. */
void type_end(struct frame *f);
/* "L2 page table of d3" and the like. */
void frame_describe(char *buf, size_t size, mfn_t m);

/* ---- Leaves (leaf.c). ---- */

int leaf_get_slow(struct pt_call *c, uint64_t pte);
/* The same for an entry `slot` of d's that may name frames of pg: 0, or an error after a sentence.
 */
int leaf_get_odd(struct domain *d, struct domain *pg, unsigned request, const uint64_t *slot,
                 uint64_t pte);
void leaf_put_slow(uint64_t pte);
/* The sentence of a refused entry; returns err. */
int pte_refuse(struct pt_call *c, int err, const uint64_t *slot, unsigned level, uint64_t pte) cold;

/* The common leaf, write-back RAM of `owner`. True: the references that it needs are taken, by one
 * compare-and-swap. A guest's frame number selects no more than the word and owner that are
 * compared here, so that nothing else is read by it in speculation. */
static always_inline bool leaf_get_fast(const struct domain *owner, uint64_t pte)
{
    struct frame *f = mfn_frame(pte_mfn(pte));

    if (unlikely((pte & LEAF_SPECIAL) || !mfn_valid(pte_mfn(pte))))
        return false;
    return pte & PTE_RW ? frame_try_writable(f, owner) : frame_try_ref(f, owner);
}

/* 0, or an error with c->why. `pte` is normal and present. */
static always_inline int leaf_get(struct pt_call *c, uint64_t pte)
{
    return likely(leaf_get_fast(c->pg, pte)) ? 0 : leaf_get_slow(c, pte);
}

/* Gives back what an entry of d's tables held, once it is gone from there. */
static always_inline void leaf_put(const struct domain *d, uint64_t pte)
{
    struct frame *f = mfn_frame(pte_mfn(pte));

    if (unlikely(!mfn_valid(pte_mfn(pte))) || unlikely(READ_ONCE(f->owner) != d) ||
        unlikely(!(pte & PTE_RW ? frame_try_put_writable(f) : frame_try_put_ref(f))))
        aside1(leaf_put_slow, pte);
}

/* Stores an entry that the processor may mark accessed or dirty meanwhile; keep_ad: those marks
 * survive. The store is plain: all other writers hold the lock, and a mark that is lost is
 * overwritten as the guest asked. */
static always_inline void pte_store(uint64_t *slot, uint64_t old, uint64_t val, bool keep_ad)
{
    if (likely(!keep_ad || !(val & PTE_P))) {
        WRITE_ONCE(*slot, val);
        return;
    }
    while (!__atomic_compare_exchange_n(slot, &old, val | (old & (PTE_A | PTE_D)), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

/* The heart of the matter: one entry of a stable L1 of d becomes `val`, and may name a frame of pg.
 * Lock: pt. */
static always_inline int leaf_update(struct domain *d, struct domain *pg, unsigned request,
                                     uint64_t *slot, uint64_t val, bool keep_ad)
{
    uint64_t old = READ_ONCE(*slot);

    if (val & PTE_P) {
        val = pte_normal(val);
        if (!((old ^ val) & LEAF_MEANING)) {
            pte_store(slot, old, val, keep_ad);
            return 0;
        }
        if (unlikely(!leaf_get_fast(pg, val))) {
            int rc = aside5(leaf_get_odd, d, pg, request, slot, val);

            if (unlikely(rc))
                return rc;
        }
    }
    pte_store(slot, old, val, keep_ad);
    if (old & PTE_P)
        leaf_put(d, old);
    return 0;
}

/* ---- Tables (table.c, type.c). Lock: pt, with no walk under way (pt_lock_walk); dropped in
 * windows. ---- */

void pt_lock_walk(struct domain *d);
void pt_wait_walk(struct domain *d); /* the same for who has the lock: drops it meanwhile */
void pt_breathe(struct pt_call *c);
/* A typed use of m, validated if it is the first. 0; or an error, with c->why unless the sentence
 * was said. */
int table_get(struct pt_call *c, mfn_t m, enum frame_type t);
void table_put(struct pt_call *c, mfn_t m, enum frame_type t);
/* An entry of a stable table of level 2 to 4 becomes `val`. */
int table_update(struct pt_call *c, uint64_t *slot, unsigned level, uint64_t val, bool keep_ad);
/* As pt_pin() and so on, in a batch. */
int pin_table(struct pt_call *c, mfn_t m, enum frame_type t);
int unpin_table(struct pt_call *c, mfn_t m);
/* Roots: mostly of a stable L4, and not its last use. */
int root_get_slow(struct domain *d, uint64_t frame, unsigned request);
void typed_put(struct domain *d, uint64_t frame, enum frame_type t);
static always_inline bool typed_try(struct domain *d, mfn_t m, enum frame_type t)
{
    if (unlikely(!mfn_valid(m)) || unlikely(!type_get_shared(mfn_frame(m), d, t)))
        return false;
    if (likely(READ_ONCE(mfn_frame(m)->owner) == d))
        return true;
    /* It changed hands between the look at its owner and the count, and is such a table there. */
    aside3(typed_put, mfn_frame(m)->owner, m.n, t);
    return false;
}
static always_inline int root_get(struct domain *d, mfn_t m, unsigned request)
{
    return likely(typed_try(d, m, FT_L4)) ? 0 : aside3(root_get_slow, d, m.n, request);
}
static always_inline void root_put(struct domain *d, mfn_t m)
{
    if (unlikely(!type_put_shared(mfn_frame(m))))
        aside3(typed_put, d, m.n, FT_L4);
}

/* ---- Finding entries (walk.c). ---- */

/* The entry of the L1 table that maps va in v's kernel root; NULL: there is none. Lock: pt of v's
 * domain. */
static always_inline uint64_t *pt_slot(const struct vcpu *v, uint64_t va)
{
    const uint64_t *t = mfn_va(mfn(v->kernel_cr3 >> PAGE_SHIFT));
    uint64_t e;

    if (unlikely(!guest_range_ok(va, 1)))
        return NULL;
    e = READ_ONCE(t[va >> 39 & 511]);
    for (unsigned shift = 30; shift >= 21; shift -= 9) {
        if (unlikely(!(e & PTE_P)))
            return NULL;
        t = mfn_va(pte_mfn(e));
        e = READ_ONCE(t[va >> shift & 511]);
    }
    return likely(e & PTE_P) ? (uint64_t *)mfn_va(pte_mfn(e)) + (va >> PAGE_SHIFT & 511) : NULL;
}

/* ---- Guests' wishes about other domains and other CPUs (request.c). ---- */

/* The domains that the last argument of mmu_update and mmuext_op names. 0 or an error. */
int foreign_named(struct domain **d, struct domain **pg, uint64_t foreign) cold;
static always_inline int foreign_domains(struct domain **d, struct domain **pg, uint64_t foreign)
{
    struct domain *tables, *frames; /* so that *d and *pg can stay in registers */
    int rc;

    *d = *pg = current->domain;
    if (likely((uint32_t)foreign == DOMID_SELF))
        return 0;
    rc = aside3(foreign_named, &tables, &frames, foreign);
    *d = tables;
    *pg = frames;
    return rc;
}
/* Tells a guest that wants to know how many of its requests were done, whatever the result rc. */
int done_lost(uint64_t ptr) cold;
static always_inline long done_report(uint64_t ptr, uint32_t done, long rc)
{
    if (!ptr || likely(guest_range_ok(ptr, sizeof(done)) && guest_store32(ptr, done)) || rc)
        return rc;
    return done_lost(ptr);
}
#define FLUSH_ALL_PAGES (~0ull)
/* Flush `va`, or everything, of the current vCPU; of those of its domain in a bitmap at a guest
 * address; of all. */
void flush_local(uint64_t va);
int flush_masked(uint64_t va, uint64_t mask_ptr);
void flush_all(uint64_t va);

/* Between units of a guest-sized batch, no lock held. False: the caller's domain is dying, stop. */
static always_inline bool batch_go_on(void)
{
    preempt_point();
    return !READ_ONCE(current->domain->dying);
}

#endif
