/* SPDX-License-Identifier: MIT */
/*
 * References, and the writable type, of single frames: the part of the state machine that needs no
 * lock.
 *
 * A look at the owner before a compare-and-swap on the word keeps one domain from touching
 * another's counts; the look after it settles the matter, as references keep the owner from
 * changing.
 */
#include "types.h"

#ifndef PARAVANE_HOST
#endif

const char *frame_type_name(enum frame_type t)
{
    static const char *const name[] = {"untyped page",    "writable page", "L1 page table",
                                       "L2 page table",   "L3 page table", "L4 page table",
                                       "descriptor page", "free frame"};

    return name[t & 7];
}

void frame_describe(char *buf, size_t size, mfn_t m)
{
    const struct frame *f = mfn_frame(m);
    const struct domain *owner;

    if (frame_is_io(m)) {
        snprintf(buf, size, "no RAM");
        return;
    }
    owner = READ_ONCE(f->owner);
    if (!owner)
        snprintf(buf, size, "free or the hypervisor's");
    else
        snprintf(buf, size, "%s of d%u", frame_type_name(word_type(READ_ONCE(f->word))), owner->id);
}

static cold void frame_free(struct frame *f)
{
    if (f->word & FW_NC)
        cache_flush_frame(frame_mfn(f));
    domain_frame_release(f);
}

bool frame_get_ref(struct frame *f, const struct domain *d)
{
    uint64_t w = READ_ONCE(f->word);

    do {
        if (READ_ONCE(f->owner) != d || !word_refs_ok(w))
            return false;
    } while (!word_cas(f, &w, w + FW_REF_ONE));
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    frame_put_ref(f);
    return false;
}

void frame_put_ref(struct frame *f)
{
    uint64_t w = __atomic_sub_fetch(&f->word, FW_REF_ONE, __ATOMIC_SEQ_CST);

    if (unlikely(!(w >> FW_REF_SHIFT)))
        frame_free(f);
}

/* What a TLB may hold of the frame is from before now: the unmapping stores are visible. Lock: the
 * busy state. */
static void stamp(struct frame *f)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    f->stamp = __atomic_load_n(&tlb_epoch, __ATOMIC_SEQ_CST);
}

void type_end(struct frame *f)
{
    uint64_t w, to;

    stamp(f);
    w = READ_ONCE(f->word);
    do {
        to = w & ~(FW_TYPE_MASK | FW_BUSY | FW_COUNT_MASK | FW_LAST_MASK);
        to |= FW_LAST(word_type(w));
        to -= FW_REF_ONE;
    } while (!word_cas(f, &w, to));
    if (unlikely(!(to >> FW_REF_SHIFT)))
        frame_free(f);
}

/* Another CPU holds it busy for the moment of a flush, which may be waiting for this one. */
static void wait_busy(void)
{
#ifndef PARAVANE_HOST
    tlb_serve_request();
    cpu_pause();
#endif
}

/* The word after another writable use of w; 0: w cannot have one now. */
static uint64_t writable_word(uint64_t w)
{
    uint64_t type = w & (FW_TYPE_MASK | FW_BUSY);

    if (w & FW_COUNT_HIGH)
        return 0;
    if (type == FW_TYPE(FT_WR))
        return w + FW_REF_ONE + FW_COUNT_ONE;
    if (type != FW_TYPE(FT_NONE))
        return 0;
    w += FW_REF_ONE + FW_COUNT_ONE + FW_TYPE(FT_WR);
    /* Some CPU may still walk through it as a table. */
    return (w & FW_LAST_MASK) > FW_LAST(FT_WR) ? w | FW_BUSY : w;
}

int frame_get_writable(struct frame *f, const struct domain *d)
{
    uint64_t w = READ_ONCE(f->word), to;

    for (;;) {
        if (READ_ONCE(f->owner) != d || !word_refs_ok(w))
            return -XEN_EPERM;
        to = writable_word(w);
        if (to && word_cas(f, &w, to))
            break;
        if (!to && (w & (FW_TYPE_MASK | FW_BUSY)) != (FW_TYPE(FT_WR) | FW_BUSY))
            return -XEN_EBUSY;
        if (!to) {
            wait_busy();
            w = READ_ONCE(f->word);
        }
    }
    if (to & FW_BUSY) {
        tlb_flush_older(f->stamp);
        __atomic_and_fetch(&f->word, ~FW_BUSY, __ATOMIC_SEQ_CST);
    }
    if (likely(READ_ONCE(f->owner) == d))
        return 0;
    frame_put_writable(f);
    return -XEN_EPERM;
}

void frame_put_writable(struct frame *f)
{
    uint64_t w = READ_ONCE(f->word);

    for (;;) {
        if ((w & FW_COUNT_MASK) > 1) {
            if (word_cas(f, &w, w - FW_REF_ONE - FW_COUNT_ONE))
                return;
        } else if (word_cas(f, &w, w | FW_BUSY)) {
            break;
        }
    }
    type_end(f);
}
