/* SPDX-License-Identifier: MIT */
/* Chooses operations, mostly such as guests do, with a pinch of nonsense in every argument. */
#include <stdio.h>
#include <string.h>

#include "ops.h"

const uint16_t op_slot[OP_SLOTS] = {0, 1, 2, 3, 255, 256, 272, 511};

int op_slot_index(unsigned slot)
{
    for (unsigned i = 0; i < OP_SLOTS; i++) {
        if (op_slot[i] == slot)
            return (int)i;
    }
    return -1;
}

static struct domain *some_domain(struct input *in)
{
    return fake_dom[pick(in, FAKE_DOMAINS)];
}

/* Mostly one of the domain's own pages, mostly of the few that serve as tables. */
mfn_t op_some_frame(struct input *in, const struct domain *d)
{
    switch (pick(in, 24)) {
    case 0:
        return fake_page(some_domain(in), pick(in, OP_TABLES + 4));
    case 1:
        return mfn(pick(in, 2) ? fake_ram + pick(in, FAKE_IO + 2) : pick(in, 256) % fake_ram);
    case 2:
        return one_in(in, 4) ? mfn(0xffffffffffull) : d->shared_mfn;
    case 3:
    case 4:
    case 5:
        return fake_page(d, OP_TABLES + pick(in, 4));
    default:
        return fake_page(d, pick(in, OP_TABLES));
    }
}

static uint64_t some_pte(struct input *in, const struct domain *d)
{
    static const uint64_t odd[] = {PTE_PSE,    PTE_G,         PTE_NX,     PTE_PWT,    PTE_PCD,
                                   PTE_AVAIL,  1ull << 59,    1ull << 62, 1ull << 51, 1ull << 47,
                                   9ull << 44, PTE_A | PTE_D, 1ull << 45, PTE_D};
    uint64_t pte = fake_pte(op_some_frame(in, d), PTE_U);

    if (one_in(in, 8))
        return one_in(in, 2) ? 0 : pte;
    pte |= PTE_P;
    if (pick(in, 2))
        pte |= PTE_RW;
    if (one_in(in, 8))
        pte &= ~PTE_U;
    if (one_in(in, 6))
        pte |= odd[pick(in, ARRAY_SIZE(odd))];
    return pte;
}

static enum frame_type type_of(mfn_t m)
{
    return word_type(mfn_frame(m)->word);
}

/* A page of the domain with that type, or else any. */
static mfn_t some_typed(struct input *in, const struct domain *d, enum frame_type t)
{
    unsigned first = pick(in, OP_TABLES);

    for (unsigned i = first; i < first + OP_TABLES; i++) {
        if (type_of(fake_page(d, i % OP_TABLES)) == t)
            return fake_page(d, i % OP_TABLES);
    }
    return fake_page(d, first);
}

/* An entry that makes sense in the table, most of the time. */
static uint64_t fitting_pte(struct input *in, const struct domain *d, mfn_t table)
{
    enum frame_type t = mfn_valid(table) ? type_of(table) : FT_NONE;

    if (one_in(in, 4))
        return some_pte(in, d);
    if (t >= FT_L2 && t <= FT_L4)
        return fake_pte(some_typed(in, d, (enum frame_type)(t - 1)),
                        PTE_P | PTE_U | PTE_RW | PTE_A);
    if (one_in(in, 6)) /* may serve as descriptors, or become a table */
        return fake_pte(some_typed(in, d, FT_NONE), PTE_P | PTE_U);
    if (one_in(in, 3))
        return fake_pte(fake_page(d, OP_TABLES + pick(in, 4)), PTE_P | PTE_U | PTE_RW);
    return fake_pte(op_some_frame(in, d), PTE_P | PTE_U | (one_in(in, 4) ? PTE_RW : 0));
}

/* The level that the page would have, going by what its first entries lead to. */
static unsigned fitting_level(mfn_t m)
{
    for (unsigned i = 0; i < OP_SLOTS; i++) {
        uint64_t e = fake_words(m)[op_slot[i]];
        enum frame_type t = (e & PTE_P) && pte_mfn(e).n < fake_ram ? type_of(pte_mfn(e)) : FT_NONE;

        if (t >= FT_L1 && t < FT_L4 && (e & PTE_RW))
            return t - FT_L1 + 1;
    }
    return 0;
}

static uint64_t some_slot(struct input *in)
{
    return op_slot[pick(in, OP_SLOTS)];
}

static domid_t some_domid(struct input *in)
{
    if (!one_in(in, 16))
        return DOMID_SELF;
    return one_in(in, 6) ? (domid_t)(0x7ff1 + pick(in, 15)) : (domid_t)pick(in, FAKE_DOMAINS + 1);
}

static void choose_updates(struct op *op, struct input *in)
{
    op->n = 1 + pick(in, OP_BATCH);
    op->domid = some_domid(in);
    for (unsigned i = 0; i < op->n; i++) {
        mfn_t table = op_some_frame(in, op->v->domain);

        op->u[i].ptr = fake_maddr(table, some_slot(in)) | (one_in(in, 8) ? pick(in, 8) : 0);
        op->u[i].val = fitting_pte(in, op->v->domain, table);
    }
}

