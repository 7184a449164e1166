/* SPDX-License-Identifier: MIT */
/* What each operation should answer and do, as the model sees it. */
#include <string.h>

#include "model.h"

/* Bits of a leaf that the processor or the guest alone care for. */
#define HARMLESS (PTE_U | PTE_A | PTE_D | PTE_G | PTE_AVAIL | PTE_NX)

static struct model_frame saved[FAKE_FRAMES];

/* One step that happens whole or not at all. */
static void step_begin(void)
{
    memcpy(saved, model.f, sizeof(saved));
}

static bool step_end(bool ok)
{
    if (!ok)
        memcpy(model.f, saved, sizeof(saved));
    return ok;
}

static bool owned(const struct domain *d, uint64_t n)
{
    return n < fake_ram && model.f[n].owner == d && model.f[n].refs;
}

/* Oneself, under several names, or for the hardware domain any other. NULL: refused. */
static const struct domain *subject(const struct domain *d, domid_t id)
{
    if (id == DOMID_SELF || id == DOMID_IO || id == d->id)
        return d;
    return d->is_hardware && id < FAKE_DOMAINS ? fake_dom[id] : NULL;
}

static bool set_entry(const struct domain *d, const struct domain *foreign, uint64_t n,
                      unsigned slot, uint64_t val, bool keep_ad)
{
    enum frame_type t = model.f[n].type;
    unsigned level = t - FT_L1 + 1;
    uint64_t old = model.mem[n][slot];

    if (keep_ad && (val & PTE_P))
        val |= old & (PTE_A | PTE_D);
    if (level == 4 && slot >= HV_SLOT_FIRST && slot <= HV_SLOT_LAST)
        return true; /* ignored */
    if ((val & old & PTE_P) && !((val ^ old) & (level == 1 ? ~HARMLESS : PTE_ADDR))) {
        /* It maps what it mapped, by whatever right it was put there. */
        if (!model_entry_bits(level, val))
            return false;
        model.mem[n][slot] = val;
        return true;
    }
    step_begin();
    if (!step_end(model_get_entry(d, foreign, level, val)))
        return false;
    model.mem[n][slot] = val;
    model_put_entry(d, level, old);
    return true;
}

static bool mmu_update(const struct domain *d, const struct domain *foreign,
                       const struct mmu_update *u)
{
    uint64_t n = u->ptr >> PAGE_SHIFT;
    unsigned slot = u->ptr % PAGE_SIZE / 8;
    enum frame_type t;
    uint64_t old;

    if (u->ptr & 4)
        return false;
    if ((u->ptr & 3) == MMU_MACHPHYS_UPDATE) {
        if (!owned(foreign, n))
            return false;
        model.m2p[n] = u->val;
        return true;
    }
    if (!owned(d, n))
        return false;
    t = model.f[n].type;
    if (t >= FT_L1 && t <= FT_L4)
        return set_entry(d, foreign, n, slot, u->val, (u->ptr & 3) == MMU_PT_UPDATE_PRESERVE_AD);
    if (t == FT_SEG)
        return false;
    old = model.mem[n][slot];
    model.mem[n][slot] = u->val;
    if ((u->ptr & 3) == MMU_PT_UPDATE_PRESERVE_AD && (u->val & PTE_P))
        model.mem[n][slot] |= old & (PTE_A | PTE_D);
    return true;
}

/* The L1 table that maps va in the vCPU's kernel root. */
bool model_find_l1(const struct vcpu *v, uint64_t va, uint64_t *n)
{
    *n = v->kernel_cr3 >> PAGE_SHIFT;
    if (!guest_range_ok(va, 1))
        return false;
    for (unsigned level = 4; level > 1; level--) {
        uint64_t pte = model.mem[*n][va >> (PAGE_SHIFT + 9 * (level - 1)) & 511];

        if (!(pte & PTE_P))
            return false;
        *n = pte_mfn(pte).n;
    }
    return true;
}

