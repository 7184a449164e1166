/* SPDX-License-Identifier: MIT */
/* update_va_mapping: one leaf, named by the virtual address that it maps, and the flush that goes
 * with it. */
#include <hv/hypercall.h>
#include <pvabi/xen.h>
#include "types.h"

static cold noinline int no_l1(uint64_t va)
{
    return refuse(-XEN_EINVAL, "address %#lx: the kernel root %#lx has no L1 table there%s", va,
                  current->kernel_cr3 >> PAGE_SHIFT,
                  guest_range_ok(va, 1) ? "; hook one in first" : ", nor may a guest have one");
}

/* The bits above the kind: 0 the caller, UVMF_ALL its whole domain, else the address of a bitmap.
 */
static noinline int flush(uint64_t va, uint64_t flags)
{
    uint64_t where = flags & ~(uint64_t)UVMF_FLUSHTYPE_MASK;
    uint64_t what = (flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG ? va : FLUSH_ALL_PAGES;

    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK)
        return refuse(-XEN_EINVAL, "flags %#lx: no such kind of flush", flags);
    if (where == UVMF_LOCAL)
        flush_local(what);
    else if (where == UVMF_ALL)
        flush_all(what);
    else
        return flush_masked(what, where);
    return 0;
}

/* An entry of the caller's tables, which may name a frame of pg. */
static always_inline long update(const struct vcpu *v, struct domain *pg, uint64_t va, uint64_t pte,
                                 uint64_t flags)
{
    struct domain *d = v->domain;
    uint64_t *slot;
    int rc;

    lock(&d->pt_lock);
    slot = pt_slot(v, va);
    rc = likely(slot) ? leaf_update(d, pg, NO_REQUEST, slot, pte, false) : aside1(no_l1, va);
    unlock(&d->pt_lock);
    if (unlikely(rc) || !(flags & UVMF_FLUSHTYPE_MASK))
        return rc;
    if (unlikely(flags != (UVMF_INVLPG | UVMF_LOCAL)))
        return flush(va, flags);
    tlb_flush_page_local(va); /* a guest's address: it has an L1 table */
    return 0;
}

long do_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags)
{
    const struct vcpu *v = current;

    return update(v, v->domain, va, pte, flags);
}

long do_update_va_mapping_otherdomain(uint64_t va, uint64_t pte, uint64_t flags, uint64_t domid)
{
    struct domain *d, *pg;
    int rc = foreign_domains(&d, &pg, (domid_t)domid);

    return rc ? rc : update(current, pg, va, pte, flags);
}
