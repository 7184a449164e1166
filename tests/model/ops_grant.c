/* SPDX-License-Identifier: MIT */
/* Chooses operations on grants: few references, few handles, mostly where they were mapped. */
#include <string.h>

#include "ops.h"

#define REFS    4
#define HANDLES 8

/* Where each handle was mapped last, so that it can be unmapped there. */
static struct place {
    uint64_t host, device;
} placed[FAKE_DOMAINS][HANDLES];

void op_grant_reset(void)
{
    memset(placed, 0, sizeof(placed));
}

static domid_t some_partner(struct input *in)
{
    return one_in(in, 16) ? DOMID_SELF : (domid_t)pick(in, FAKE_DOMAINS);
}

/* The guest writes an entry of its table. */
static void choose_offer(struct op *op, struct input *in)
{
    const struct domain *d = op->v->domain;
    uint64_t flags = GTF_permit_access | (one_in(in, 3) ? GTF_readonly : 0);

    if (one_in(in, 8))
        flags = pick(in, 32);
    op->kind = OP_STORE;
    op->n = 1;
    op->u[0].ptr = fake_maddr(fake_grant_frame(d), 8 + pick(in, REFS));
    op->u[0].val = flags | (uint64_t)pick(in, FAKE_DOMAINS) << 16 |
                   (fake_page(d, pick(in, OP_TABLES + 4)).n & 0xffffffff) << 32;
    if (one_in(in, 8))
        op->u[0].val ^= (uint64_t)op_some_frame(in, d).n << 32;
}

static uint64_t some_place(struct input *in, const struct domain *d, bool by_pte)
{
    if (by_pte)
        return fake_maddr(fake_page(d, pick(in, OP_TABLES)), op_slot[pick(in, OP_SLOTS)]) +
               (one_in(in, 16) ? pick(in, 8) : 0);
    return op_some_va(in);
}

/* Mostly a grant that was offered to d. */
static void some_grant(struct input *in, const struct domain *d, domid_t *dom, uint32_t *ref)
{
    unsigned first = pick(in, FAKE_DOMAINS * REFS);

    *dom = some_partner(in);
    *ref = one_in(in, 32) ? 1u << pick(in, 32) : 8 + pick(in, REFS);
    if (one_in(in, 6))
        return;
    for (unsigned i = first; i < first + FAKE_DOMAINS * REFS; i++) {
        const struct domain *g = fake_dom[i % FAKE_DOMAINS];
        uint64_t e = fake_words(fake_grant_frame(g))[8 + i / FAKE_DOMAINS % REFS];

        if ((e & GTF_type_mask) == GTF_permit_access && (domid_t)(e >> 16) == d->id) {
            *dom = g->id;
            *ref = 8 + i / FAKE_DOMAINS % REFS;
            return;
        }
    }
}

static void choose_map(struct op *op, struct input *in)
{
    bool by_pte = one_in(in, 4);

    op->kind = OP_GRANT_MAP;
    op->map.flags = GNTMAP_host_map | (one_in(in, 3) ? GNTMAP_readonly : 0) |
                    (one_in(in, 4) ? GNTMAP_device_map : 0) | (by_pte ? GNTMAP_contains_pte : 0);
    if (one_in(in, 16))
        op->map.flags = pick(in, 32) | pick(in, 8) << 16;
    op->map.host_addr = some_place(in, op->v->domain, op->map.flags & GNTMAP_contains_pte);
    some_grant(in, op->v->domain, &op->map.dom, &op->map.ref);
}

static void choose_unmap(struct op *op, struct input *in)
{
    const struct domain *d = op->v->domain;
    unsigned handle = pick(in, HANDLES);
    const struct place *p = &placed[d->id][handle];

    op->kind = one_in(in, 5) ? OP_GRANT_REPLACE : OP_GRANT_UNMAP;
    op->unmap.handle = one_in(in, 32) ? 1u << pick(in, 32) : handle;
    op->unmap.host_addr = one_in(in, 6) ? some_place(in, d, one_in(in, 2)) : p->host;
    if (op->kind == OP_GRANT_REPLACE)
        op->unmap.dev_bus_addr = one_in(in, 6) ? op->unmap.host_addr : op_some_va(in);
    else if (one_in(in, 3))
        op->unmap.dev_bus_addr = one_in(in, 8) ? pick(in, 256) * PAGE_SIZE : p->device;
    if (one_in(in, 8))
        op->unmap.host_addr = 0;
}

static void choose_side(struct gnttab_copy_ptr *p, struct input *in, const struct domain *d,
                        bool gref)
{
    p->domid = one_in(in, 32) ? 1 : DOMID_SELF;
    if (gref)
        some_grant(in, d, &p->domid, &p->u.ref);
    else
        p->u.gmfn = op_some_frame(in, d).n;
    p->offset = (uint16_t)(pick(in, 4) * 1024 + (one_in(in, 8) ? pick(in, 256) : 0));
}

static void choose_copy(struct op *op, struct input *in)
{
    op->kind = OP_GRANT_COPY;
    op->copy.flags = (uint16_t)(1 + pick(in, 3)); /* at least one side is a grant */
    choose_side(&op->copy.source, in, op->v->domain, op->copy.flags & GNTCOPY_source_gref);
    choose_side(&op->copy.dest, in, op->v->domain, op->copy.flags & GNTCOPY_dest_gref);
    op->copy.len = (uint16_t)(pick(in, 5) * 1024 + (one_in(in, 8) ? pick(in, 256) : 0));
}

void op_choose_grant(struct op *op, struct input *in)
{
    switch (pick(in, 8)) {
    case 0 ... 1:
        choose_offer(op, in);
        break;
    case 2 ... 4:
        choose_map(op, in);
        break;
    case 5 ... 6:
        choose_unmap(op, in);
        break;
    default:
        choose_copy(op, in);
    }
}

void op_grant_done(const struct op *op)
{
    if (op->kind == OP_GRANT_MAP && !op->result && op->map.handle < HANDLES)
        placed[op->v->domain->id][op->map.handle] =
            (struct place){.host = op->map.host_addr, .device = op->map.dev_bus_addr};
}
