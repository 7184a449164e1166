/* SPDX-License-Identifier: MIT */
/*
 * mmu_update: batches of page-table changes by machine address.
 *
 * Most are leaves of the L1 that the last request named. The lock is held over up to BATCH of them,
 * so "this frame is a stable L1 of the domain" is looked up once and holds until the lock is
 * dropped or a request changes structure.
 */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <pvabi/xen.h>
#include "types.h"

#define BATCH 64

struct batch {
    struct pt_call c;
    struct frame *table; /* referenced by us; NULL: none */
    uint64_t
        l1_maddr; /* of `table` if that is a stable L1 and the lock was held since; else NO_L1 */
    uint64_t *l1;
};
#define NO_L1 8ull /* no frame's address */
/* What of a request's address is not L1_MADDR's: the entry, and whether A and D are kept. */
#define IN_L1 ((PAGE_SIZE - 8) | MMU_PT_UPDATE_PRESERVE_AD)

static void forget_table(struct batch *b)
{
    if (b->table)
        frame_put_ref(b->table);
    b->table = NULL;
    b->l1_maddr = NO_L1;
}

static int update_m2p(struct batch *b, mfn_t m, uint64_t pfn)
{
    if (!mfn_valid(m) || !frame_get_ref(mfn_frame(m), b->c.pg))
        return refuse(-XEN_EPERM,
                      "request %u: M2P entry of frame %#lx, which is not a frame of d%u",
                      b->c.request, (unsigned long)m.n, b->c.pg->id);
    m2p_set(m, pfn);
    frame_put_ref(mfn_frame(m));
    return 0;
}

/* The frame is not in use as a table: the entry is data. */
static int write_data(struct batch *b, uint64_t *slot, uint64_t val, bool keep_ad)
{
    int rc = frame_get_writable(b->table, b->c.d);

    if (rc)
        return refuse(rc, "request %u: frame %#lx is a %s, which is not written this way",
                      b->c.request, (unsigned long)frame_mfn(b->table).n,
                      frame_type_name(word_type(READ_ONCE(b->table->word))));
    pte_store(slot, READ_ONCE(*slot), val, keep_ad);
    frame_put_writable(b->table);
    return 0;
}

/* Any entry but one of the L1 that the last request named. */
static noinline int update_entry(struct batch *b, uint64_t ptr, uint64_t val)
{
    bool keep_ad = (ptr & 7) == MMU_PT_UPDATE_PRESERVE_AD;
    mfn_t m = mfn(ptr >> PAGE_SHIFT);
    uint64_t *slot, w;

    if ((ptr & 7) == MMU_MACHPHYS_UPDATE)
        return update_m2p(b, m, val);
    if ((ptr & 7) > MMU_PT_UPDATE_NO_TRANSLATE)
        return refuse(-XEN_ENOSYS, "request %u: command %lu of mmu_update", b->c.request,
                      (unsigned long)(ptr & 7));
    forget_table(b);
    if (!mfn_valid(m) || !frame_get_ref(mfn_frame(m), b->c.d))
        return refuse(-XEN_EPERM,
                      "request %u: entry at machine address %#lx lies in no frame of d%u",
                      b->c.request, (unsigned long)ptr, b->c.d->id);
    b->table = mfn_frame(m);
    slot = (uint64_t *)mfn_va(m) + slot_index((uint64_t *)ptr);
    for (;;) {
        w = READ_ONCE(b->table->word);
        if (word_is(w, FT_L1)) {
            b->l1_maddr = ptr & PAGE_MASK;
            b->l1 = mfn_va(m);
            return leaf_update(&b->c, slot, val, keep_ad);
        }
        if (word_type(w) < FT_L2 || word_type(w) > FT_L4)
            return write_data(b, slot, val, keep_ad);
        if (likely(!b->c.d->walk_busy))
            return table_update(&b->c, slot, word_type(w) - FT_L1 + 1, val, keep_ad);
        pt_wait_walk(b->c.d);
    }
}

/* Handles requests [*done, count) until one is refused. */
static int update_entries(struct batch *b, uint64_t reqs, unsigned count)
{
    unsigned until_pause = BATCH;
    uint64_t ptr, val;
    int rc = 0;

    lock(&b->c.d->pt_lock);
    for (; b->c.request < count; b->c.request++, reqs += sizeof(struct mmu_update)) {
        if (unlikely(!until_pause--)) {
            forget_table(b);
            unlock(&b->c.d->pt_lock);
            if (!batch_go_on())
                return -XEN_EAGAIN;
            lock(&b->c.d->pt_lock);
            until_pause = BATCH - 1;
        }
        if (unlikely(!guest_load64(&ptr, reqs) || !guest_load64(&val, reqs + 8))) {
            rc = refuse(-XEN_EFAULT, "request %u at %#lx cannot be read", b->c.request,
                        (unsigned long)reqs);
            break;
        }
        if (likely((ptr & ~IN_L1) == b->l1_maddr))
            rc = leaf_update(&b->c, b->l1 + slot_index((uint64_t *)ptr), val,
                             ptr & MMU_PT_UPDATE_PRESERVE_AD);
        else
            rc = update_entry(b, ptr, val);
        if (unlikely(rc))
            break;
    }
    forget_table(b);
    unlock(&b->c.d->pt_lock);
    return rc;
}

long do_mmu_update(uint64_t reqs, uint64_t count, uint64_t done_ptr, uint64_t foreign)
{
    uint32_t n = (uint32_t)count;
    struct batch b;
    int rc;

    rc = foreign_domains(&b.c, foreign);
    if (unlikely(rc))
        return rc;
    if (unlikely(!guest_array_ok(reqs, n, sizeof(struct mmu_update))))
        return refuse(-XEN_EFAULT, "%u requests at %#lx: not in the guest's own address space", n,
                      (unsigned long)reqs);
    b.c.request = 0;
    b.table = NULL;
    b.l1_maddr = NO_L1;
    rc = update_entries(&b, reqs, n);
    if (done_ptr && copy_to_guest(done_ptr, &b.c.request, sizeof(uint32_t)) && !rc)
        rc = refuse(-XEN_EFAULT, "the number of requests done cannot be written to %#lx",
                    (unsigned long)done_ptr);
    return rc;
}