/* Addresses that lead to slots in use at all four levels. */
uint64_t op_some_va(struct input *in)
{
    uint64_t va = one_in(in, 12) ? some_slot(in) << 39 : 0;

    for (unsigned level = 3; level > 1; level--)
        va |= one_in(in, 6) ? some_slot(in) << (PAGE_SHIFT + 9 * (level - 1)) : 0;
    va |= some_slot(in) << PAGE_SHIFT;
    if (va >> 47 & 1)
        va |= 0xffff000000000000ull;
    return one_in(in, 32) ? va ^ 1ull << pick(in, 64) : va;
}

static void choose_va_mapping(struct op *op, struct input *in)
{
    op->n = 1;
    op->domid = some_domid(in);
    op->u[0].ptr = op_some_va(in);
    op->u[0].val = fitting_pte(in, op->v->domain, fake_page(op->v->domain, PAGE_DATA));
    op->flags = pick(in, 3) | (one_in(in, 3) ? UVMF_ALL : 0);
    if (one_in(in, 16))
        op->flags = pick(in, 256);
}

static void choose_ext(struct op *op, struct input *in)
{
    static const uint8_t often[] = {0, 0, 0, 1, 1,  2,  3, 3,  4,  4,  4, 4,
                                    4, 4, 5, 5, 15, 15, 6, 13, 13, 16, 17};

    op->n = one_in(in, 4) ? 2 : 1;
    op->domid = one_in(in, 4) ? some_domid(in) : DOMID_SELF;
    for (unsigned i = 0; i < op->n; i++) {
        struct mmuext_op *e = &op->ext[i];

        e->cmd = one_in(in, 8) ? pick(in, 24) : often[pick(in, ARRAY_SIZE(often))];
        e->arg1.mfn = op_some_frame(in, op->v->domain).n;
        e->arg2.src_mfn = 0;
        if (e->cmd <= MMUEXT_PIN_L4_TABLE && e->arg1.mfn < fake_ram && pick(in, 4))
            e->cmd = fitting_level(mfn(e->arg1.mfn));
        if (e->cmd == MMUEXT_COPY_PAGE)
            e->arg2.src_mfn = op_some_frame(in, op->v->domain).n;
        if (e->cmd == MMUEXT_NEW_USER_BASEPTR && one_in(in, 4))
            e->arg1.mfn = 0;
        if (e->cmd == MMUEXT_INVLPG_LOCAL || e->cmd == MMUEXT_INVLPG_MULTI ||
            e->cmd == MMUEXT_INVLPG_ALL || e->cmd == MMUEXT_SET_LDT)
            e->arg1.linear_addr = op_some_va(in);
        if (e->cmd == MMUEXT_TLB_FLUSH_MULTI || e->cmd == MMUEXT_INVLPG_MULTI)
            e->arg2.vcpumask = FAKE_GUEST + 0x1000;
        if (e->cmd == MMUEXT_SET_LDT)
            e->arg2.nr_ents = pick(in, 4) * 0x200u;
    }
}

static void choose_gdt(struct op *op, struct input *in)
{
    op->n = 1 + pick(in, 2);
    op->flags = one_in(in, 8) ? pick(in, 256) * 64ull % (op->n * 512) : op->n * 512ull;
    for (unsigned i = 0; i < op->n; i++)
        op->u[i].val =
            (one_in(in, 3) ? op_some_frame(in, op->v->domain)
                           : some_typed(in, op->v->domain, pick(in, 2) ? FT_NONE : FT_SEG))
                .n;
}

/* Refills the place of a page that was given back, else gives one back that looks as if it could
 * be. */
static void choose_memory(struct op *op, struct input *in)
{
    const struct domain *d = op->v->domain;

    op->n = 1;
    for (unsigned i = 0; i < OP_TABLES + 4; i++) {
        if (mfn_frame(fake_page(d, i))->owner != d && pick(in, 2)) {
            op->kind = OP_POPULATE;
            op->u[0].val = i;
            op->flags = i;
            return;
        }
    }
    op->kind = OP_DECREASE;
    op->u[0].val = op_some_frame(in, d).n;
    for (unsigned i = 0; i < OP_TABLES + 4 && pick(in, 16); i++) {
        if (mfn_frame(fake_page(d, i))->word >> FW_REF_SHIFT == 1)
            op->u[0].val = fake_page(d, i).n;
    }
}

void op_choose(struct op *op, struct input *in)
{
    struct domain *d = some_domain(in);
    unsigned what = pick(in, 42);

    memset(op, 0, sizeof(*op));
    op->v = d->vcpu[pick(in, d->max_vcpus)];
    if (what < 10) {
        op->kind = OP_MMU_UPDATE;
        choose_updates(op, in);
    } else if (what < 14) {
        op->kind = OP_VA_MAPPING;
        choose_va_mapping(op, in);
    } else if (what < 24) {
        op->kind = OP_MMUEXT;
        choose_ext(op, in);
    } else if (what < 31) {
        op->kind = OP_STORE;
        op->n = 1;
        op->u[0].ptr = fake_maddr(fake_page(d, pick(in, OP_TABLES)), some_slot(in));
        op->u[0].val = pick(in, 2)
                           ? some_pte(in, d)
                           : fake_pte(some_typed(in, d, (enum frame_type)(FT_L1 + pick(in, 3))),
                                      PTE_P | PTE_U | PTE_RW);
    } else if (what < 32) {
        op->kind = OP_SET_GDT;
        choose_gdt(op, in);
    } else if (what < 33) {
        op->kind = OP_LDT_USE;
        op->flags = pick(in, 3);
    } else if (what < 35) {
        choose_memory(op, in);
    } else {
        op_choose_grant(op, in);
    }
}