static bool va_mapping(const struct op *op, const struct domain *foreign)
{
    uint64_t n, kind = op->flags & UVMF_FLUSHTYPE_MASK,
                where = op->flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK;

    if (!model_find_l1(op->v, op->u[0].ptr, &n) ||
        !set_entry(op->v->domain, foreign, n, op->u[0].ptr >> PAGE_SHIFT & 511, op->u[0].val,
                   false))
        return false;
    /* The flush that goes with it; its bitmap of vCPUs never is where guest memory is. */
    return kind == UVMF_NONE ||
           (kind != UVMF_FLUSHTYPE_MASK && (where == UVMF_LOCAL || where == UVMF_ALL));
}

static bool load_root(struct vcpu *v, uint64_t n, bool user)
{
    uint64_t *root = &model.root[v->domain->id][v->id][user];
    uint64_t old = *root;

    if (n || !user) {
        step_begin();
        if (!step_end(model_get_type(v->domain, n, FT_L4)))
            return false;
    }
    *root = n << PAGE_SHIFT;
    if (old)
        model_put_type(old >> PAGE_SHIFT);
    return true;
}

static bool pin(const struct domain *d, uint64_t n, enum frame_type t)
{
    if (n < fake_ram && model.f[n].pinned)
        return false;
    step_begin();
    if (!step_end(model_get_type(d, n, t)))
        return false;
    model.f[n].pinned = true;
    return true;
}

static bool unpin(const struct domain *d, uint64_t n)
{
    if (!owned(d, n) || !model.f[n].pinned)
        return false;
    model.f[n].pinned = false;
    model_put_type(n);
    return true;
}

/* The page must be free for writing, and is so again. */
static bool overwrite(const struct domain *d, uint64_t n, const uint64_t *from)
{
    if (!owned(d, n) || model.f[n].type > FT_WR)
        return false;
    if (from)
        memmove(model.mem[n], from, PAGE_SIZE);
    else
        memset(model.mem[n], 0, PAGE_SIZE);
    return true;
}

static bool set_gdt(const struct op *op)
{
    uint64_t *gdt = model.gdt[op->v->domain->id][op->v->id], pages = (op->flags + 511) / 512;

    if (pages > 14)
        return false;
    step_begin();
    for (unsigned i = 0; i < pages; i++) {
        if (!step_end(model_get_type(op->v->domain, i < op->n ? op->u[i].val : 0, FT_SEG)))
            return false;
    }
    for (unsigned i = 0; i < 16; i++) {
        if (gdt[i] != INVALID_MFN.n)
            model_put_type(gdt[i]);
        gdt[i] = i < pages ? op->u[i].val : INVALID_MFN.n;
    }
    return true;
}

/* A selector of the LDT's page i is used: the page gets its type. */
static bool use_ldt(const struct vcpu *v, unsigned i)
{
    uint64_t *frame = &model.ldt[v->domain->id][v->id][i], n, pte, va = v->ldt_base + i * PAGE_SIZE;

    if (i * 512 >= v->ldt_entries || *frame != INVALID_MFN.n || !model_find_l1(v, va, &n))
        return false;
    pte = model.mem[n][va >> PAGE_SHIFT & 511];
    step_begin();
    if (!step_end((pte & PTE_P) && model_get_type(v->domain, pte_mfn(pte).n, FT_SEG)))
        return false;
    *frame = pte_mfn(pte).n;
    return true;
}

static void set_ldt(const struct vcpu *v)
{
    for (unsigned i = 0; i < 16; i++) {
        uint64_t *frame = &model.ldt[v->domain->id][v->id][i];

        if (*frame != INVALID_MFN.n)
            model_put_type(*frame);
        *frame = INVALID_MFN.n;
    }
}

