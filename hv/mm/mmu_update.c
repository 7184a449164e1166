/* SPDX-License-Identifier: MIT */
/*
 * mmu_update: batches of page-table changes by machine address.
 *
 * Most are leaves of the L1 that the last request named. The lock is held over up to BATCH of them,
 * so "this frame is a stable L1 of the domain" is looked up once and holds until the lock is
 * dropped or a request changes structure.
 */
#include <hv/hypercall.h>
#include <pvabi/xen.h>
#include "types.h"

#define BATCH 64u

#define NO_PAGE 8ull /* no frame's address */
/* What of a request's address is not the page's: the entry, and whether A and D are kept. */
#define IN_PAGE ((PAGE_SIZE - 8) | MMU_PT_UPDATE_PRESERVE_AD)

static int update_m2p(const struct pt_call *c, mfn_t m, uint64_t pfn)
{
    if (!mfn_valid(m) || !frame_get_ref(mfn_frame(m), c->pg))
        return refuse(-XEN_EPERM,
                      "request %u: M2P entry of frame %#lx, which is not a frame of d%u",
                      c->request, m.n, c->pg->id);
    m2p_set(m, pfn);
    frame_put_ref(mfn_frame(m));
    return 0;
}

/* The frame is not in use as a table: the entry is data. */
static int write_data(const struct pt_call *c, struct frame *f, uint64_t *slot, uint64_t val,
                      bool keep_ad)
{
    int rc = frame_get_writable(f, c->d);

    if (rc)
        return refuse(rc, "request %u: frame %#lx is a %s, which is not written this way",
                      c->request, frame_mfn(f).n, frame_type_name(word_type(READ_ONCE(f->word))));
    pte_store(slot, READ_ONCE(*slot), val, keep_ad);
    frame_put_writable(f);
    return 0;
}

/* An entry of a table of any level, or of none. The caller holds a reference to the frame. */
static int update_entry(struct pt_call *c, struct frame *f, uint64_t *slot, uint64_t val,
                        bool keep_ad)
{
    for (;;) {
        uint64_t w = READ_ONCE(f->word);

        if (word_is(w, FT_L1))
            return leaf_update(c->d, c->pg, c->request, slot, val, keep_ad);
        if (word_type(w) < FT_L2 || word_type(w) > FT_L4)
            return write_data(c, f, slot, val, keep_ad);
        if (likely(!c->d->walk_busy))
            return table_update(c, slot, word_type(w) - FT_L1 + 1, val, keep_ad);
        pt_wait_walk(c->d);
    }
}

/* Any request but one for a leaf. The lock may be dropped meanwhile. */
static noinline int other_request(struct domain *d, struct domain *pg, unsigned request,
                                  uint64_t ptr, uint64_t val)
{
    struct pt_call c = {.d = d, .pg = pg, .request = request};
    mfn_t m = mfn(ptr >> PAGE_SHIFT);
    int rc;

    if ((ptr & 7) == MMU_MACHPHYS_UPDATE)
        return update_m2p(&c, m, val);
    if ((ptr & 7) > MMU_PT_UPDATE_NO_TRANSLATE)
        return refuse(-XEN_ENOSYS, "request %u: command %lu of mmu_update", request, ptr & 7);
    if (!mfn_valid(m) || !frame_get_ref(mfn_frame(m), d))
        return refuse(-XEN_EPERM,
                      "request %u: entry at machine address %#lx lies in no frame of d%u", request,
                      ptr, d->id);
    rc = update_entry(&c, mfn_frame(m), (uint64_t *)mfn_va(m) + slot_index((uint64_t *)ptr), val,
                      (ptr & 7) == MMU_PT_UPDATE_PRESERVE_AD);
    frame_put_ref(mfn_frame(m));
    return rc;
}

/* A reference to a stable L1 of d. Lock: pt, as long as the caller wants it to be one. */
static always_inline bool l1_hold(struct frame *f, const struct domain *d)
{
    uint64_t w = READ_ONCE(f->word);

    if (unlikely(READ_ONCE(f->owner) != d ||
                 (w & (FW_TYPE_MASK | FW_BUSY | FW_REF_HIGH)) != FW_TYPE(FT_L1)) ||
        unlikely(!word_cas(f, &w, w + FW_REF_ONE)))
        return false;
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    aside1(frame_put_ref, f); /* another domain's by now, and such a table there */
    return false;
}

/* Not the last one: the use that makes it an L1 has one, too, and the lock was held since. */
static always_inline void l1_release(uint64_t maddr)
{
    if (likely(maddr != NO_PAGE))
        __atomic_fetch_sub(&mfn_frame(mfn(maddr >> PAGE_SHIFT))->word, FW_REF_ONE,
                           __ATOMIC_SEQ_CST);
}

