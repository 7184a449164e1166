/* SPDX-License-Identifier: MIT */
/* Copies between granted frames and the caller's own. */
#include <string.h>

#include "grant.h"

/* One end of a copy, held from operation to operation while they name the same. */
struct side {
    uint32_t key;           /* domid, and whether by grant; SIDE_CLOSED */
    uint64_t name;          /* reference or frame */
    struct domain *granter; /* NULL: a frame of the caller */
    mfn_t m;
};
#define SIDE_CLOSED   (~0u)
#define SIDE_BY_GRANT 0x10000u

/* One granter's lock is held at a time, and kept until another's is needed: most batches have but
 * one. */
struct copy_run {
    struct domain *locked;
    struct side from, to;
};

static always_inline void relock(struct copy_run *c, struct domain *granter)
{
    if (c->locked)
        unlock(&c->locked->grants->lock);
    if (granter)
        lock(&granter->grants->lock);
    c->locked = granter;
}

static always_inline void side_close(struct copy_run *c, struct side *s, bool writable)
{
    if (s->key == SIDE_CLOSED)
        return;
    s->key = SIDE_CLOSED;
    if (s->granter) {
        if (unlikely(s->granter != c->locked))
            relock(c, s->granter);
        grant_unpin(s->granter, (uint32_t)s->name, writable);
    }
    grant_drop(s->m, writable);
}

static always_inline int open_grant(struct copy_run *c, struct side *s, domid_t id, uint32_t ref,
                                    bool writable)
{
    struct domain *granter = c->locked;
    int status;

    if (unlikely(!granter || granter->id != id)) {
        granter = domain_by_id(id);
        if (!granter || granter->dying)
            return deny(GNTST_bad_domain, "copy of grant %u: no domain %u", ref, id);
        if (granter != c->locked)
            relock(c, granter);
    }
    status = grant_pin(granter, ref, current->domain->id, writable, &s->m);
    if (unlikely(status))
        return status;
    status = grant_hold(granter, s->m, writable);
    if (unlikely(status))
        grant_unpin(granter, ref, writable);
    s->granter = granter;
    return status;
}

static always_inline int open_frame(struct side *s, domid_t id, uint64_t frame, bool writable)
{
    if (unlikely(id != DOMID_SELF))
        return deny(GNTST_permission_denied,
                    "copy of frame %#lx of domain %u: only grants of others can be copied", frame,
                    id);
    s->granter = NULL;
    s->m = mfn(frame);
    return grant_hold(current->domain, s->m, writable);
}

static always_inline int side_open(struct copy_run *c, struct side *s,
                                   const struct gnttab_copy_ptr *p, bool by_grant, bool writable)
{
    uint32_t key = p->domid | (by_grant ? SIDE_BY_GRANT : 0);
    uint64_t name = by_grant ? p->u.ref : p->u.gmfn;
    int status;

    if (s->key == key && s->name == name)
        return GNTST_okay;
    side_close(c, s, writable);
    status = by_grant ? open_grant(c, s, p->domid, p->u.ref, writable)
                      : open_frame(s, p->domid, name, writable);
    if (likely(!status)) {
        s->key = key;
        s->name = name;
    }
    return status;
}

static always_inline int copy_one(struct copy_run *c, const struct gnttab_copy *op)
{
    int status;

    if (unlikely(op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE))
        return deny(GNTST_bad_copy_arg, "copy of %u bytes from offset %u to %u leaves the page",
                    op->len, op->source.offset, op->dest.offset);
    status = side_open(c, &c->from, &op->source, op->flags & GNTCOPY_source_gref, false);
    if (unlikely(status))
        return status;
    status = side_open(c, &c->to, &op->dest, op->flags & GNTCOPY_dest_gref, true);
    if (unlikely(status))
        return status;
    memmove((uint8_t *)mfn_va(c->to.m) + op->dest.offset,
            (const uint8_t *)mfn_va(c->from.m) + op->source.offset, op->len); /* may be one frame */
    return GNTST_okay;
}

int grant_copy_batch(void *ops, unsigned n)
{
    struct gnttab_copy *op = ops;
    struct copy_run c;

    c.locked = NULL;
    c.from.key = c.to.key = SIDE_CLOSED; /* what else is in there counts once they are open */
    for (unsigned i = 0; i < n; i++)
        op[i].status = (int16_t)copy_one(&c, &op[i]);
    side_close(&c, &c.from, false);
    side_close(&c, &c.to, true);
    relock(&c, NULL);
    return 0;
}