static bool mmuext(struct vcpu *v, const struct domain *subj, const struct mmuext_op *e)
{
    const struct domain *d = v->domain;
    uint64_t va = e->arg1.linear_addr;

    switch (e->cmd) {
    case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE:
        return pin(subj, e->arg1.mfn, (enum frame_type)(FT_L1 + e->cmd));
    case MMUEXT_UNPIN_TABLE:
        return unpin(subj, e->arg1.mfn);
    case MMUEXT_NEW_BASEPTR:
    case MMUEXT_NEW_USER_BASEPTR:
        return subj == d && load_root(v, e->arg1.mfn, e->cmd == MMUEXT_NEW_USER_BASEPTR);
    case MMUEXT_CLEAR_PAGE:
        return overwrite(subj, e->arg1.mfn, NULL);
    case MMUEXT_COPY_PAGE:
        return owned(subj, e->arg2.src_mfn) &&
               overwrite(subj, e->arg1.mfn, model.mem[e->arg2.src_mfn]);
    case MMUEXT_TLB_FLUSH_LOCAL ... MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        return subj == d;
    case MMUEXT_SET_LDT:
        if (subj != d || va % PAGE_SIZE || e->arg2.nr_ents > 8192 ||
            !guest_array_ok(va, e->arg2.nr_ents, 8))
            return false;
        set_ldt(v);
        return true;
    default:
        return false;
    }
}

/* Only what nobody uses. */
static bool give_back(const struct domain *d, uint64_t n)
{
    if (!owned(d, n) || model.f[n].refs != 1)
        return false;
    model.f[n] = (struct model_frame){.owner = NULL};
    model.m2p[n] = INVALID_P2M;
    return true;
}

void model_populated(const struct op *op)
{
    uint64_t n = op->u[0].ptr;

    if (n >= fake_ram || model.f[n].owner)
        fake_fail("frame %#lx is given out again", n);
    model.f[n] = (struct model_frame){.owner = op->v->domain, .refs = 1};
    memset(model.mem[n], 0, PAGE_SIZE);
    model.m2p[n] = op->u[0].val;
}

/* Operations that are done or refused as one. */
static bool single(const struct op *op)
{
    switch (op->kind) {
    case OP_SET_GDT:
        return set_gdt(op);
    case OP_LDT_USE:
        return use_ldt(op->v, (unsigned)op->flags);
    case OP_DECREASE:
        return give_back(op->v->domain, op->u[0].val);
    case OP_POPULATE:
        return op->v->domain->tot_pages < op->v->domain->max_pages && heap_free_frames();
    case OP_GRANT_MAP:
        return model_grant_map(op->v, &op->map);
    case OP_GRANT_UNMAP:
    case OP_GRANT_REPLACE:
        return model_grant_unmap(op->v, &op->unmap, op->kind == OP_GRANT_REPLACE);
    case OP_GRANT_COPY:
        return model_grant_copy(op->v, &op->copy);
    default:
        return false;
    }
}

struct expected model_predict(const struct op *op)
{
    const struct domain *d = op->v->domain, *subj = subject(d, op->domid);
    struct expected x = {.refused = false};

    if (op->kind == OP_STORE) {
        uint64_t n = op->u[0].ptr >> PAGE_SHIFT;

        if (model.f[n].owner == d && model.f[n].type <= FT_WR)
            model.mem[n][op->u[0].ptr % PAGE_SIZE / 8] = op->u[0].val;
        return x;
    }
    if (op->kind >= OP_SET_GDT) {
        x.refused = !single(op);
        return x;
    }
    x.refused = !subj;
    for (; !x.refused && x.done < op->n; x.done++) {
        if (op->kind == OP_MMU_UPDATE)
            x.refused = !mmu_update(d, subj, &op->u[x.done]);
        else if (op->kind == OP_VA_MAPPING)
            x.refused = !va_mapping(op, subj);
        else if (op->kind == OP_MMUEXT)
            x.refused = !mmuext(op->v, subj, &op->ext[x.done]);
        if (x.refused)
            break;
    }
    return x;
}
