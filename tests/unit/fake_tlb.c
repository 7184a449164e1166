/* SPDX-License-Identifier: MIT */
/* The adversary's best TLB. Each CPU remembers everything that the roots it could walk have led to
 * since its last flush, whatever INVLPG did in between; a flush forgets it and publishes an epoch
 * as the real one does. */
#include <string.h>

#include "fake.h"

uint64_t tlb_epoch = 1;
uint64_t fake_flushes;

/* What a CPU may hold about a frame: by which domain's walks it may be read or written, and whether
 * it may be the target of a cached table pointer. */
#define MAY_READ(d)   (1u << (d))
#define MAY_WRITE(d)  (1u << (4 + (d)))
#define MAY_ANY_READ  0x0fu
#define MAY_ANY_WRITE 0xf0u
#define MAY_WALK      0x100u

static uint16_t may[FAKE_CPUS][FAKE_RAM];
/* Tables reached in the current walk, apart by the rights that the path gives. */
static uint8_t reached[FAKE_RAM];

static void walk(uint16_t *set, unsigned dom, mfn_t table, unsigned level, bool writable)
{
    const struct fake_scan *s;
    const uint64_t *e;

    set[table.n] |= MAY_WALK;
    if (reached[table.n] & (writable ? 2 : 1))
        return;
    reached[table.n] |= writable ? 3 : 1;
    s = fake_scan(table);
    e = fake_words(table);
    for (unsigned i = 0; i < s->n; i++) {
        uint64_t pte = e[s->slot[i]];
        bool w = writable && (pte & PTE_RW);

        if (level == 4 && s->slot[i] >= HV_SLOT_FIRST && s->slot[i] <= HV_SLOT_LAST)
            continue;
        if (!(pte & PTE_P) || pte_mfn(pte).n >= fake_ram)
            continue;
        if (level > 1)
            walk(set, dom, pte_mfn(pte), level - 1, w);
        else
            set[pte_mfn(pte).n] |= (uint16_t)(MAY_READ(dom) | (w ? MAY_WRITE(dom) : 0));
    }
}

static void walk_root(uint16_t *set, unsigned dom, uint64_t cr3)
{
    if (!cr3)
        return;
    memset(reached, 0, sizeof(reached));
    walk(set, dom, mfn(cr3 >> PAGE_SHIFT), 4, true);
}

static void fill(const struct percpu *c)
{
    const struct vcpu *v = c->running;

    if (v->is_idle)
        return;
    walk_root(may[c->id], v->domain->id, c->loaded_cr3);
    walk_root(may[c->id], v->domain->id, v->user_cr3);
}

static void fill_all(void)
{
    for (unsigned i = 0; i < FAKE_CPUS; i++)
        fill(percpu_of[i]);
}

void fake_tlb_note(void)
{
    fake_generation++;
    fill_all();
}

void fake_tlb_reset(void)
{
    memset(may, 0, sizeof(may));
    tlb_epoch = 1;
}

void fake_tlb_drop(unsigned cpu)
{
    uint64_t e = __atomic_add_fetch(&tlb_epoch, 1, __ATOMIC_SEQ_CST);

    memset(may[cpu], 0, sizeof(may[cpu]));
    percpu_of[cpu]->flush_epoch = e;
    fake_flushes++;
}

void vcpu_load_root(struct vcpu *v)
{
    if (v->pcpu->running != v)
        return;
    fake_tlb_note();
    v->pcpu->loaded_cr3 = v->kernel_cr3;
    fake_tlb_drop(v->pcpu->id);
}

/* Everybody has used the tables as they are by the time of any flush. */
void tlb_flush_local(void)
{
    fake_tlb_note();
    fake_tlb_drop(host_current->pcpu->id);
}

void tlb_flush_page_local(uint64_t va)
{
    (void)va;
    fake_tlb_note();
}

void tlb_flush_older(uint64_t stamp)
{
    fake_tlb_note();
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        if (percpu_of[i]->flush_epoch <= stamp)
            fake_tlb_drop(i);
    }
}

void tlb_flush_domain(struct domain *d, uint64_t vcpus)
{
    fake_tlb_note();
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        const struct vcpu *v = percpu_of[i]->running;

        if (!v->is_idle && v->domain == d && v->id < 64 && (vcpus >> v->id & 1))
            fake_tlb_drop(i);
    }
}

/* May d's guest have a translation to the frame at all? */
static bool entitled(unsigned dom, const struct frame *f)
{
    const struct domain *d = fake_dom[dom];

    return f->owner == d || (d->is_hardware && f->owner) || fake_grant_maps(d, frame_mfn(f));
}

static void check(unsigned cpu, mfn_t m, uint16_t set)
{
    const struct frame *f = mfn_frame(m);
    uint64_t w = f->word;
    enum frame_type t = word_type(w);

    if (t == FT_FREE || !w)
        return; /* flushed and cleared before its next use */
    if ((set & MAY_ANY_WRITE) && t >= FT_L1)
        fake_fail("A8: CPU %u may write to frame %#lx, a %s (set %x)", cpu, m.n, frame_type_name(t),
                  set);
    if (!f->owner)
        fake_fail("A8: CPU %u may reach frame %#lx of the hypervisor (set %x)", cpu, m.n, set);
    if ((set & MAY_WALK) && t == FT_WR)
        fake_fail("A8: CPU %u may walk through frame %#lx, which is writable", cpu, m.n);
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        if ((set & (MAY_READ(i) | MAY_WRITE(i))) && !entitled(i, f))
            fake_fail("A8: CPU %u may reach frame %#lx for domain %u, which has no right", cpu, m.n,
                      i);
    }
}

void fake_tlb_check(void)
{
    fill_all();
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        mfn_t root = mfn(percpu_of[i]->loaded_cr3 >> PAGE_SHIFT);

        if (root.n && !word_is(mfn_frame(root)->word, FT_L4))
            fake_fail("A8: CPU %u has root %#lx loaded, which is no L4", i, root.n);
        for (unsigned n = 0; n < fake_ram; n++) {
            if (may[i][n])
                check(i, mfn(n), may[i][n]);
        }
    }
}
