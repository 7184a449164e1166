/* SPDX-License-Identifier: MIT */
/*
 * The auditor: recounts what every frame's word says from what there is to count, and checks the
 * entries on the way. A1 to A7 of the invariants (docs/page-types.md). One pass counts uses into a
 * scratch array, one compares.
 *
 * The world is stopped, but a vCPU may have been stopped in the window of a walk; then tables are
 * half-done and the audit is left for another time.
 */
#include <hv/dom/grant.h>
#include <hv/init.h>
#include <hv/irq.h>
#include "types.h"

struct tally {
    uint32_t refs, count;
};
static struct tally *tally; /* of each frame, during an audit */
static uint64_t passes;

#define FAIL(rule, fmt, ...) panic("audit, " rule ": " fmt, ##__VA_ARGS__)
#define UL(x)                ((unsigned long)(x))

static void typed_use(mfn_t m, enum frame_type t, const char *by)
{
    if (!mfn_valid(m) || !word_is(mfn_frame(m)->word, t))
        FAIL("A4", "%s is frame %#lx, not a stable %s (word %#lx)", by, UL(m.n), frame_type_name(t),
             UL(mfn_valid(m) ? mfn_frame(m)->word : 0));
    tally[m.n].refs++;
    tally[m.n].count++;
}

static bool mapped_by_grant(const struct domain *d, mfn_t m)
{
    const struct grant_table *g = d->grants;
    const struct maptrack *t;

    for (uint32_t i = 0; g && (t = track_at(g, i)); i++) {
        if (t->flags && t->mfn == m.n)
            return true;
    }
    return false;
}

static void audit_leaf(const struct domain *d, const uint64_t *slot)
{
    uint64_t pte = *slot;
    mfn_t m = pte_mfn(pte);
    const struct domain *owner;

    if ((pte & PTE_RESERVED) || pte_normal(pte) != pte || ((pte & LEAF_CACHE) && !d->is_hardware))
        FAIL("A4", "leaf %u of L1 %#lx of d%u is %#lx", slot_index(slot), UL(va_mfn(slot).n), d->id,
             UL(pte));
    if (frame_is_io(m)) {
        if (!d->is_hardware)
            FAIL("A6", "d%u maps %#lx, which is no RAM", d->id, UL(m.n));
        return;
    }
    owner = mfn_frame(m)->owner;
    if (!owner)
        FAIL("A5", "leaf %u of L1 %#lx of d%u maps frame %#lx, the hypervisor's or free",
             slot_index(slot), UL(va_mfn(slot).n), d->id, UL(m.n));
    if (owner != d && !d->is_hardware && !mapped_by_grant(d, m))
        FAIL("A6", "d%u maps frame %#lx of d%u without a grant", d->id, UL(m.n), owner->id);
    if (pte & PTE_RW)
        typed_use(m, FT_WR, "target of a writable leaf");
    else
        tally[m.n].refs++;
}

static void audit_table(mfn_t m, unsigned level)
{
    const struct domain *d = mfn_frame(m)->owner;
    const uint64_t *e = mfn_va(m);

    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        if (is_hv_slot(level, i) && e[i] != hv_root[i])
            FAIL("A5", "slot %u of root %#lx is %#lx, the template's %#lx", i, UL(m.n), UL(e[i]),
                 UL(hv_root[i]));
        if (is_hv_slot(level, i) || !(e[i] & PTE_P))
            continue;
        if (level == 1) {
            audit_leaf(d, &e[i]);
            continue;
        }
        if (!table_entry_ok(e[i]) || pte_normal(e[i]) != e[i] || !mfn_valid(pte_mfn(e[i])) ||
            mfn_frame(pte_mfn(e[i]))->owner != d)
            FAIL("A4", "entry %u of L%u %#lx of d%u is %#lx", i, level, UL(m.n), d->id, UL(e[i]));
        typed_use(pte_mfn(e[i]), (enum frame_type)(FT_L1 + level - 2), "a table entry's target");
    }
}

static void audit_frame(mfn_t m)
{
    const struct frame *f = mfn_frame(m);
    uint64_t w = f->word, count = w & FW_COUNT_MASK;
    enum frame_type t = word_type(w);

    if (t == FT_FREE || !(w >> FW_REF_SHIFT)) {
        if (f->owner || (w && t != FT_FREE))
            FAIL("A1", "frame %#lx has no references, yet word %#lx and %s owner", UL(m.n), UL(w),
                 f->owner ? "an" : "no");
        return;
    }
    if (w & FW_BUSY)
        FAIL("A7", "frame %#lx is busy and no walk is under way (word %#lx)", UL(m.n), UL(w));
    if ((t == FT_NONE) != !count || (!count && (w & FW_PIN)) || count > w >> FW_REF_SHIFT)
        FAIL("A3", "word %#lx of frame %#lx is not legal", UL(w), UL(m.n));
    if (w & FW_PIN)
        typed_use(m, t, "a pinned frame");
    if (t >= FT_L1 && t <= FT_L4)
        audit_table(m, t - FT_L1 + 1);
}

