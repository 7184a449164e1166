/* SPDX-License-Identifier: MIT */
/* Grants in the model: who has which page pinned, and what mapping, unmapping and copying should
 * answer and do. */
#include <string.h>

#include "../../hv/dom/grant.h"
#include "model.h"

struct model_pin {
    uint64_t mfn;
    domid_t domid;
    unsigned readers, writers;
};
struct model_map {
    const struct domain *granter;
    uint64_t mfn;
    unsigned ref, parts; /* parts: GNTMAP_host_map, GNTMAP_device_map */
    bool readonly, by_pte;
};
#define MAPS 512

static struct model_pin pin_of[FAKE_DOMAINS][GRANTS_PER_FRAME];
static struct model_map map_of[FAKE_DOMAINS][MAPS];

void model_grant_reset(void)
{
    memset(pin_of, 0, sizeof(pin_of));
    memset(map_of, 0, sizeof(map_of));
}

static uint64_t *shared_entry(const struct domain *d, unsigned ref)
{
    return &model.mem[d->grants->mfn[0].n][ref];
}

static const struct domain *granter_by_id(const struct domain *d, domid_t id)
{
    if (id == DOMID_SELF)
        return d;
    return id < FAKE_DOMAINS ? fake_dom[id] : NULL;
}

static bool take_pin(const struct domain *g, unsigned ref, const struct domain *user, bool writable,
                     uint64_t *m)
{
    struct model_pin *p;
    uint64_t *e;

    if (!g || ref >= GRANTS_PER_FRAME)
        return false;
    p = &pin_of[g->id][ref];
    e = shared_entry(g, ref);
    if ((p->readers || p->writers) && p->domid != user->id)
        return false;
    if ((!p->readers && !p->writers) || (writable && !p->writers)) {
        if ((*e & GTF_type_mask) != GTF_permit_access || (domid_t)(*e >> 16) != user->id ||
            (writable && (*e & GTF_readonly)))
            return false;
        *e |= GTF_reading | (writable ? GTF_writing : 0);
        if (!p->readers && !p->writers) {
            *p = (struct model_pin){.mfn = *e >> 32, .domid = user->id};
        } else if (p->mfn != *e >> 32) { /* its readers have another frame */
            *e &= ~(uint64_t)GTF_writing;
            return false;
        }
    }
    ++*(writable ? &p->writers : &p->readers);
    *m = p->mfn;
    return true;
}

static void drop_pin(const struct domain *g, unsigned ref, bool writable)
{
    struct model_pin *p = &pin_of[g->id][ref];

    --*(writable ? &p->writers : &p->readers);
    if (writable && !p->writers)
        *shared_entry(g, ref) &= ~(uint64_t)GTF_writing;
    if (!p->readers && !p->writers)
        *shared_entry(g, ref) &= ~(uint64_t)GTF_reading;
}

static bool hold(const struct domain *owner, uint64_t m, bool writable)
{
    if (m >= fake_ram || model.f[m].owner != owner || !model.f[m].refs)
        return false;
    if (writable)
        return model_get_type(owner, m, FT_WR);
    model.f[m].refs++;
    return true;
}

static void let_go(uint64_t m, bool writable)
{
    if (writable)
        model_put_type(m);
    else
        model.f[m].refs--;
}

/* The entry for a mapping: by virtual address, or by the entry's own machine address. */
static uint64_t *place(const struct vcpu *v, uint64_t where, bool by_pte)
{
    uint64_t n = where >> PAGE_SHIFT;

    if (!by_pte)
        return model_find_l1(v, where, &n) ? &model.mem[n][where >> PAGE_SHIFT & 511] : NULL;
    if ((where & 7) || n >= fake_ram || model.f[n].owner != v->domain || model.f[n].type != FT_L1)
        return NULL;
    return &model.mem[n][where % PAGE_SIZE / 8];
}

static bool install(const struct vcpu *v, const struct domain *g,
                    const struct gnttab_map_grant_ref *op, uint64_t m)
{
    bool writable = !(op->flags & GNTMAP_readonly);
    uint64_t *slot, old;

    if (!hold(g, m, writable))
        return false;
    slot = place(v, op->host_addr, op->flags & GNTMAP_contains_pte);
    if (!slot) {
        let_go(m, writable);
        return false;
    }
    old = *slot;
    *slot = fake_pte(mfn(m), PTE_P | PTE_U | PTE_A | PTE_D | (writable ? PTE_RW : 0)) |
            (uint64_t)(op->flags >> 16 & 7) << 9;
    model_put_entry(v->domain, 1, old);
    return true;
}

