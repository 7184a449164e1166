/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables of vCPUs. Each vCPU has a window (layout.h) in which its GDT and LDT pages are mapped; GDTR and LDTR
 * point there. A GDT page is mapped from set_gdt to the next set_gdt, an LDT page from the first fault on it to the next
 * SET_LDT; the mapping owns the frame's SEG reference. Unused GDT pages show a page of zeros, so that a selector into
 * them is a null descriptor and its use a #GP of the guest's own.
 */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>
#include "context.h"
#include "desc.h"
#include "trap.h"

static void *zero_page;

static uint64_t window_va(const struct vcpu *v)
{
    return WINDOWS_VA + (uint64_t)v->window * WINDOW_SIZE;
}

/* The reserved page of a GDT: selectors fixed by the ABI, and the vCPU's LDT. */
static void fill_reserved_page(uint64_t *d, const struct vcpu *v)
{
    uint64_t ldt = window_va(v) + VWIN_LDT;

    d[(HV_CS - SEL_RESERVED) / 8] = DESC_CODE64_R0;
    d[(HV_DS - SEL_RESERVED) / 8] = DESC_DATA_R0;
    d[(SEL_GUEST_CS32 - SEL_RESERVED) / 8] = DESC_CODE32_R3;
    d[(SEL_GUEST_SS - SEL_RESERVED) / 8] = DESC_DATA_R3;
    d[(SEL_GUEST_CS64 - SEL_RESERVED) / 8] = DESC_CODE64_R3;
    d[(SEL_LDT - SEL_RESERVED) / 8] = desc_system_low(ldt, 0xffff, 2);
    d[(SEL_LDT - SEL_RESERVED) / 8 + 1] = ldt >> 32;
}

int desc_create(struct vcpu *v)
{
    uint64_t *reserved = page_alloc(0);

    if (!zero_page)
        zero_page = page_alloc(0);
    if (!reserved || !zero_page) {
        if (reserved)
            page_free(reserved, 0);
        return -XEN_ENOMEM;
    }
    fill_reserved_page(reserved, v);
    for (unsigned i = 0; i < GDT_RESERVED_PAGE; i++)
        map_page(window_va(v) + VWIN_GDT + i * PAGE_SIZE, va_mfn(zero_page), MAP_RO);
    map_page(window_va(v) + VWIN_GDT + GDT_RESERVED_PAGE * PAGE_SIZE, va_mfn(reserved), MAP_RW);
    map_page(window_va(v) + VWIN_GDT + (GDT_RESERVED_PAGE + 1) * PAGE_SIZE, va_mfn(zero_page), MAP_RO);
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++) {
        v->gdt_frame[i] = INVALID_MFN.n;
        v->ldt_frame[i] = INVALID_MFN.n;
    }
    return 0;
}

void desc_destroy(struct vcpu *v)
{
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++) {
        mfn_t m = unmap_page(window_va(v) + VWIN_GDT + i * PAGE_SIZE);

        if (i == GDT_RESERVED_PAGE && !mfn_eq(m, INVALID_MFN))
            heap_free(m, 0);
    }
}

void desc_load(const struct vcpu *v)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __packed gdtr = {0xffff, window_va(v) + VWIN_GDT};

    __asm__ volatile("lgdt %0" ::"m"(gdtr));
    __asm__ volatile("lldt %w0" ::"r"(v->ldt_entries ? SEL_LDT : 0));
}

static void gdt_unmap(struct vcpu *v)
{
    for (unsigned i = 0; i < GDT_RESERVED_PAGE && v->gdt_frame[i] != INVALID_MFN.n; i++) {
        map_page(window_va(v) + VWIN_GDT + i * PAGE_SIZE, va_mfn(zero_page), MAP_RO);
        seg_put(v->domain, mfn(v->gdt_frame[i]));
        v->gdt_frame[i] = INVALID_MFN.n;
    }
    v->gdt_entries = 0;
}

/* v is the current vCPU, or has not run yet. The old table goes only when the whole new one is good. */
int gdt_set(struct vcpu *v, const uint64_t *frames, unsigned entries)
{
    unsigned pages = (entries + DESCS_PER_PAGE - 1) / DESCS_PER_PAGE;

    for (unsigned i = 0; i < pages; i++) {
        int rc = seg_get(v->domain, mfn(frames[i]));

        if (rc) {
            while (i--)
                seg_put(v->domain, mfn(frames[i]));
            return rc;
        }
    }
    gdt_unmap(v);
    for (unsigned i = 0; i < pages; i++) {
        v->gdt_frame[i] = frames[i];
        map_page(window_va(v) + VWIN_GDT + i * PAGE_SIZE, mfn(frames[i]), MAP_RW);
    }
    v->gdt_entries = entries;
    return 0;
}

