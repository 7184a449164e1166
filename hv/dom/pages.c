/* SPDX-License-Identifier: MIT */
/* The frames of a domain: its list, its quota, and how frames come and go.
 *
 * Every frame on a domain's list holds one reference for being there (ALLOC). A frame leaves the
 * list when its last reference goes, and only then counts no longer. Shared pages (shared_info,
 * grant tables) have the domain as owner, so that it may map them, but are the hypervisor's: they
 * are on no list, and their writable type, which the hypervisor holds, keeps the guest from giving
 * them away. */
#include <hv/mm.h>
#include <hv/print.h>

#include "pages.h"

static void list_add(uint32_t *list, uint32_t n)
{
    struct frame *f = mfn_frame(mfn(n));

    f->prev = 0;
    f->next = *list;
    if (f->next)
        mfn_frame(mfn(f->next))->prev = n;
    *list = n;
}

static bool list_remove(struct domain *d, struct frame *f)
{
    uint32_t n = (uint32_t)frame_mfn(f).n;

    if (f->prev)
        mfn_frame(mfn(f->prev))->next = f->next;
    else if (d->pages_first == n)
        d->pages_first = f->next;
    else if (d->pages_left == n)
        d->pages_left = f->next;
    else
        return false;
    if (f->next)
        mfn_frame(mfn(f->next))->prev = f->prev;
    f->next = f->prev = 0;
    return true;
}

void domain_adopt_frames(struct domain *d, mfn_t first, unsigned order)
{
    lock(&d->pages_lock);
    for (uint64_t i = 0; i < 1ull << order; i++) {
        mfn_frame(mfn(first.n + i))->owner = d;
        list_add(&d->pages_first, (uint32_t)(first.n + i));
    }
    unlock(&d->pages_lock);
}

/* Counts frames against the limit before they are there. False: too many, or the domain is dying. */
static bool charge(struct domain *d, uint64_t count)
{
    bool ok;

    lock(&d->pages_lock);
    ok = !d->dying && count <= d->max_pages && d->tot_pages <= d->max_pages - count;
    if (ok)
        d->tot_pages += count;
    unlock(&d->pages_lock);
    return ok;
}

void domain_count(struct domain *d, int64_t change)
{
    lock(&d->pages_lock);
    d->tot_pages += (uint64_t)change;
    unlock(&d->pages_lock);
}

int domain_alloc_frames(struct domain *d, unsigned order, unsigned addr_bits, mfn_t *first)
{
    if (!charge(d, 1ull << order))
        return -XEN_ENOMEM;
    *first = heap_alloc(order, addr_bits);
    if (mfn_eq(*first, INVALID_MFN)) {
        domain_count(d, -(1ll << order));
        return -XEN_ENOMEM;
    }
    domain_adopt_frames(d, *first, order);
    return 0;
}

void domain_frame_release(struct frame *f)
{
    struct domain *d = f->owner;
    mfn_t m = frame_mfn(f);

    lock(&d->pages_lock);
    d->tot_pages -= list_remove(d, f);
    f->owner = NULL;
    unlock(&d->pages_lock);
    m2p_set(m, INVALID_P2M);
    heap_free(m, 0);
}

static bool frame_claim(struct frame *f)
{
    uint64_t w = READ_ONCE(f->word);

    do {
        if (w >> FW_REF_SHIFT != 2 || (w & (FW_TYPE_MASK | FW_COUNT_MASK)))
            return false;
    } while (!__atomic_compare_exchange_n(&f->word, &w, w - 2 * FW_REF_ONE, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    return true;
}

int domain_claim_frame(struct domain *d, uint64_t n)
{
    struct frame *f = mfn_valid(mfn(n)) ? mfn_frame(mfn(n)) : NULL;

    if (!f || !frame_get_ref(f, d))
        return refuse(-XEN_EINVAL, "frame 0x%lx given back is not one of domain %u", n, d->id);
    if (frame_claim(f))
        return 0;
    refuse(-XEN_EINVAL,
           "frame 0x%lx given back is in use: type %s, %lu uses and %lu references; unmap it first",
           n, frame_type_name(word_type(f->word)), (unsigned long)(f->word & FW_COUNT_MASK),
           (f->word >> FW_REF_SHIFT) - 2);
    frame_put_ref(f);
    return -XEN_EINVAL;
}

void frame_release_claimed(struct frame *f)
{
    if (f->word & FW_NC)
        cache_flush_frame(frame_mfn(f));
    domain_frame_release(f);
}

void frame_unclaim(struct frame *f)
{
    __atomic_fetch_add(&f->word, FW_REF_ONE, __ATOMIC_SEQ_CST);
}

void *domain_alloc_shared_page(struct domain *d, mfn_t *m)
{
    mfn_t n = heap_alloc(0, HEAP_ANY_BITS);

    if (mfn_eq(n, INVALID_MFN))
        return NULL;
    mfn_frame(n)->owner = d;
    BUG_ON(frame_get_writable(mfn_frame(n), d));
    *m = n;
    return mfn_va(n);
}

void domain_free_shared_page(struct domain *d, void *va)
{
    struct frame *f = mfn_frame(va_mfn(va));

    BUG_ON(f->owner != d);
    frame_put_writable(f);
    frame_put_ref(f);
}

bool domain_shared_page_idle(const void *va)
{
    uint64_t w = READ_ONCE(mfn_frame(va_mfn(va))->word);

    return w >> FW_REF_SHIFT == 2 && (w & FW_COUNT_MASK) == 1;
}

void domain_give_up_frame(struct frame *f)
{
    struct domain *d = f->owner;

    lock(&d->pages_lock);
    list_remove(d, f);
    list_add(&d->pages_left, (uint32_t)frame_mfn(f).n);
    unlock(&d->pages_lock);
    frame_put_ref(f);
}
