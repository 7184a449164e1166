/* SPDX-License-Identifier: MIT */
/* Mapping other domains' grants, and unmapping them. The page-table entry is put and taken away by
 * mm/; its references belong to it meanwhile. A mapping for devices has no entry, so the record
 * itself owns its reference. */
#include <hv/mm.h>

#include "grant.h"

static always_inline void lock_both(struct domain *granter, struct grant_table *mapper)
{
    lock(&granter->grants->lock);
    lock(&mapper->track_lock);
}

static always_inline void unlock_both(struct domain *granter, struct grant_table *mapper)
{
    unlock(&mapper->track_lock);
    unlock(&granter->grants->lock);
}

static bool track_grow(struct grant_table *t)
{
    struct maptrack *r;
    uint32_t base = t->track_pages * (uint32_t)TRACKS_PER_PAGE;

    if (t->track_pages == TRACK_PAGES_MAX || !(r = page_alloc(0)))
        return false;
    for (unsigned i = 0; i < TRACKS_PER_PAGE; i++)
        r[i].mfn = i + 1 < TRACKS_PER_PAGE ? base + i + 1 : TRACK_NONE;
    t->track[t->track_pages++] = r;
    t->track_free = base;
    return true;
}

static always_inline void track_put(struct grant_table *t, struct maptrack *r, uint32_t handle)
{
    r->flags = 0;
    r->mfn = t->track_free;
    t->track_free = handle;
}

static always_inline int attach_host(struct pt_run *run, struct domain *granter,
                                     const struct gnttab_map_grant_ref *op, mfn_t m, bool writable)
{
    uint64_t pte = m.n << PAGE_SHIFT | PTE_P | PTE_U | PTE_A | PTE_D | (writable ? PTE_RW : 0) |
                   (uint64_t)(op->flags >> _GNTMAP_guest_avail0 & 7) << 9;
    int status = grant_hold(granter, m, writable);

    if (unlikely(status))
        return status;
    if (unlikely(pt_install_grant(run, op->host_addr, op->flags & GNTMAP_contains_pte, pte))) {
        grant_drop(m, writable);
        return GNTST_general_error;
    }
    return GNTST_okay;
}

static noinline int attach_device(struct pt_run *run, struct domain *granter,
                                  const struct gnttab_map_grant_ref *op, mfn_t m, bool writable)
{
    int status = grant_hold(granter, m, writable);

    if (status || !(op->flags & GNTMAP_host_map))
        return status;
    status = attach_host(run, granter, op, m, writable);
    if (status)
        grant_drop(m, writable);
    return status;
}

/* Mapper's table t; both locks and the page-table run are held. */
static always_inline int map_one(struct pt_run *run, struct grant_table *t, struct domain *granter,
                                 struct gnttab_map_grant_ref *op)
{
    bool writable = !(op->flags & GNTMAP_readonly);
    struct maptrack *r;
    mfn_t m;
    int status;

    if (unlikely(!(op->flags & TRACK_PARTS)))
        return deny(GNTST_bad_gntref, "map of grant %u: flags %#x say neither host nor device",
                    op->ref, op->flags);
    if (unlikely(t->track_free == TRACK_NONE) && !track_grow(t))
        return deny(GNTST_no_space, "map of grant %u: domain %u has no more handles", op->ref,
                    run->d->id);
    status = grant_pin(granter, op->ref, run->d->id, writable, &m);
    if (unlikely(status))
        return status;
    status = unlikely(op->flags & GNTMAP_device_map) ? attach_device(run, granter, op, m, writable)
                                                     : attach_host(run, granter, op, m, writable);
    if (unlikely(status)) {
        grant_unpin(granter, op->ref, writable);
        return status;
    }
    r = track_at(t, t->track_free);
    op->handle = t->track_free;
    op->dev_bus_addr = m.n << PAGE_SHIFT;
    t->track_free = r->mfn;
    r->granter = granter;
    r->mfn = (uint32_t)m.n;
    r->ref = (uint16_t)op->ref;
    r->flags = op->flags & (TRACK_PARTS | GNTMAP_readonly | GNTMAP_contains_pte);
    return GNTST_okay;
}

int grant_map_batch(void *ops, unsigned n)
{
    struct gnttab_map_grant_ref *op = ops, *end = op + n;
    struct domain *d = current->domain;
    struct grant_table *t = d->grants;
    struct pt_run run;

    while (op < end) {
        domid_t id = op->dom;
        struct domain *granter = domain_by_id(id);

        if (!granter || granter->dying) {
            op->status =
                (int16_t)deny(GNTST_bad_domain, "map of grant %u: no domain %u", op->ref, id);
            op++;
            continue;
        }
        lock_both(granter, t);
        pt_run_begin(&run, d);
        for (; op < end && op->dom == id; op++)
            op->status = (int16_t)map_one(&run, t, granter, op);
        pt_run_end(&run);
        unlock_both(granter, t);
    }
    return 0;
}

/* What an operation of a batch has taken away. A copy: between the two steps no lock is held, and the record may get a new
 * life. */
struct gone {
    struct domain *granter;
    uint32_t mfn;
    uint16_t ref;
    uint8_t parts; /* 0: nothing */
    bool writable, last;
};

/* First step of an unmap: the entry is cleared, the record claimed. Mapper's track lock and the
 * page-table run are held. */
