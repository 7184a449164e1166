/* SPDX-License-Identifier: MIT */
/* Frames of machine memory: owner, references, type. The state machine is in mm/frame.c and mm/table.c; docs/page-types.md draws it.
 *
 * One atomic 64-bit word a frame:
 *
 *   63           36 35  34..32  31  30   29    28..26  25            0
 *  +---------------+--+--------+---+----+-----+-------+---------------+
 *  |     refs      |  |  last  |NC |PIN |BUSY | type  |  type count   |
 *  +---------------+--+--------+---+----+-----+-------+---------------+
 *
 * Legal: (NONE, idle, 0), (T, busy, 1), (T, stable, n >= 1). Every typed use also holds a reference, so one
 * compare-and-swap takes or drops both. refs > 0 means the owner cannot change. `last` is the type that the frame had
 * before it became NONE, `stamp` the flush epoch of that moment: what may still be in some TLB.
 * Of a free block (mm/heap.c) the first frame's word is (FREE, order) and `stamp` tells when it was freed; all others' are 0.
 */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/aside.h>
#include <hv/layout.h>
#include <hv/types.h>

enum frame_type { FT_NONE, FT_WR, FT_L1, FT_L2, FT_L3, FT_L4, FT_SEG, FT_FREE };

#define FW_COUNT_ONE  1ull
#define FW_COUNT_MASK 0x3ffffffull
#define FW_COUNT_HIGH 0x2000000ull /* refuse above: far from wrapping */
#define FW_TYPE_SHIFT 26
#define FW_TYPE_MASK  (7ull << FW_TYPE_SHIFT)
#define FW_TYPE(t)    ((uint64_t)(t) << FW_TYPE_SHIFT)
#define FW_BUSY       (1ull << 29)
#define FW_PIN        (1ull << 30)
#define FW_NC         (1ull << 31) /* sticky: was mapped with a cache attribute other than WB */
#define FW_LAST_SHIFT 32
#define FW_LAST_MASK  (7ull << FW_LAST_SHIFT)
#define FW_LAST(t)    ((uint64_t)(t) << FW_LAST_SHIFT)
#define FW_REF_SHIFT  36
#define FW_REF_ONE    (1ull << FW_REF_SHIFT)
#define FW_REF_HIGH   (1ull << 63)

struct frame {
    uint64_t word;        /* atomic */
    struct domain *owner; /* fixed while refs > 0; NULL: the hypervisor's own or free */
    uint64_t stamp;       /* written only by who holds BUSY, or by the allocator */
    uint32_t next, prev;  /* in the owner's list (lock: owner->pages_lock) or a free list (heap lock); mfn, 0 ends */
};
_Static_assert(sizeof(struct frame) == 32, "the frame table is indexed by shifting");

#ifdef PARAVANE_HOST
extern struct frame *frame_table;
void *host_frame_va(uint64_t n);
uint64_t host_va_frame(const void *va);
#else
#define frame_table ((struct frame *)FRAME_TABLE_VA)
#endif
extern uint64_t frame_max; /* frames with index below have an entry; what is no RAM there belongs to dom_io */

static always_inline bool mfn_valid(mfn_t m)
{
    return m.n < frame_max;
}
static always_inline struct frame *mfn_frame(mfn_t m)
{
    return &frame_table[m.n];
}
static always_inline mfn_t frame_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - frame_table));
}
/* Address of a RAM frame in the direct map. */
static always_inline void *mfn_va(mfn_t m)
{
#ifdef PARAVANE_HOST
    return host_frame_va(m.n);
#else
    return (void *)(DIRECT_MAP_VA + (m.n << PAGE_SHIFT));
#endif
}
static always_inline mfn_t va_mfn(const void *va)
{
#ifdef PARAVANE_HOST
    return mfn(host_va_frame(va));
#else
    return mfn(((uint64_t)va - DIRECT_MAP_VA) >> PAGE_SHIFT);
#endif
}

static always_inline enum frame_type word_type(uint64_t w)
{
    return (enum frame_type)((w & FW_TYPE_MASK) >> FW_TYPE_SHIFT);
}
/* Stable and of that type. */
static always_inline bool word_is(uint64_t w, enum frame_type t)
{
    return (w & (FW_TYPE_MASK | FW_BUSY)) == FW_TYPE(t);
}
const char *frame_type_name(enum frame_type t);

