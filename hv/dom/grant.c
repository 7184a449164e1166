/* SPDX-License-Identifier: MIT */
/* Grant tables, version 1: the hypercall, the table's size, life and end. Mapping: grant_use.c,
 * copying: grant_copy.c. */
#include <hv/access.h>
#include <hv/hypercall.h>

#include "grant.h"
#include "subject.h"

/* Makes the table at least that long. What was added before an error stays. Lock held. */
static int grow(struct domain *d, unsigned frames)
{
    struct grant_table *t = d->grants;

    while (t->frames < frames) {
        unsigned i = t->frames;
        struct active *a = page_alloc(0);

        if (!a)
            return -XEN_ENOMEM;
        t->shared[i] = domain_alloc_shared_page(d, &t->mfn[i]);
        if (!t->shared[i]) {
            page_free(a, 0);
            return -XEN_ENOMEM;
        }
        t->active[i] = a;
        t->frames++;
    }
    return 0;
}

int grant_table_frame(struct domain *d, unsigned index, mfn_t *m)
{
    int rc;

    if (index >= d->grants->max_frames)
        return -XEN_EINVAL;
    lock(&d->grants->lock);
    rc = grow(d, index + 1);
    unlock(&d->grants->lock);
    *m = d->grants->mfn[index];
    return rc;
}

static struct domain *table_owner(domid_t id, int16_t *status)
{
    int rc = 0;
    struct domain *d = call_subject(id, &rc);

    *status = d ? GNTST_okay : rc == -XEN_EPERM ? GNTST_permission_denied : GNTST_bad_domain;
    return d;
}

static int setup_table(void *arg, unsigned n)
{
    struct gnttab_setup_table *op = arg;
    struct domain *d = table_owner(op->dom, &op->status);
    int rc;

    (void)n;
    if (!d)
        return 0;
    if (op->nr_frames > d->grants->max_frames) {
        op->status = (int16_t)deny(GNTST_general_error, "table of %u frames: at most %u",
                                   op->nr_frames, d->grants->max_frames);
        return 0;
    }
    lock(&d->grants->lock);
    rc = grow(d, op->nr_frames);
    unlock(&d->grants->lock);
    if (rc)
        op->status =
            (int16_t)deny(GNTST_general_error, "no memory for a table of %u frames", op->nr_frames);
    else if (copy_to_guest(op->frame_list, d->grants->mfn, op->nr_frames * sizeof(mfn_t)))
        op->status = GNTST_bad_virt_addr;
    return 0;
}

static int query_size(void *arg, unsigned n)
{
    struct gnttab_query_size *op = arg;
    const struct domain *d = table_owner(op->dom, &op->status);

    (void)n;
    if (d) {
        op->nr_frames = READ_ONCE(d->grants->frames);
        op->max_nr_frames = d->grants->max_frames;
    }
    return 0;
}

static int set_version(void *arg, unsigned n)
{
    const struct gnttab_set_version *op = arg;

    (void)n;
    if (op->version == 1)
        return 0;
    /* Kernels try 2 and go on with 1. */
    return op->version == 2 ? -XEN_ENOSYS
                            : refuse(-XEN_EINVAL, "grant tables of version %u", op->version);
}

static int get_version(void *arg, unsigned n)
{
    struct gnttab_get_version *op = arg;
    int rc = 0;

    (void)n;
    if (!call_subject(op->dom, &rc))
        return rc;
    op->version = 1;
    return 0;
}

static int swap_one(struct grant_table *t, uint32_t a, uint32_t b)
{
    uint32_t pa = a / GRANTS_PER_FRAME, pb = b / GRANTS_PER_FRAME;
    const struct active *x, *y;
    uint64_t *ea, *eb;

    if (pa >= t->frames || pb >= t->frames)
        return deny(GNTST_bad_gntref, "swap of grants %u and %u: the table has %u", a, b,
                    (unsigned)(t->frames * GRANTS_PER_FRAME));
    x = &t->active[pa % GRANT_FRAMES_MAX][a % GRANTS_PER_FRAME];
    y = &t->active[pb % GRANT_FRAMES_MAX][b % GRANTS_PER_FRAME];
    if (x->readers | x->writers | y->readers | y->writers)
        return deny(GNTST_eagain, "swap of grants %u and %u: one is in use", a, b);
    ea = &t->shared[pa % GRANT_FRAMES_MAX][a % GRANTS_PER_FRAME];
    eb = &t->shared[pb % GRANT_FRAMES_MAX][b % GRANTS_PER_FRAME];
    WRITE_ONCE(*eb, __atomic_exchange_n(ea, READ_ONCE(*eb), __ATOMIC_SEQ_CST));
    return GNTST_okay;
}