/* True: status okay; the handle is the machine's choice, see model_mapped(). */
bool model_grant_map(const struct vcpu *v, const struct gnttab_map_grant_ref *op)
{
    const struct domain *g = granter_by_id(v->domain, op->dom);
    bool writable = !(op->flags & GNTMAP_readonly), device = op->flags & GNTMAP_device_map;
    uint64_t m;

    if (!(op->flags & (GNTMAP_host_map | GNTMAP_device_map)) ||
        !take_pin(g, op->ref, v->domain, writable, &m))
        return false;
    if (!device || hold(g, m, writable)) {
        if (!(op->flags & GNTMAP_host_map) || install(v, g, op, m))
            return true;
        if (device)
            let_go(m, writable);
    }
    drop_pin(g, op->ref, writable);
    return false;
}

void model_mapped(const struct domain *d, const struct gnttab_map_grant_ref *op)
{
    const struct domain *g = granter_by_id(d, op->dom);

    if (op->handle >= MAPS || map_of[d->id][op->handle].parts)
        fake_fail("handle %u is given out again", op->handle);
    map_of[d->id][op->handle] =
        (struct model_map){.granter = g,
                           .mfn = pin_of[g->id][op->ref].mfn,
                           .ref = op->ref,
                           .parts = op->flags & (GNTMAP_host_map | GNTMAP_device_map),
                           .readonly = op->flags & GNTMAP_readonly,
                           .by_pte = op->flags & GNTMAP_contains_pte};
    if (op->dev_bus_addr != pin_of[g->id][op->ref].mfn << PAGE_SHIFT)
        fake_fail("grant %u is frame %#lx, not at %#lx", op->ref, pin_of[g->id][op->ref].mfn,
                  op->dev_bus_addr);
}

static bool uninstall(const struct vcpu *v, const struct model_map *r, uint64_t where,
                      uint64_t replace)
{
    uint64_t *slot = place(v, where, r->by_pte), *other = NULL;

    if (!slot || !(*slot & PTE_P) || pte_mfn(*slot).n != r->mfn || !(*slot & PTE_RW) != r->readonly)
        return false;
    if (replace) {
        other = place(v, replace, false);
        if (!other || other == slot)
            return false;
        *slot = *other;
        *other = 0;
    } else {
        *slot = 0;
    }
    return true;
}

bool model_grant_unmap(const struct vcpu *v, const struct gnttab_unmap_grant_ref *op, bool replace)
{
    struct model_map *r = &map_of[v->domain->id][op->handle % MAPS];
    unsigned parts = 0;

    if (op->handle >= MAPS || !r->parts || (replace && r->by_pte))
        return false;
    if (op->host_addr)
        parts |= GNTMAP_host_map;
    if (op->dev_bus_addr && !replace)
        parts |= GNTMAP_device_map;
    parts &= r->parts;
    if ((parts & GNTMAP_device_map) && op->dev_bus_addr >> PAGE_SHIFT != r->mfn)
        return false;
    if ((parts & GNTMAP_host_map) &&
        !uninstall(v, r, op->host_addr, replace ? op->dev_bus_addr : 0))
        return false;
    r->parts &= ~parts;
    if (parts && !r->parts)
        drop_pin(r->granter, r->ref, !r->readonly);
    if (parts & GNTMAP_host_map)
        let_go(r->mfn, !r->readonly);
    if (parts & GNTMAP_device_map)
        let_go(r->mfn, !r->readonly);
    return true;
}

static bool open_side(const struct domain *d, const struct gnttab_copy_ptr *p, bool gref,
                      bool writable, uint64_t *m)
{
    const struct domain *g = d;

    if (gref) {
        g = granter_by_id(d, p->domid);
        if (!take_pin(g, p->u.ref, d, writable, m))
            return false;
    } else if (p->domid == DOMID_SELF) {
        *m = p->u.gmfn;
    } else {
        return false;
    }
    if (hold(g, *m, writable))
        return true;
    if (gref)
        drop_pin(g, p->u.ref, writable);
    return false;
}

static void close_side(const struct domain *d, const struct gnttab_copy_ptr *p, bool gref,
                       bool writable, uint64_t m)
{
    if (gref)
        drop_pin(granter_by_id(d, p->domid), p->u.ref, writable);
    let_go(m, writable);
}

bool model_grant_copy(const struct vcpu *v, const struct gnttab_copy *op)
{
    bool from_gref = op->flags & GNTCOPY_source_gref, to_gref = op->flags & GNTCOPY_dest_gref;
    uint64_t from, to;

    if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE ||
        !open_side(v->domain, &op->source, from_gref, false, &from))
        return false;
    if (!open_side(v->domain, &op->dest, to_gref, true, &to)) {
        close_side(v->domain, &op->source, from_gref, false, from);
        return false;
    }
    memmove((uint8_t *)model.mem[to] + op->dest.offset,
            (uint8_t *)model.mem[from] + op->source.offset, op->len);
    close_side(v->domain, &op->source, from_gref, false, from);
    close_side(v->domain, &op->dest, to_gref, true, to);
    return true;
}