static always_inline int detach(struct pt_run *run, const struct grant_table *t,
                                const struct gnttab_unmap_grant_ref *op, bool replace,
                                struct gone *gone)
{
    struct maptrack *r = track_at(t, op->handle);
    unsigned parts, flags;

    if (unlikely(!r || !(r->flags & TRACK_PARTS)))
        return deny(GNTST_bad_handle, "unmap of handle %#x, which maps nothing", op->handle);
    flags = r->flags;
    if (unlikely(replace && (flags & GNTMAP_contains_pte)))
        return deny(GNTST_general_error, "handle %#x was mapped by its entry: not replaceable",
                    op->handle);
    parts = (op->host_addr ? GNTMAP_host_map : 0) |
            (op->dev_bus_addr && !replace ? GNTMAP_device_map : 0);
    parts &= flags;
    if (unlikely((parts & GNTMAP_device_map) && op->dev_bus_addr >> PAGE_SHIFT != r->mfn))
        return deny(GNTST_bad_dev_addr, "handle %#x maps frame %#x for devices, not address %#lx",
                    op->handle, r->mfn, op->dev_bus_addr);
    if (likely(parts & GNTMAP_host_map) &&
        unlikely(pt_remove_grant(run, op->host_addr, flags & GNTMAP_contains_pte, mfn(r->mfn),
                                 !(flags & GNTMAP_readonly), replace ? op->dev_bus_addr : 0)))
        return GNTST_general_error;
    *gone = (struct gone){r->granter, r->mfn, r->ref, (uint8_t)parts, !(flags & GNTMAP_readonly),
                          parts && !(flags & ~parts & TRACK_PARTS)};
    r->flags = (uint16_t)(flags & ~parts);
    return GNTST_okay;
}

/* Last step, after the flush: nobody reaches the frame by this mapping any more. Both locks held. */
static always_inline void finish(struct grant_table *t, const struct gone *gone, uint32_t handle)
{
    if (likely(gone->last)) {
        grant_unpin(gone->granter, gone->ref, gone->writable);
        track_put(t, track_at(t, handle), handle);
    }
    if (likely(gone->parts & GNTMAP_host_map))
        grant_drop(mfn(gone->mfn), gone->writable);
    if (unlikely(gone->parts & GNTMAP_device_map))
        grant_drop(mfn(gone->mfn), gone->writable);
}

/* Of a batch that took something away. */
static void finish_all(struct grant_table *t, const struct gnttab_unmap_grant_ref *op,
                       const struct gone *gone, unsigned n)
{
    struct domain *locked = NULL;

    for (unsigned i = 0; i < n; i++) {
        if (!gone[i].parts)
            continue;
        if (unlikely(gone[i].granter != locked)) {
            if (locked)
                unlock_both(locked, t);
            locked = gone[i].granter;
            lock_both(locked, t);
        }
        finish(t, &gone[i], op[i].handle);
    }
    unlock_both(locked, t);
}

static int unmap_batch(struct gnttab_unmap_grant_ref *op, unsigned n, bool replace)
{
    struct domain *d = current->domain;
    struct grant_table *t = d->grants;
    struct gone gone[GRANT_BATCH];
    unsigned any = 0;
    struct pt_run run;

    lock(&t->track_lock);
    pt_run_begin(&run, d);
    for (unsigned i = 0; i < n; i++) {
        gone[i].parts = 0;
        op[i].status = (int16_t)detach(&run, t, &op[i], replace, &gone[i]);
        any |= gone[i].parts;
    }
    pt_run_end(&run);
    unlock(&t->track_lock);
    if (any) { /* also without a host part: another vCPU's flush of it may be under way */
        tlb_flush_domain(d, ~0ull);
        finish_all(t, op, gone, n);
    }
    return 0;
}

int grant_unmap_batch(void *ops, unsigned n)
{
    return unmap_batch(ops, n, false);
}

/* The two operations differ in the meaning of the second member only. */
_Static_assert(sizeof(struct gnttab_unmap_and_replace) == sizeof(struct gnttab_unmap_grant_ref) &&
                   offsetof(struct gnttab_unmap_and_replace, new_addr) ==
                       offsetof(struct gnttab_unmap_grant_ref, dev_bus_addr) &&
                   offsetof(struct gnttab_unmap_and_replace, handle) ==
                       offsetof(struct gnttab_unmap_grant_ref, handle) &&
                   offsetof(struct gnttab_unmap_and_replace, status) ==
                       offsetof(struct gnttab_unmap_grant_ref, status),
               "layouts agree");

int grant_replace_batch(void *ops, unsigned n)
{
    return unmap_batch(ops, n, true);
}

void grant_domain_release(struct domain *d)
{
    struct grant_table *t = d->grants;

    tlb_flush_domain(d, ~0ull);
    for (uint32_t h = 0; h < t->track_pages * TRACKS_PER_PAGE; h++) {
        const struct maptrack *r = track_at(t, h);
        struct gone gone = {r->granter, r->mfn, r->ref, 0, !(r->flags & GNTMAP_readonly), true};

        if (h % GRANT_BATCH == 0)
            preempt_point();
        if (!(r->flags & TRACK_PARTS))
            continue;
        /* The reference of a page-table entry went with the page table. */
        gone.parts = r->flags & GNTMAP_device_map;
        lock_both(gone.granter, t);
        finish(t, &gone, h);
        unlock_both(gone.granter, t);
    }
}