static int swap_batch(void *ops, unsigned n)
{
    struct gnttab_swap_grant_ref *op = ops;
    struct grant_table *t = current->domain->grants;

    lock(&t->lock);
    for (unsigned i = 0; i < n; i++)
        op[i].status = (int16_t)swap_one(t, op[i].ref_a, op[i].ref_b);
    unlock(&t->lock);
    return 0;
}

static const struct {
    int (*fn)(void *ops, unsigned n);
    uint8_t size;
    bool single;
} grant_ops[] = {
    [GNTTABOP_map_grant_ref] = {grant_map_batch, sizeof(struct gnttab_map_grant_ref), false},
    [GNTTABOP_unmap_grant_ref] = {grant_unmap_batch, sizeof(struct gnttab_unmap_grant_ref), false},
    [GNTTABOP_setup_table] = {setup_table, sizeof(struct gnttab_setup_table), true},
    [GNTTABOP_copy] = {grant_copy_batch, sizeof(struct gnttab_copy), false},
    [GNTTABOP_query_size] = {query_size, sizeof(struct gnttab_query_size), true},
    [GNTTABOP_unmap_and_replace] = {grant_replace_batch, sizeof(struct gnttab_unmap_and_replace),
                                    false},
    [GNTTABOP_set_version] = {set_version, sizeof(struct gnttab_set_version), true},
    [GNTTABOP_get_version] = {get_version, sizeof(struct gnttab_get_version), true},
    [GNTTABOP_swap_grant_ref] = {swap_batch, sizeof(struct gnttab_swap_grant_ref), false},
};

/* In batches: copied in, carried out, copied back with their statuses. */
long do_grant_table_op(uint64_t cmd, uint64_t arg, uint64_t count)
{
    uint64_t ops[GRANT_BATCH * sizeof(struct gnttab_copy) / 8]; /* the largest */
    uint32_t op = (uint32_t)cmd, left = (uint32_t)count;
    unsigned size;

    if (op >= ARRAY_SIZE(grant_ops) || !grant_ops[op].fn)
        return refuse(-XEN_ENOSYS,
                      "grant operation %u; there are map, unmap, replace, copy, swap, setup_table, "
                      "query_size and versions (of which 1 exists)",
                      op);
    size = grant_ops[op].size;
    if (grant_ops[op].single && left != 1)
        return refuse(-XEN_EINVAL, "grant operation %u with %u arguments: it takes one", op, left);
    if (!guest_array_ok(arg, left, size))
        return -XEN_EFAULT;
    while (left) {
        unsigned n = MIN(left, (uint32_t)GRANT_BATCH);
        int rc;

        /* Of odd size are single operations only, and swaps. */
        if (likely(!(size & 7)) ? !guest_load_words(ops, arg, n * size / 8)
                                : copy_from_guest(ops, arg, n * size))
            return -XEN_EFAULT;
        rc = grant_ops[op].fn(ops, n);
        if (rc)
            return rc;
        if (likely(!(size & 7)) ? !guest_store_words(arg, ops, n * size / 8)
                                : copy_to_guest(arg, ops, n * size))
            return -XEN_EFAULT;
        arg += n * size;
        left -= n;
        if (left) {
            preempt_point();
            if (READ_ONCE(current->domain->dying))
                return -XEN_EAGAIN;
        }
    }
    return 0;
}

int grant_domain_init(struct domain *d)
{
    struct grant_table *t = page_alloc(0);

    if (!t)
        return -XEN_ENOMEM;
    lock_init(&t->lock, RANK_GRANT);
    lock_init(&t->track_lock, RANK_MAPTRACK);
    t->track_free = TRACK_NONE;
    t->max_frames = GRANT_FRAMES_MAX;
    d->grants = t;
    if (grow(d, 1)) {
        grant_domain_free(d);
        return -XEN_ENOMEM;
    }
    return 0;
}

void grant_limit(struct domain *d, unsigned frames)
{
    d->grants->max_frames = MAX(MIN(frames, (unsigned)GRANT_FRAMES_MAX), d->grants->frames);
}

bool grant_domain_idle(struct domain *d)
{
    bool idle;

    lock(&d->grants->lock);
    idle = !d->grants->pins;
    for (unsigned i = 0; i < d->grants->frames; i++)
        idle = idle && domain_shared_page_idle(d->grants->shared[i]);
    unlock(&d->grants->lock);
    return idle;
}

void grant_domain_free(struct domain *d)
{
    struct grant_table *t = d->grants;

    d->grants = NULL;
    if (!t)
        return;
    for (unsigned i = 0; i < t->frames; i++) {
        domain_free_shared_page(d, t->shared[i]);
        page_free(t->active[i], 0);
    }
    for (unsigned i = 0; i < t->track_pages; i++)
        page_free(t->track[i], 0);
    page_free(t, 0);
}
