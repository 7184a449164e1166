/* SPDX-License-Identifier: MIT */
/* The model's state against the machine's. */
#include <string.h>

#include "model.h"

static struct model_frame seen(uint64_t n)
{
    uint64_t w = frame_table[n].word;

    return (struct model_frame){.owner = frame_table[n].owner,
                                .type = word_type(w),
                                .pinned = w & FW_PIN,
                                .busy = w & FW_BUSY,
                                .count = (unsigned)(w & FW_COUNT_MASK),
                                .refs = (unsigned)(w >> FW_REF_SHIFT & 0x7ffffff)};
}

void model_take(void)
{
    for (unsigned n = 0; n < fake_ram; n++) {
        model.f[n] = seen(n);
        memcpy(model.mem[n], host_frame_va(n), PAGE_SIZE);
        model.m2p[n] = m2p_get(mfn(n));
    }
    model_grant_reset();
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        for_each_vcpu(fake_dom[i], v) {
            model.root[i][v->id][0] = v->kernel_cr3;
            model.root[i][v->id][1] = v->user_cr3;
            for (unsigned k = 0; k < 16; k++)
                model.gdt[i][v->id][k] = v->gdt_frame[k];
            for (unsigned k = 0; k < 16; k++)
                model.ldt[i][v->id][k] = v->ldt_frame[k];
        }
}

/* Present entries come back with the bits that the hypervisor adds and removes; those are taken
 * over. */
static bool same_entry(uint64_t want, uint64_t is)
{
    const uint64_t own = PTE_U | PTE_G;

    if (want == is)
        return true;
    return (want & PTE_P) && (want & ~own) == (is & ~own) && (is & PTE_U);
}

static void compare_memory(uint64_t n)
{
    const uint64_t *is = host_frame_va(n);

    if (!model.f[n].owner)
        return;
    if (!memcmp(model.mem[n], is, PAGE_SIZE))
        return;
    for (unsigned i = 0; i < 512; i++) {
        if (!same_entry(model.mem[n][i], is[i]))
            fake_fail("word %u of frame %#lx is %#lx, %#lx expected", i, n, is[i], model.mem[n][i]);
        model.mem[n][i] = is[i];
    }
}

static void compare_frame(uint64_t n)
{
    struct model_frame *want = &model.f[n], is = seen(n);

    if (want->owner != is.owner)
        fake_fail("frame %#lx changed hands", n);
    if (!is.owner)
        return;
    if (want->type != is.type || want->pinned != is.pinned || want->count != is.count ||
        want->refs != is.refs || is.busy)
        fake_fail("frame %#lx is %s%s%s, count %u, refs %u; expected %s%s, count %u, refs %u", n,
                  frame_type_name(is.type), is.pinned ? " pinned" : "", is.busy ? " busy" : "",
                  is.count, is.refs, frame_type_name(want->type), want->pinned ? " pinned" : "",
                  want->count, want->refs);
}

static void compare_vcpu(const struct vcpu *v)
{
    const uint64_t *root = model.root[v->domain->id][v->id];

    if (v->kernel_cr3 != root[0] || v->user_cr3 != root[1])
        fake_fail("roots of d%uv%u are %#lx, %#lx; expected %#lx, %#lx", v->domain->id, v->id,
                  v->kernel_cr3, v->user_cr3, root[0], root[1]);
    if (memcmp(v->gdt_frame, model.gdt[v->domain->id][v->id], sizeof(v->gdt_frame)))
        fake_fail("GDT frames of d%uv%u differ", v->domain->id, v->id);
    if (memcmp(v->ldt_frame, model.ldt[v->domain->id][v->id], sizeof(v->ldt_frame)))
        fake_fail("LDT frames of d%uv%u differ", v->domain->id, v->id);
}

void model_compare(void)
{
    static unsigned turn;
    unsigned pages = ++turn % 16 ? OP_TABLES : OP_TABLES + 4; /* mere data can wait */

    for (unsigned n = 0; n < fake_ram; n++) {
        compare_frame(n);
        if (model.m2p[n] != m2p_get(mfn(n)))
            fake_fail("M2P of frame %#x is %#lx, %#lx expected", n, m2p_get(mfn(n)), model.m2p[n]);
    }
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        for (unsigned k = 0; k < pages; k++)
            compare_memory(fake_page(fake_dom[i], k).n);
        compare_memory(fake_dom[i]->shared_mfn.n);
        compare_memory(fake_grant_frame(fake_dom[i]).n);
        for_each_vcpu(fake_dom[i], v)
            compare_vcpu(v);
    }
}
