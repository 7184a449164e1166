/* SPDX-License-Identifier: MIT */
/* Control operations on the memory of domains. */
#include <hv/access.h>
#include <hv/print.h>

#include "build.h"
#include "control.h"

/* Less than it has is no error: it keeps that, and gets nothing until it is below. */
int control_max_mem(struct domain *d, struct xen_domctl *op)
{
    lock(&d->pages_lock);
    d->max_pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
    unlock(&d->pages_lock);
    return 0;
}

static uint64_t frame_type_for_tools(const struct domain *d, mfn_t m)
{
    uint64_t w;
    unsigned level;

    if (!mfn_valid(m) || READ_ONCE(mfn_frame(m)->owner) != d)
        return XEN_DOMCTL_PFINFO_XTAB;
    w = READ_ONCE(mfn_frame(m)->word);
    level = word_type(w) >= FT_L1 && word_type(w) <= FT_L4 ? word_type(w) - FT_L1 + 1 : 0;
    return level << XEN_DOMCTL_PFINFO_LTAB_SHIFT | (w & FW_PIN ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
}

int control_frame_types(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_getpageframeinfo3 *q = &op->u.getpageframeinfo3;

    if (!guest_array_ok(q->array, q->num, sizeof(xen_pfn_t)))
        return refuse(-XEN_EFAULT, "a list of %lu frames at 0x%lx, which is not all guest memory",
                      q->num, q->array);
    for (uint64_t i = 0; i < q->num; i++) {
        uint64_t at = q->array + i * sizeof(xen_pfn_t), n;

        if (!guest_load64(&n, at) || !guest_store64(at, frame_type_for_tools(d, mfn(n))))
            return -XEN_EFAULT;
        if (i % 512 == 511)
            preempt_point();
    }
    return 0;
}

int control_hypercall_page(struct domain *d, struct xen_domctl *op)
{
    mfn_t m = mfn(op->u.hypercall_init.gmfn);

    if (!mfn_valid(m) || frame_get_writable(mfn_frame(m), d))
        return refuse(-XEN_EACCES,
                      "a hypercall page in frame 0x%lx, which is not a writable one of domain %u",
                      m.n, d->id);
    build_hypercall_page(mfn_va(m));
    frame_put_writable(mfn_frame(m));
    return 0;
}
