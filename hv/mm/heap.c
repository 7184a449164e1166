/* SPDX-License-Identifier: MIT */
/* The allocator of machine frames: free blocks of 2^order frames, buddies merged, in lists by zone
 * and order.
 *
 * Zone z holds the frames [2^z, 2^(z+1)), so "below 2^n" is a mask of zones. A block lies in one
 * zone: it is aligned to its size, and memory below 1 MiB never comes here. High zones are used
 * first, as devices want low memory.
 *
 * A freed block keeps the flush epoch of that moment. Before its next use TLBs that are older are
 * flushed and it is cleared; both cost nothing at the time of freeing, and the flush mostly nothing
 * at all. Epoch 0: unused since boot. */
#include <string.h>

#include <hv/lock.h>
#include <hv/mm.h>
#include <hv/print.h>

#define ZONES  32 /* a list's links are 32 bits */
#define ORDERS (HEAP_ORDER_MAX + 1)

static struct spinlock heap_lock = SPINLOCK_INIT(RANK_HEAP);
/* Lock of all these: heap. */
static uint32_t list[ZONES][ORDERS]; /* first frame, 0: none */
static uint32_t orders[ZONES];       /* bit n: list of order n is not empty */
static uint32_t zones;               /* bit n: zone n has something */
static uint64_t free_frames, total_frames;

static unsigned zone_of(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

static uint64_t free_word(unsigned order)
{
    return FW_TYPE(FT_FREE) | order;
}

static void insert(uint64_t n, unsigned order, uint64_t stamp)
{
    unsigned z = zone_of(n);
    uint32_t *head = &list[z][order];
    struct frame *f = &frame_table[n];

    f->stamp = stamp;
    f->next = *head;
    f->prev = 0;
    if (*head)
        frame_table[*head].prev = (uint32_t)n;
    *head = (uint32_t)n;
    orders[z] |= 1u << order;
    zones |= 1u << z;
    __atomic_store_n(&f->word, free_word(order), __ATOMIC_RELAXED);
}

/* Takes a block out of its list; its word becomes that of the other free frames. */
static void withdraw(uint64_t n, unsigned order)
{
    unsigned z = zone_of(n);
    struct frame *f = &frame_table[n];

    if (f->next)
        frame_table[f->next].prev = f->prev;
    if (f->prev)
        frame_table[f->prev].next = f->next;
    else
        list[z][order] = f->next;
    if (!list[z][order])
        orders[z] &= ~(1u << order);
    if (!orders[z])
        zones &= ~(1u << z);
    f->next = f->prev = 0; /* "on no list" to the next owner */
    __atomic_store_n(&f->word, 0, __ATOMIC_RELAXED);
}

/* Inserts a block, merged with its buddy as long as that is free too. */
static void give_back(uint64_t n, unsigned order, uint64_t stamp)
{
    for (; order < HEAP_ORDER_MAX; order++) {
        uint64_t buddy = n ^ 1ull << order;

        if (buddy >= frame_max ||
            __atomic_load_n(&frame_table[buddy].word, __ATOMIC_RELAXED) != free_word(order))
            break;
        stamp = MAX(stamp, frame_table[buddy].stamp);
        withdraw(buddy, order);
        n = MIN(n, buddy);
    }
    insert(n, order, stamp);
}

/* The smallest sufficient block of the highest zone in the mask that has one. 0: none. */
static uint64_t find(unsigned order, uint32_t mask, unsigned *found)
{
    for (mask &= zones; mask; mask &= ~(1u << zone_of(mask))) {
        unsigned z = zone_of(mask);
        uint32_t enough = orders[z] >> order;

        if (enough) {
            *found = order + (unsigned)__builtin_ctz(enough);
            return list[z][*found];
        }
    }
    return 0;
}

static uint32_t zones_below(unsigned addr_bits)
{
    if (addr_bits <= PAGE_SHIFT)
        return 0;
    return addr_bits - PAGE_SHIFT >= ZONES ? ~0u : (1u << (addr_bits - PAGE_SHIFT)) - 1;
}

/* Takes a block from the lists; its frames get their first reference. */
static uint64_t take(unsigned order, uint32_t mask, uint64_t *stamp)
{
    unsigned o;
    uint64_t n;

    lock(&heap_lock);
    n = find(order, mask, &o);
    if (n) {
        *stamp = frame_table[n].stamp;
        withdraw(n, o);
        while (o-- > order)
            insert(n + (1ull << o), o, *stamp);
        free_frames -= 1ull << order;
        for (uint64_t i = n; i < n + (1ull << order); i++)
            frame_table[i].word = FW_REF_ONE;
    }
    unlock(&heap_lock);
    return n;
}

mfn_t heap_alloc(unsigned order, unsigned addr_bits)
{
    bool as_found = addr_bits & HEAP_AS_FOUND;
    uint64_t n, stamp;

    if (order > HEAP_ORDER_MAX)
        return INVALID_MFN;
    n = take(order, zones_below(addr_bits & ~(unsigned)HEAP_AS_FOUND), &stamp);
    if (!n)
        return INVALID_MFN;
    if (stamp)
        tlb_flush_older(stamp);
    if (stamp || !as_found)
        memset(mfn_va(mfn(n)), 0, PAGE_SIZE << order);
    return mfn(n);
}

void heap_free(mfn_t m, unsigned order)
{
    uint64_t stamp = MAX(__atomic_load_n(&tlb_epoch, __ATOMIC_SEQ_CST), 1);

    BUG_ON(m.n & ((1ull << order) - 1));
    for (struct frame *f = mfn_frame(m); f < mfn_frame(m) + (1ull << order); f++) {
        f->word = 0;
        f->owner = NULL;
    }
    lock(&heap_lock);
    give_back(m.n, order, stamp);
    free_frames += 1ull << order;
    unlock(&heap_lock);
}

void heap_add(uint64_t first, uint64_t end)
{
    lock(&heap_lock);
    total_frames += end - first;
    free_frames += end - first;
    while (first < end) {
        unsigned order =
            MIN(MIN((unsigned)__builtin_ctzll(first), zone_of(end - first)), HEAP_ORDER_MAX);

        give_back(first, order, 0);
        first += 1ull << order;
    }
    unlock(&heap_lock);
}

uint64_t heap_free_frames(void)
{
    return READ_ONCE(free_frames);
}

uint64_t heap_total_frames(void)
{
    return READ_ONCE(total_frames);
}

void *page_alloc(unsigned order)
{
    mfn_t m = heap_alloc(order, HEAP_ANY_BITS);

    return mfn_eq(m, INVALID_MFN) ? NULL : mfn_va(m);
}

void page_free(void *va, unsigned order)
{
    heap_free(va_mfn(va), order);
}
