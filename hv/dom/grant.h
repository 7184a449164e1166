/* SPDX-License-Identifier: MIT */
/* A domain's grant table: what it granted (shared entries and our own record of their use) and what
 * it mapped of others.
 *
 * A shared entry is read once, by the compare-and-swap that marks it as in use. From then until the
 * last pin goes, the active entry alone says what was granted to whom: the guest may write what it
 * likes into its table. Every mapping is one record in the mapper's table and one pin in the
 * granter's; a copy pins for its duration. */
#ifndef HV_DOM_GRANT_H
#define HV_DOM_GRANT_H

#include <hv/cpu.h>
#include <hv/print.h>
#include <pvabi/grant_table.h>

/* Refuses one operation of a list: its status is no error number. */
#define deny(status, ...) (refuse(0, __VA_ARGS__), (status))

#define GRANT_FRAMES_MAX 64
#define GRANTS_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define GRANT_BATCH      32 /* operations between two preemption points */

struct active {
    union {
        struct {
            uint32_t mfn;
            domid_t domid;
            uint8_t readers, writers; /* pins; writers also read */
        };
        uint64_t word;
    };
};
#define ACTIVE_DOMID(id) ((uint64_t)(id) << 32)
#define ACTIVE_READER    (1ull << 48)
#define ACTIVE_WRITER    (1ull << 56)
_Static_assert(sizeof(struct active) == sizeof(struct grant_entry_v1), "a page for each frame");

struct maptrack {
    struct domain *granter; /* exists as long as it has pins */
    uint32_t mfn;           /* in a free record: the next free one */
    uint16_t ref;
    uint16_t flags; /* GNTMAP_device_map and _host_map as far as mapped, _readonly, _contains_pte;
                       0: free */
};
#define TRACK_PARTS     (GNTMAP_device_map | GNTMAP_host_map)
#define TRACKS_PER_PAGE (PAGE_SIZE / sizeof(struct maptrack))
#define TRACK_PAGES_MAX 256
#define TRACK_NONE      (~0u)

struct grant_table {
    struct spinlock lock; /* RANK_GRANT: as a granter */
    unsigned frames, max_frames;
    uint64_t pins;                      /* sum over the active entries */
    uint64_t *shared[GRANT_FRAMES_MAX]; /* struct grant_entry_v1, each as one word; guest-writable
                                           at any time */
    struct active *active[GRANT_FRAMES_MAX];
    mfn_t mfn[GRANT_FRAMES_MAX]; /* of shared[]; fixed once below frames */

    struct spinlock track_lock; /* RANK_MAPTRACK: as a mapper */
    uint32_t track_free, track_pages;
    struct maptrack *track[TRACK_PAGES_MAX];
};
_Static_assert(sizeof(struct grant_table) <= PAGE_SIZE, "a table takes one page");

/* Record of the handle, or NULL. */
static always_inline struct maptrack *track_at(const struct grant_table *t, uint32_t handle)
{
    if (unlikely(handle >= t->track_pages * TRACKS_PER_PAGE))
        return NULL;
    return &t->track[handle / TRACKS_PER_PAGE % TRACK_PAGES_MAX][handle % TRACKS_PER_PAGE];
}

static always_inline struct active *active_at(const struct grant_table *t, uint32_t ref)
{
    return &t->active[ref / GRANTS_PER_FRAME % GRANT_FRAMES_MAX][ref % GRANTS_PER_FRAME];
}
static always_inline uint64_t *entry_at(const struct grant_table *t, uint32_t ref)
{
    return &t->shared[ref / GRANTS_PER_FRAME % GRANT_FRAMES_MAX][ref % GRANTS_PER_FRAME];
}

/* What an entry must have in its low half to permit the use, among the bits that matter; and what
 * marks the use. */
struct grant_need {
    uint64_t mask, value, busy;
};
static always_inline struct grant_need grant_need(domid_t user, bool writable)
{
    return (struct grant_need){
        .mask = GTF_type_mask | 0xffffull << 16 | (writable ? GTF_readonly : 0),
        .value = GTF_permit_access | (uint64_t)user << 16,
        .busy = GTF_reading | (writable ? GTF_writing : 0),
    };
}

/* One more use of the grant by domain `user`: *m is what was granted. GNTST_*. Granter's lock held
 * (grant_pin.c). */
int grant_pin_slow(struct domain *granter, uint32_t ref, domid_t user, bool writable, mfn_t *m);
static always_inline int grant_pin(struct domain *granter, uint32_t ref, domid_t user,
                                   bool writable, mfn_t *m)
{
    const struct grant_need need = grant_need(user, writable);
    struct grant_table *t = granter->grants;
    struct active *a;
    uint64_t old;

    if (unlikely(ref / GRANTS_PER_FRAME >= t->frames))
        return grant_pin_slow(granter, ref, user, writable, m);
    a = active_at(t, ref);
    old = READ_ONCE(*entry_at(t, ref));
    if (unlikely((a->readers | a->writers) || (old & need.mask) != need.value) ||
        unlikely(!__atomic_compare_exchange_n(entry_at(t, ref), &old, old | need.busy, false,
                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)))
        return grant_pin_slow(granter, ref, user, writable, m);
    a->word = old >> 32 | ACTIVE_DOMID(user) | (writable ? ACTIVE_WRITER : ACTIVE_READER);
    t->pins++;
    *m = mfn(old >> 32);
    return GNTST_okay;
}

static always_inline void grant_unpin(struct domain *granter, uint32_t ref, bool writable)
{
    struct grant_table *t = granter->grants;
    struct active *a = active_at(t, ref);
    uint64_t idle = 0;

    a->word -= writable ? ACTIVE_WRITER : ACTIVE_READER;
    t->pins--;
    if (writable && !a->writers)
        idle |= GTF_writing;
    if (!(a->readers | a->writers))
        idle |= GTF_reading;
    if (idle)
        __atomic_fetch_and(entry_at(t, ref), ~idle, __ATOMIC_SEQ_CST);
}

/* A reference to a frame of owner, for writing with a WR count: one of these for each mapping and
 * each side of a copy. */
int grant_hold_slow(struct domain *owner, mfn_t m, bool writable);
static always_inline int grant_hold(struct domain *owner, mfn_t m, bool writable)
{
    if (likely(mfn_valid(m)) && likely(writable ? frame_try_writable(mfn_frame(m), owner)
                                                : frame_try_ref(mfn_frame(m), owner)))
        return GNTST_okay;
    return grant_hold_slow(owner, m, writable);
}
static always_inline void grant_drop(mfn_t m, bool writable)
{
    if (writable && !frame_try_put_writable(mfn_frame(m)))
        aside1(frame_put_writable, mfn_frame(m));
    else if (!writable && !frame_try_put_ref(mfn_frame(m)))
        aside1(frame_put_ref, mfn_frame(m));
}

void grant_limit(struct domain *d, unsigned frames); /* most frames of the table; not above GRANT_FRAMES_MAX */

/* The batched operations: ops[n], their statuses stored in them (grant_use.c, grant_copy.c). */
int grant_map_batch(void *ops, unsigned n);
int grant_unmap_batch(void *ops, unsigned n);
int grant_replace_batch(void *ops, unsigned n);
int grant_copy_batch(void *ops, unsigned n);

#endif
