/* SPDX-License-Identifier: MIT */
/* Leaves off the common path: foreign frames, device memory, cache attributes, last uses, and the
 * sentences of refusals. */
#include "types.h"

#ifndef PARAVANE_HOST
#include "../x86/cpuid.h"
#endif

/* An address with more bits than the processor has would fault as a reserved bit. */
static uint64_t addressable_frames(void)
{
#ifdef PARAVANE_HOST
    return 1ull << (46 - PAGE_SHIFT);
#else
    return 1ull << ((cpuid_host.ext[8].a & 0xff) - PAGE_SHIFT);
#endif
}

/* Device memory and whatever else is no RAM: not counted, the hardware domain's as a whole but for
 * a few frames. */
static int io_leaf(struct pt_call *c, uint64_t n)
{
    const struct domain *d = c->d;

    if (!d->is_hardware)
        return no(c, -XEN_EPERM, "only the hardware domain may map what is no RAM");
    if (c->pg != d)
        return no(c, -XEN_EPERM, "device memory is no foreign domain's; name oneself or DOMID_IO");
    if (n >= addressable_frames())
        return no(c, -XEN_EINVAL, "the processor has no such address");
    return mmio_is_forbidden(d, n) ? no(c, -XEN_EPERM, "these registers are the hypervisor's own")
                                   : 0;
}

int leaf_get_slow(struct pt_call *c, uint64_t pte)
{
    struct frame *f = mfn_frame(pte_mfn(pte));
    int rc;

    if (pte & PTE_RESERVED)
        return no(c, -XEN_EINVAL, "bits 59 to 62 are reserved");
    if (frame_is_io(pte_mfn(pte)))
        return io_leaf(c, pte_mfn(pte).n);
    if ((pte & LEAF_CACHE) && !c->d->is_hardware)
        return no(c, -XEN_EPERM, "only the hardware domain may map RAM other than write-back");
    if (pte & PTE_RW)
        rc = frame_get_writable(f, c->pg);
    else
        rc = frame_get_ref(f, c->pg) ? 0 : -XEN_EPERM;
    if (rc == -XEN_EPERM)
        return no(c, rc, "the frame does not belong to the domain that the request names");
    if (rc)
        return no(c, rc, "a frame of that type may only be mapped read-only");
    if (pte & LEAF_CACHE)
        __atomic_or_fetch(&f->word, FW_NC, __ATOMIC_SEQ_CST);
    return 0;
}

int leaf_get_odd(struct domain *d, struct domain *pg, unsigned request, const uint64_t *slot,
                 uint64_t pte)
{
    struct pt_call c = {.d = d, .pg = pg, .request = request};
    int rc = leaf_get_slow(&c, pte);

    return rc ? pte_refuse(&c, rc, slot, 1, pte) : 0;
}

void leaf_put_slow(uint64_t pte)
{
    if (frame_is_io(pte_mfn(pte)))
        return;
    if (pte & PTE_RW)
        frame_put_writable(mfn_frame(pte_mfn(pte)));
    else
        frame_put_ref(mfn_frame(pte_mfn(pte)));
}

int pte_refuse(struct pt_call *c, int err, const uint64_t *slot, unsigned level, uint64_t pte)
{
    char request[24] = "", frame[48];
    const char *why = c->why;

    c->why = NULL;
    if (c->request != NO_REQUEST)
        snprintf(request, sizeof(request), "request %u: ", c->request);
    frame_describe(frame, sizeof(frame), pte_mfn(pte));
    return refuse(err, "%sentry %u of L%u table %#lx cannot become %#lx: %s; frame %#lx is %s",
                  request, slot_index(slot), level, va_mfn(slot).n, pte, why, pte_mfn(pte).n,
                  frame);
}