static void audit_vcpu(const struct vcpu *v)
{
    if (v->kernel_cr3)
        typed_use(mfn(v->kernel_cr3 >> PAGE_SHIFT), FT_L4, "a kernel root");
    if (v->user_cr3)
        typed_use(mfn(v->user_cr3 >> PAGE_SHIFT), FT_L4, "a user root");
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++) {
        if (v->gdt_frame[i] != INVALID_MFN.n)
            typed_use(mfn(v->gdt_frame[i]), FT_SEG, "a GDT page");
        if (v->ldt_frame[i] != INVALID_MFN.n)
            typed_use(mfn(v->ldt_frame[i]), FT_SEG, "an LDT page");
    }
    if (!mfn_eq(v->info_mfn, INVALID_MFN))
        typed_use(v->info_mfn, FT_WR, "a vcpu_info page");
}

/* A mapping for devices has no entry: its record holds the frame. */
static void audit_device_maps(const struct domain *d)
{
    const struct maptrack *t;

    for (uint32_t i = 0; d->grants && (t = track_at(d->grants, i)); i++) {
        if (!(t->flags & GNTMAP_device_map))
            continue;
        if (t->flags & GNTMAP_readonly)
            tally[t->mfn].refs++;
        else
            typed_use(mfn(t->mfn), FT_WR, "a device mapping");
    }
}

static void audit_domain(const struct domain *d)
{
    typed_use(d->shared_mfn, FT_WR, "shared_info");
    audit_device_maps(d);
    for (unsigned i = 0; d->grants && i < d->grants->frames; i++)
        typed_use(d->grants->mfn[i], FT_WR, "a page of a grant table");
    for_each_vcpu (d, v)
        audit_vcpu(v);
#ifndef PARAVANE_HOST
    if (d->is_hardware && !mfn_eq(pirq_eoi_frame(), INVALID_MFN))
        typed_use(pirq_eoi_frame(), FT_WR, "an EOI page");
#endif
}

static void compare(mfn_t m)
{
    const struct frame *f = mfn_frame(m);
    const struct tally *t = &tally[m.n];
    uint64_t refs = f->word >> FW_REF_SHIFT, count = f->word & FW_COUNT_MASK;

    if (f->owner == &dom_io)
        return;
    if (!f->owner) {
        if (t->refs)
            FAIL("A1", "frame %#lx, the hypervisor's or free, has %u uses", UL(m.n), t->refs);
        return;
    }
    /* The owner's own reference: gone from those frames of a dying domain that others still use. */
    if (count != t->count || (refs != t->refs + 1 && !(f->owner->dying && refs == t->refs)))
        FAIL("A2",
             "frame %#lx of d%u, %s, has word %#lx, but %u typed uses and %u references were found",
             UL(m.n), f->owner->id, frame_type_name(word_type(f->word)), UL(f->word), t->count,
             t->refs + 1);
}

static bool walk_under_way(void)
{
    for_each_domain (d) {
        if (d->walk_busy)
            return true;
    }
    return false;
}

void audit(void)
{
    unsigned order = 0;

    while (PAGE_SIZE << order < frame_max * sizeof(*tally))
        order++;
    tally = walk_under_way() ? NULL : page_alloc(order);
    if (!tally)
        return;
    for (uint64_t n = 0; n < frame_max; n++) {
        if (mfn_frame(mfn(n))->owner != &dom_io)
            audit_frame(mfn(n));
    }
    for_each_domain (d)
        audit_domain(d);
    for (const struct domain *d = domains_dead; d; d = d->next_dead)
        audit_domain(d);
    for (uint64_t n = 0; n < frame_max; n++)
        compare(mfn(n));
    page_free(tally, order);
    passes++;
}

#ifndef PARAVANE_HOST
#define PERIOD_NS 1000000000ull

static struct hv_timer timer;

/* Timers fire while a guest or nobody runs, or at preemption points: no lock is held then. */
static void audit_again(void *unused)
{
    uint64_t before = passes;

    (void)unused;
    audit();
    if (!before && passes)
        printk(LOG_INFO, "audit: the first pass found nothing wrong; there is one each second");
    timer_set(&timer, now_ns() + PERIOD_NS);
}

void audit_start(void)
{
    timer_init(&timer, audit_again, NULL);
    timer_set(&timer, now_ns() + PERIOD_NS);
}

uint64_t audit_passes(void)
{
    return passes;
}
#endif
