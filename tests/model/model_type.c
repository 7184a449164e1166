/* SPDX-License-Identifier: MIT */
/* Types and counts in the model: take and release, with everything below. */
#include "model.h"

struct model model;

#define CACHE      (PTE_PWT | PTE_PCD | PTE_PAT)
#define BITS_TABLE (PTE_P | PTE_RW | PTE_U | PTE_G | PTE_A | PTE_D | PTE_AVAIL | PTE_NX)

bool model_entry_bits(unsigned level, uint64_t pte)
{
    return !(pte & ~PTE_ADDR & ~(BITS_TABLE | (level == 1 ? CACHE : 0)));
}

static const struct domain *owner_of(uint64_t n)
{
    return n < fake_ram ? model.f[n].owner : NULL;
}

static bool get_leaf(const struct domain *d, const struct domain *foreign, uint64_t pte)
{
    uint64_t n = pte_mfn(pte).n;

    if (n >= fake_ram) /* device memory: the hardware domain's, without any count */
        return d->is_hardware && foreign == d && n < 1ull << 34;
    if ((pte & CACHE) && !d->is_hardware)
        return false;
    if (!owner_of(n) || owner_of(n) != foreign || !model.f[n].refs)
        return false;
    if (!(pte & PTE_RW)) {
        model.f[n].refs++;
        return true;
    }
    return model_get_type(foreign, n, FT_WR);
}

bool model_get_entry(const struct domain *d, const struct domain *foreign, unsigned level,
                     uint64_t pte)
{
    if (!(pte & PTE_P))
        return true;
    if (!model_entry_bits(level, pte))
        return false;
    if (level == 1)
        return get_leaf(d, foreign, pte);
    return model_get_type(d, pte_mfn(pte).n, (enum frame_type)(FT_L1 + level - 2));
}

void model_put_entry(const struct domain *d, unsigned level, uint64_t pte)
{
    uint64_t n = pte_mfn(pte).n;

    (void)d;
    if (!(pte & PTE_P) || n >= fake_ram)
        return;
    if (level > 1 || (pte & PTE_RW))
        model_put_type(n);
    else
        model.f[n].refs--;
}

static bool hv_slot(unsigned level, unsigned i)
{
    return level == 4 && i >= HV_SLOT_FIRST && i <= HV_SLOT_LAST;
}

static bool validate(const struct domain *d, uint64_t n, unsigned level)
{
    for (unsigned i = 0; i < 512; i++) {
        uint64_t pte = model.mem[n][i];

        if (hv_slot(level, i))
            model.mem[n][i] = hv_root[i];
        else if (pte && !model_get_entry(d, d, level, pte))
            return false;
    }
    return true;
}

/* Descriptors: no system ones; others get privilege level 3 and count as accessed. */
static bool validate_descriptors(uint64_t n)
{
    for (unsigned i = 0; i < 512; i++) {
        uint64_t *desc = &model.mem[n][i];

        if (!(*desc >> 47 & 1))
            continue;
        if (!(*desc >> 44 & 1))
            return false;
        *desc |= 3ull << 45 | 1ull << 40;
    }
    return true;
}

/* On failure the caller throws away what was changed. */
bool model_get_type(const struct domain *d, uint64_t n, enum frame_type t)
{
    struct model_frame *f;

    if (n >= fake_ram || owner_of(n) != d || !model.f[n].refs)
        return false;
    f = &model.f[n];
    if (f->type != FT_NONE && (f->type != t || f->busy))
        return false;
    f->refs++;
    f->count++;
    if (f->type == t)
        return true;
    f->type = t;
    if (t >= FT_L1 && t <= FT_L4) {
        f->busy = true;
        if (!validate(d, n, t - FT_L1 + 1))
            return false;
        f->busy = false;
    }
    return t != FT_SEG || validate_descriptors(n);
}

void model_put_type(uint64_t n)
{
    struct model_frame *f = &model.f[n];
    unsigned level = f->type - FT_L1 + 1;

    f->refs--;
    if (--f->count)
        return;
    for (unsigned i = 0; f->type >= FT_L1 && f->type <= FT_L4 && i < 512; i++) {
        uint64_t pte = model.mem[n][i];

        if (pte && !hv_slot(level, i))
            model_put_entry(owner_of(n), level, pte);
    }
    f->type = FT_NONE;
}