/* If a request is for an L1, that is remembered instead of the last one, *maddr. */
static always_inline bool l1_find(const struct domain *d, uint64_t ptr, uint64_t *maddr,
                                  uint64_t **l1)
{
    mfn_t m = mfn(ptr >> PAGE_SHIFT);

    if (unlikely(ptr & 7 & ~MMU_PT_UPDATE_PRESERVE_AD) || unlikely(!mfn_valid(m)) ||
        unlikely(!l1_hold(mfn_frame(m), d)))
        return false;
    l1_release(*maddr);
    *maddr = ptr & ~IN_PAGE;
    *l1 = mfn_va(m);
    return true;
}

/* A page that is no table yet and is filled by requests, as kernels do when they copy an address
 * space: we hold a writable use. NO_PAGE: none. */
struct data_page {
    uint64_t maddr, *va;
};

static noinline void data_release(struct data_page *data)
{
    if (data->maddr != NO_PAGE)
        frame_put_writable(mfn_frame(mfn(data->maddr >> PAGE_SHIFT)));
    data->maddr = NO_PAGE;
}

/* If a request is for a page that can be written, that is remembered instead of the last one. */
static noinline int data_find(const struct domain *d, uint64_t ptr, struct data_page *data)
{
    mfn_t m = mfn(ptr >> PAGE_SHIFT);

    if ((ptr & 7 & ~MMU_PT_UPDATE_PRESERVE_AD) || !mfn_valid(m) ||
        frame_get_writable(mfn_frame(m), d))
        return false;
    data_release(data);
    data->maddr = ptr & ~IN_PAGE;
    data->va = mfn_va(m);
    return true;
}

static cold noinline int unreadable(unsigned request, uint64_t at)
{
    return refuse(-XEN_EFAULT, "request %u at %#lx cannot be read", request, at);
}

/* Where in the guest's list a call is: number and address of the next request. */
struct place {
    unsigned request;
    uint64_t at;
};

/* Handles requests up to number `end`, of which there are some, until one is refused. */
static always_inline int update_batch(struct domain *d, struct domain *pg, struct place *p,
                                      unsigned end)
{
    struct data_page data = {.maddr = NO_PAGE};
    uint64_t l1_maddr = NO_PAGE, *l1 = NULL, ptr, val;
    int rc;

    lock(&d->pt_lock);
    do {
        if (unlikely(!guest_load64(&ptr, p->at) || !guest_load64(&val, p->at + 8))) {
            rc = aside2(unreadable, p->request, p->at);
            break;
        }
        if (unlikely((ptr & ~IN_PAGE) != l1_maddr) && (ptr & ~IN_PAGE) != data.maddr &&
            unlikely(!l1_find(d, ptr, &l1_maddr, &l1)) && !aside3(data_find, d, ptr, &data)) {
            l1_release(l1_maddr); /* what comes may change structure */
            l1_maddr = NO_PAGE;
            aside1(data_release, &data);
            rc = aside5(other_request, d, pg, p->request, ptr, val);
        } else if (likely((ptr & ~IN_PAGE) == l1_maddr)) {
            rc = leaf_update(d, pg, p->request, l1 + slot_index((uint64_t *)ptr), val,
                             ptr & MMU_PT_UPDATE_PRESERVE_AD);
        } else {
            uint64_t *slot = data.va + slot_index((uint64_t *)ptr);

            pte_store(slot, READ_ONCE(*slot), val, ptr & MMU_PT_UPDATE_PRESERVE_AD);
            rc = 0;
        }
        if (unlikely(rc))
            break;
        p->at += sizeof(struct mmu_update);
    } while (++p->request != end);
    l1_release(l1_maddr);
    if (unlikely(data.maddr != NO_PAGE))
        aside1(data_release, &data);
    unlock(&d->pt_lock);
    return rc;
}

static cold noinline int not_guests(uint64_t reqs, unsigned n)
{
    return refuse(-XEN_EFAULT, "%u requests at %#lx: not in the guest's own address space", n,
                  reqs);
}

long do_mmu_update(uint64_t reqs, uint64_t count, uint64_t done_ptr, uint64_t foreign)
{
    struct place p = {.at = reqs};
    uint32_t n = (uint32_t)count;
    struct domain *d, *pg;
    long rc;

    rc = foreign_domains(&d, &pg, foreign);
    if (unlikely(rc))
        return rc;
    if (unlikely(!guest_array_ok(reqs, n, sizeof(struct mmu_update))))
        return not_guests(reqs, n);
    while (p.request != n) {
        if (unlikely(p.request) && !batch_go_on()) {
            rc = -XEN_EAGAIN;
            break;
        }
        rc = update_batch(d, pg, &p, p.request + MIN(n - p.request, BATCH));
        if (unlikely(rc))
            break;
    }
    return done_report(done_ptr, p.request, rc);
}
