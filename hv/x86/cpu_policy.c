/* SPDX-License-Identifier: MIT */
/* CPU policies; see cpu_policy.h. What is shown at most is computed (cpuid.c); a domain keeps the
 * feature words that its tools want hidden. */
#include <hv/access.h>
#include <hv/print.h>

#include "cpu_policy.h"

/* Where each word of a feature set is found. Those of the register ARCH_CAPABILITIES, which no
 * guest sees, are 0. */
static const struct {
    uint32_t leaf, subleaf, reg; /* EAX 0, EBX 1, ... */
} words[CPU_FEATURE_WORDS] = {
    {1, 0, 3}, {1, 0, 2},          {0x80000001, 0, 3}, {0x80000001, 0, 2}, {0xd, 1, 0},
    {7, 0, 1}, {7, 0, 2},          {0x80000007, 0, 3}, {0x80000008, 0, 1}, {7, 0, 3},
    {7, 1, 0}, {0x80000021, 0, 0}, {7, 1, 1},          {7, 2, 3},          {7, 1, 2},
    {7, 1, 3}, {0, 0, 4},          {0, 0, 4},          {0x80000021, 0, 2},
};
#define NO_REG 4

static uint32_t *word_in(unsigned n, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *r)
{
    uint32_t *const reg[] = {&r->a, &r->b, &r->c, &r->d, NULL};

    if (words[n].leaf != leaf || words[n].subleaf != subleaf)
        return NULL;
    return reg[words[n].reg];
}

static uint8_t maddr_bits(void)
{
    return (uint8_t)(64 - __builtin_clzll((frame_max << PAGE_SHIFT) - 1));
}

static void hide(const struct domain *d, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *r)
{
    for (unsigned n = 0; n < CPU_FEATURE_WORDS; n++) {
        uint32_t *word = d->cpu_hidden[n] ? word_in(n, leaf, subleaf, r) : NULL;

        if (word)
            *word &= ~d->cpu_hidden[n];
    }
}

static void answer(const struct domain *d, unsigned vcpu_id, uint64_t xcr0, uint32_t leaf,
                   uint32_t subleaf, struct cpuid_regs *out)
{
    struct cpuid_ctx ctx = {
        .hardware_domain = d && d->is_hardware,
        .itsc = time_scale.invariant,
        .vcpu_id = vcpu_id,
        .xcr0 = xcr0,
        .tsc_khz = time_scale.tsc_khz,
        .tsc_mul = time_scale.mul,
        .tsc_shift = time_scale.shift,
        .maddr_bits = maddr_bits(),
    };

    cpuid_policy(&cpuid_host, leaf, subleaf, &ctx, out);
    if (d)
        hide(d, leaf, leaf == 7 || leaf == 0xd ? subleaf : 0, out);
}

void vcpu_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    answer(v->domain, v->id, v->xcr0, leaf, subleaf, out);
}

/* ---- For tools. ---- */

static void view_leaf(const struct cpu_view *view, uint32_t leaf, uint32_t subleaf,
                      struct cpuid_regs *out)
{
    if (view->raw)
        cpuid_raw(leaf, subleaf, out);
    else
        answer(view->d, 0, cpuid_xcr0_allowed(&cpuid_host), leaf, subleaf, out);
}

uint32_t cpu_feature_word(const struct cpu_view *view, unsigned n)
{
    struct cpuid_regs top, r;

    view_leaf(view, words[n].leaf & 0x80000000, 0, &top);
    if (words[n].reg == NO_REG || top.a < words[n].leaf)
        return 0;
    if (words[n].leaf == 7) { /* further subleaves exist if the first says so */
        view_leaf(view, 7, 0, &top);
        if (words[n].subleaf > top.a)
            return 0;
    }
    view_leaf(view, words[n].leaf, words[n].subleaf, &r);
    return *word_in(n, words[n].leaf, words[n].subleaf, &r);
}

/* Of which tools carry only the limits; they are not theirs to change. */
#define HYPERVISOR_LEAVES   0x40000000
#define HYPERVISOR_LEAVES_2 0x40000100

