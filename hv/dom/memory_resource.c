/* SPDX-License-Identifier: MIT */
/* XENMEM_acquire_resource: frames that serve a domain without being its memory, for the tools to
 * map. Here these are grant tables. */
#include <hv/access.h>
#include <pvabi/memory.h>

#include "grant.h"
#include "memory.h"
#include "subject.h"

static long put_frames(struct domain *d, const struct xen_mem_acquire_resource *r)
{
    for (uint32_t i = 0; i < r->nr_frames; i++) {
        mfn_t m;
        int rc = grant_table_frame(d, (unsigned)r->frame + i, &m);

        if (rc)
            return rc;
        if (put_guest(r->frame_list + i * sizeof(xen_pfn_t), &m))
            return -XEN_EFAULT;
    }
    return 0;
}

long memory_acquire_resource(uint64_t arg)
{
    struct xen_mem_acquire_resource r;
    struct domain *d;
    uint64_t most;
    int err = 0;

    if (get_guest(&r, arg))
        return -XEN_EFAULT;
    d = call_subject(r.domid, &err);
    if (!d)
        return err;
    if (r.type != XENMEM_resource_grant_table || r.id != XENMEM_resource_grant_table_id_shared)
        return refuse(-XEN_EOPNOTSUPP,
                      "resource %u, number %u: there is the grant table, version 1", r.type, r.id);
    most = d->grants->max_frames;
    if (!r.nr_frames && !r.frame_list) {
        r.nr_frames = (uint32_t)most;
        return put_guest(arg, &r);
    }
    if (d->dying || r.frame >= most || r.nr_frames > most - r.frame)
        return refuse(-XEN_EINVAL,
                      "frames %lu to %lu of the grant table of domain %u%s, which has %lu", r.frame,
                      r.frame + r.nr_frames - 1, d->id, d->dying ? ", dying" : "", most);
    return put_frames(d, &r);
}