/* The allocator (mm/heap.c). Order: 2^order frames, naturally aligned, at most HEAP_ORDER_MAX. */
#define HEAP_ORDER_MAX 18
#define HEAP_ANY_BITS 64
/* Or'ed to addr_bits: frames that nobody has used since the boot may come with what the firmware left there. For dom0's
 * memory, whose clearing would be most of the boot time. */
#define HEAP_AS_FOUND 0x100
/* Frames for the hypervisor itself (owner NULL, refs 1), zeroed and in nobody's TLB. addr_bits limits the machine address.
 * INVALID_MFN: none left. Heap lock only: any other lock but later-ranked ones may be held. */
mfn_t heap_alloc(unsigned order, unsigned addr_bits);
/* Nothing refers to the frames any more, but TLBs may: both they and the contents are dealt with before the next use. */
void heap_free(mfn_t m, unsigned order);
/* Boot: gives the frames [first, end), whose frame table entries are zero, to the heap. */
void heap_add(uint64_t first, uint64_t end);
uint64_t heap_free_frames(void);
uint64_t heap_total_frames(void);
/* Convenience for the hypervisor's own data: zeroed pages in the direct map, or NULL. */
void *page_alloc(unsigned order);
void page_free(void *va, unsigned order);

/* Frames of a domain (dom/pages.c): owner set, refs 1 (ALLOC), on the domain's list, counted against max_pages. */
int domain_alloc_frames(struct domain *d, unsigned order, unsigned addr_bits, mfn_t *first);
/* A page of the hypervisor that the guest may map (shared_info, grant table): owner d, held WR by the hypervisor, not on the list. */
void *domain_alloc_shared_page(struct domain *d, mfn_t *m);
void domain_free_shared_page(struct domain *d, void *va);
bool domain_shared_page_idle(const void *va); /* nobody but the hypervisor uses it */
/* The last reference is gone (mm/frame.c): off the owner's list, to the heap. */
void domain_frame_release(struct frame *f);

/* The machine-to-physical table. */
void m2p_set(mfn_t m, uint64_t pfn);

/* References and the writable type (mm/frame.c). All may be called with or without locks unless said. */
bool frame_get_ref(struct frame *f, const struct domain *d); /* false: not d's, free, or saturated */
void frame_put_ref(struct frame *f);
/* Writable use: one type count and one reference. 0; -XEN_EPERM not d's; -XEN_EBUSY has another type. */
int frame_get_writable(struct frame *f, const struct domain *d);
void frame_put_writable(struct frame *f);
/* The common cases of taking, in line. False: only the functions above know. */
static always_inline bool frame_try_ref(struct frame *f, const struct domain *d)
{
    uint64_t w = READ_ONCE(f->word);

    if (unlikely(READ_ONCE(f->owner) != d || (int64_t)w < (int64_t)FW_REF_ONE) ||
        !__atomic_compare_exchange_n(&f->word, &w, w + FW_REF_ONE, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return false;
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    aside1(frame_put_ref, f); /* freed and given to somebody else between the two looks */
    return false;
}
static always_inline bool frame_try_writable(struct frame *f, const struct domain *d)
{
    uint64_t w = READ_ONCE(f->word);

    if (unlikely(READ_ONCE(f->owner) != d ||
                 (w & (FW_TYPE_MASK | FW_BUSY | FW_COUNT_HIGH | FW_REF_HIGH)) != FW_TYPE(FT_WR)) ||
        !__atomic_compare_exchange_n(&f->word, &w, w + FW_REF_ONE + FW_COUNT_ONE, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_RELAXED))
        return false;
    if (likely(READ_ONCE(f->owner) == d))
        return true;
    aside1(frame_put_writable, f);
    return false;
}
/* And of giving back: all but the last use. */
static always_inline bool frame_try_put_ref(struct frame *f)
{
    uint64_t w = READ_ONCE(f->word);

    return likely(w >= 2 * FW_REF_ONE) &&
           likely(__atomic_compare_exchange_n(&f->word, &w, w - FW_REF_ONE, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}
static always_inline bool frame_try_put_writable(struct frame *f)
{
    uint64_t w = READ_ONCE(f->word);

    return likely((w & FW_COUNT_MASK) > 1) &&
           likely(__atomic_compare_exchange_n(&f->word, &w, w - FW_REF_ONE - FW_COUNT_ONE, false, __ATOMIC_SEQ_CST,
                                              __ATOMIC_RELAXED));
}

#endif