long do_set_gdt(uint64_t frames, uint64_t entries)
{
    uint64_t list[GDT_RESERVED_PAGE];
    unsigned pages = (unsigned)((entries + DESCS_PER_PAGE - 1) / DESCS_PER_PAGE);

    if (entries > GDT_RESERVED_FIRST)
        return refuse(-XEN_EINVAL, "a GDT of %lu entries; at most %u, since the ABI reserves the selectors above",
                      entries, GDT_RESERVED_FIRST);
    if (copy_from_guest(list, frames, pages * sizeof(list[0])))
        return refuse(-XEN_EFAULT, "the list of %u frames at %#lx cannot be read", pages, frames);
    return gdt_set(current, list, (unsigned)entries);
}

static void ldt_unmap(struct vcpu *v)
{
    if (!v->ldt_mapped)
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(v->ldt_frame); i++) {
        if (v->ldt_frame[i] == INVALID_MFN.n)
            continue;
        unmap_page(window_va(v) + VWIN_LDT + i * PAGE_SIZE);
        seg_put(v->domain, mfn(v->ldt_frame[i]));
        v->ldt_frame[i] = INVALID_MFN.n;
    }
    v->ldt_mapped = false;
}

int ldt_set(struct vcpu *v, uint64_t va, uint64_t entries)
{
    if (entries > 8192 || (va & (PAGE_SIZE - 1)) || !guest_array_ok(va, entries, 8))
        return refuse(-XEN_EINVAL,
                      "an LDT of %lu entries at %#lx: at most 8192, page-aligned, in the guest's own space", entries,
                      va);
    ldt_unmap(v);
    v->ldt_base = va;
    v->ldt_entries = (unsigned)entries;
    if (v == current)
        __asm__ volatile("lldt %w0" ::"r"(entries ? SEL_LDT : 0));
    return 0;
}

bool ldt_fault(struct vcpu *v, uint64_t va)
{
    uint64_t offset = va - (window_va(v) + VWIN_LDT), pte;
    unsigned i = (unsigned)(offset >> PAGE_SHIFT);

    if (v->is_idle || offset >= 16 * PAGE_SIZE || offset >= v->ldt_entries * 8ull || v->ldt_frame[i] != INVALID_MFN.n)
        return false;
    if (!pt_lookup(v, v->ldt_base + i * PAGE_SIZE, &pte) || !(pte & PTE_P) || seg_get(v->domain, pte_mfn(pte)))
        return false;
    v->ldt_frame[i] = pte_mfn(pte).n;
    v->ldt_mapped = true;
    map_page(window_va(v) + VWIN_LDT + i * PAGE_SIZE, pte_mfn(pte), MAP_RW);
    return true;
}

void desc_release(struct vcpu *v)
{
    gdt_unmap(v);
    ldt_unmap(v);
}

/* Into a page of the guest's own that is no table: a descriptor page (the typed use keeps it one meanwhile), or a writable one. */
static int write_descriptor(struct domain *d, mfn_t m, uint64_t *slot, uint64_t desc)
{
    struct frame *f = mfn_frame(m);
    int rc = frame_get_writable(f, d);

    if (!rc) {
        WRITE_ONCE(*slot, desc);
        frame_put_writable(f);
        return 0;
    }
    if (!word_is(__atomic_load_n(&f->word, __ATOMIC_ACQUIRE), FT_SEG))
        return refuse(
            rc, "descriptor for frame %#lx, which is neither a descriptor page nor a writable page of this domain's",
            m.n);
    if (!desc_fix(&desc))
        return refuse(-XEN_EINVAL,
                      "descriptor %#lx for frame %#lx is a system descriptor, which only the hypervisor may have", desc,
                      m.n);
    rc = seg_get(d, m);
    if (rc)
        return rc;
    WRITE_ONCE(*slot, desc);
    seg_put(d, m);
    return 0;
}

long do_update_descriptor(uint64_t maddr, uint64_t desc)
{
    mfn_t m = mfn(maddr >> PAGE_SHIFT);

    if ((maddr & 7) || !mfn_valid(m))
        return refuse(-XEN_EINVAL, "descriptor at machine address %#lx: not the address of one", maddr);
    return write_descriptor(current->domain, m, (uint64_t *)((char *)mfn_va(m) + (maddr & (PAGE_SIZE - 1))), desc);
}