struct exporter {
    const struct cpu_view *view;
    uint64_t at;
    uint32_t room, count;
    int rc;
};

static void put_leaf(struct exporter *x, uint32_t leaf, uint32_t subleaf)
{
    struct xen_cpuid_leaf l = {.leaf = leaf, .subleaf = subleaf};
    struct cpuid_regs r;

    if (x->rc)
        return;
    if (x->count == x->room) {
        x->rc = -XEN_ENOBUFS;
        return;
    }
    if (leaf >> 24 != HYPERVISOR_LEAVES >> 24) {
        view_leaf(x->view, leaf, subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : subleaf, &r);
        l = (struct xen_cpuid_leaf){leaf, subleaf, r.a, r.b, r.c, r.d};
    }
    x->rc = put_guest(x->at + x->count * sizeof(l), &l);
    x->count++;
}

/* As many subleaves as tools know of. They write policies into arrays as long as those they read,
 * so there must not be fewer than they would think. */
static void put_subleaves(struct exporter *x, uint32_t leaf)
{
    struct cpuid_regs r;
    uint64_t components;
    uint32_t n = 0;

    view_leaf(x->view, leaf, 0, &r);
    switch (leaf) {
    case 4:
        for (; n < 6; n++)
            put_leaf(x, 4, n);
        break;
    case 7:
        for (uint32_t max = MIN(r.a, 2u); n <= max; n++)
            put_leaf(x, 7, n);
        break;
    case 0xb:
        for (; n < 2; n++)
            put_leaf(x, 0xb, n);
        break;
    default: /* 0xd: a bitmap of components, behind two that describe all */
        components = ((uint64_t)r.d << 32 | r.a) | 3;
        for (; n < 63; n++) {
            if (components >> n & 1)
                put_leaf(x, 0xd, n);
        }
    }
}

static void put_range(struct exporter *x, uint32_t first, uint32_t most)
{
    struct cpuid_regs r;

    view_leaf(x->view, first, 0, &r);
    for (uint32_t leaf = first; leaf <= MIN(r.a, first + most); leaf++) {
        if (leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd)
            put_subleaves(x, leaf);
        else
            put_leaf(x, leaf, XEN_CPUID_NO_SUBLEAF);
    }
}

int cpu_policy_export(const struct cpu_view *view, uint64_t leaves, uint32_t *count)
{
    struct exporter x = {.view = view, .at = leaves, .room = *count};

    put_range(&x, 0, CPUID_BASIC_LEAVES - 1);
    put_leaf(&x, HYPERVISOR_LEAVES, XEN_CPUID_NO_SUBLEAF);
    put_leaf(&x, HYPERVISOR_LEAVES_2, XEN_CPUID_NO_SUBLEAF);
    put_range(&x, 0x80000000, CPUID_EXT_LEAVES - 1);
    *count = x.count;
    return x.rc;
}

/* Tools see no point in these two bits of leaf 1, but guests do. */
static uint32_t not_hidden(unsigned n, uint32_t word)
{
    const uint32_t xsave = 1u << 26, osxsave = 1u << 27, hypervisor = 1u << 31;

    return n != 1 ? 0 : word & xsave ? hypervisor | osxsave : hypervisor;
}

int cpu_policy_import(struct domain *d, uint64_t leaves, uint32_t count)
{
    const struct cpu_view most = {.d = NULL};
    struct xen_cpuid_leaf l;

    if (count > POLICY_LEAVES_MAX)
        return refuse(-XEN_E2BIG, "a CPU policy of %u leaves; there are at most %u", count,
                      POLICY_LEAVES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (get_guest(&l, leaves + i * sizeof(l)))
            return -XEN_EFAULT;
        for (unsigned n = 0; n < CPU_FEATURE_WORDS; n++) {
            uint32_t subleaf = l.subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : l.subleaf;
            struct cpuid_regs r = {l.a, l.b, l.c, l.d};
            const uint32_t *word = word_in(n, l.leaf, subleaf, &r);

            if (word)
                d->cpu_hidden[n] = cpu_feature_word(&most, n) & ~*word & ~not_hidden(n, *word);
        }
    }
    return 0;
}
