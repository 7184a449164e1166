/* SPDX-License-Identifier: MIT */
/* Copies between granted frames and the caller's own. */
#include <string.h>

#include "grant.h"

/* One end of a copy, held from operation to operation while they name the same. */
struct side {
    bool open, gref, writable;
    domid_t domid;
    uint64_t name;          /* reference or frame */
    struct domain *granter; /* gref: found by domid, stays valid when closed */
    mfn_t m;
};

static void side_close(struct side *s)
{
    if (!s->open)
        return;
    s->open = false;
    if (s->gref) {
        lock(&s->granter->grants->lock);
        grant_unpin(s->granter, (uint32_t)s->name, s->writable);
        unlock(&s->granter->grants->lock);
    }
    grant_drop(s->m, s->writable);
}

static int open_grant(struct side *s)
{
    int status;

    if (!s->granter || s->granter->dying)
        return refuse(GNTST_bad_domain, "copy of grant %u: no domain %u", (uint32_t)s->name,
                      s->domid);
    lock(&s->granter->grants->lock);
    status = grant_pin(s->granter, (uint32_t)s->name, current->domain->id, s->writable, &s->m);
    if (likely(!status)) {
        status = grant_hold(s->granter, s->m, s->writable);
        if (unlikely(status))
            grant_unpin(s->granter, (uint32_t)s->name, s->writable);
    }
    unlock(&s->granter->grants->lock);
    return status;
}

static int open_frame(struct side *s)
{
    if (unlikely(s->domid != DOMID_SELF))
        return refuse(GNTST_permission_denied,
                      "copy of frame %#lx of domain %u: only grants of others can be copied",
                      s->name, s->domid);
    s->m = mfn(s->name);
    return grant_hold(current->domain, s->m, s->writable);
}

static int side_open(struct side *s, const struct gnttab_copy_ptr *p, bool gref)
{
    uint64_t name = gref ? p->u.ref : p->u.gmfn;
    int status;

    if (s->open && s->name == name && s->domid == p->domid && s->gref == gref)
        return GNTST_okay;
    side_close(s);
    if (gref && (!s->granter || s->domid != p->domid))
        s->granter = domain_by_id(p->domid);
    else if (!gref)
        s->granter = NULL;
    s->gref = gref;
    s->domid = p->domid;
    s->name = name;
    status = gref ? open_grant(s) : open_frame(s);
    s->open = !status;
    return status;
}

static int copy_one(const struct gnttab_copy *op, struct side *from, struct side *to)
{
    int status;

    if (unlikely(op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE))
        return refuse(GNTST_bad_copy_arg, "copy of %u bytes from offset %u to %u leaves the page",
                      op->len, op->source.offset, op->dest.offset);
    status = side_open(from, &op->source, op->flags & GNTCOPY_source_gref);
    if (likely(!status))
        status = side_open(to, &op->dest, op->flags & GNTCOPY_dest_gref);
    if (likely(!status)) /* both may be the same frame */
        memmove((uint8_t *)mfn_va(to->m) + op->dest.offset,
                (const uint8_t *)mfn_va(from->m) + op->source.offset, op->len);
    return status;
}

int grant_copy_batch(void *ops, unsigned n)
{
    struct gnttab_copy *op = ops;
    struct side from = {.writable = false}, to = {.writable = true};

    for (unsigned i = 0; i < n; i++)
        op[i].status = (int16_t)copy_one(&op[i], &from, &to);
    side_close(&from);
    side_close(&to);
    return 0;
}
