/* SPDX-License-Identifier: MIT */
/* The auditor of the tests: recounts every frame from page tables, pins, roots and descriptor
 * tables, without a look at how the hypervisor counts. Invariants A1 to A7; A8, A10 and A11 are in
 * the parts that know. */
#include <string.h>

#include "fake.h"

static struct tally {
    uint32_t count, refs;
} tally[FAKE_FRAMES];

#define TABLE_BITS (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D | PTE_AVAIL | PTE_NX)

/* One use as that type; FT_NONE: a reference only. */
static void typed_use(mfn_t m, enum frame_type t, const char *what)
{
    if (m.n >= fake_ram)
        fake_fail("A2: %s is frame %#lx, which is no RAM", what, m.n);
    tally[m.n].refs++;
    if (t == FT_NONE)
        return;
    if (!word_is(mfn_frame(m)->word, t))
        fake_fail("A4: %s is frame %#lx, word %#lx, not a stable %s", what, m.n, mfn_frame(m)->word,
                  frame_type_name(t));
    tally[m.n].count++;
}

static void leaf(const struct domain *d, uint64_t pte)
{
    mfn_t m = pte_mfn(pte);

    if (m.n >= fake_ram) {
        if (!d->is_hardware)
            fake_fail("A6: domain %u maps device memory, frame %#lx", d->id, m.n);
        return;
    }
    if (!mfn_frame(m)->owner)
        fake_fail("A5: domain %u maps frame %#lx of the hypervisor", d->id, m.n);
    if (mfn_frame(m)->owner != d && !d->is_hardware && !fake_grant_maps(d, m))
        fake_fail("A6: domain %u maps frame %#lx of domain %u", d->id, m.n,
                  mfn_frame(m)->owner->id);
    if (pte & PTE_RW)
        typed_use(m, FT_WR, "target of a writable entry");
    else
        tally[m.n].refs++;
}

static void entry(const struct domain *d, mfn_t table, unsigned level, unsigned i, uint64_t pte)
{
    uint64_t allowed = PTE_ADDR | TABLE_BITS | (level == 1 ? PTE_PWT | PTE_PCD | PTE_PAT : 0);

    if (!(pte & PTE_P))
        return;
    if ((pte & ~allowed) || !(pte & PTE_U))
        fake_fail("A4: entry %u of frame %#lx at level %u is %#lx", i, table.n, level, pte);
    if (level == 1)
        leaf(d, pte);
    else if (mfn_frame(pte_mfn(pte))->owner != d)
        fake_fail("A4: entry %u of frame %#lx leads to a table of somebody else", i, table.n);
    else
        typed_use(pte_mfn(pte), (enum frame_type)(FT_L1 + level - 2), "target of a table entry");
}

static void table(mfn_t m, unsigned level)
{
    const struct fake_scan *s = fake_scan(m);
    const uint64_t *e = fake_words(m);

    if (level == 4 &&
        memcmp(e + HV_SLOT_FIRST, hv_root + HV_SLOT_FIRST, (HV_SLOT_LAST + 1 - HV_SLOT_FIRST) * 8))
        fake_fail("A5: hypervisor slots of root %#lx differ from the template", m.n);
    for (unsigned i = 0; i < s->n; i++) {
        if (level < 4 || s->slot[i] < HV_SLOT_FIRST || s->slot[i] > HV_SLOT_LAST)
            entry(mfn_frame(m)->owner, m, level, s->slot[i], e[s->slot[i]]);
    }
}

static void frame(mfn_t m)
{
    const struct frame *f = mfn_frame(m);
    uint64_t w = f->word, count = w & FW_COUNT_MASK;
    enum frame_type t = word_type(w);

    if (t == FT_FREE || !w)
        return;
    if (w & FW_BUSY)
        fake_fail("A7: frame %#lx is busy between operations, word %#lx", m.n, w);
    if ((t == FT_NONE) != (count == 0) || (!count && (w & FW_PIN)))
        fake_fail("A3: word %#lx of frame %#lx is not legal", w, m.n);
    if (w & FW_PIN)
        typed_use(m, t, "a pinned frame");
    if (t >= FT_L1 && t <= FT_L4)
        table(m, t - FT_L1 + 1);
}

static void vcpu(const struct vcpu *v)
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
    if (v->info_mfn.n != INVALID_MFN.n)
        typed_use(v->info_mfn, FT_WR, "a vcpu_info page");
}

/* A list of d's frames; each that is not given up is there for one reference. */
static uint64_t listed(const struct domain *d, uint32_t first, unsigned refs)
{
    uint64_t n = 0;

    for (uint32_t m = first; m; m = frame_table[m].next) {
        if (frame_table[m].owner != d || ++n > FAKE_RAM)
            fake_fail("A1: frame %#x is on the list of domain %u", m, d->id);
        tally[m].refs += refs;
    }
    return n;
}

static void owned(const struct domain *d)
{
    uint64_t n = listed(d, d->pages_first, 1) + listed(d, d->pages_left, 0);

    if (n != d->tot_pages)
        fake_fail("A12: domain %u is charged for %lu frames and has %lu", d->id, d->tot_pages, n);
}

static void shared_page(mfn_t m, const char *what)
{
    typed_use(m, FT_WR, what);
    tally[m.n].refs++;
}

static void compare(mfn_t m)
{
    uint64_t w = mfn_frame(m)->word;
    const struct tally *t = &tally[m.n];

    if (word_type(w) == FT_FREE || !mfn_frame(m)->owner) {
        if (t->refs)
            fake_fail("A1: frame %#lx, free or the hypervisor's, has %u uses", m.n, t->refs);
        return;
    }
    if ((w & FW_COUNT_MASK) != t->count || w >> FW_REF_SHIFT != t->refs)
        fake_fail("A2: frame %#lx of domain %u has word %#lx (%s); counted are %u typed uses, %u "
                  "references",
                  m.n, mfn_frame(m)->owner->id, w, frame_type_name(word_type(w)), t->count,
                  t->refs);
}

void fake_audit(void)
{
    fake_generation++;
    memset(tally, 0, sizeof(tally));
    for (unsigned n = 0; n < fake_ram; n++)
        frame(mfn(n));
    for_each_domain(d) {
        owned(d);
        shared_page(d->shared_mfn, "shared_info");
        for_each_vcpu(d, v)
            vcpu(v);
        fake_grant_tally(d, typed_use, shared_page);
    }
    for (unsigned n = 0; n < fake_ram; n++)
        compare(mfn(n));
    fake_tlb_check();
    fake_grant_check();
    fake_event_check();
}
