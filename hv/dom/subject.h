/* SPDX-License-Identifier: MIT */
/* Whom a call of the event and grant interfaces may be about. */
#ifndef HV_DOM_SUBJECT_H
#define HV_DOM_SUBJECT_H

#include <hv/cpu.h>
#include <hv/print.h>

/* The domain that `id` names, if it is the caller's own or the caller is the hardware domain. NULL:
 * *err says why. Who has no right does not learn which domains there are. */
static inline struct domain *call_subject(domid_t id, int *err)
{
    struct domain *self = current->domain, *d;

    if (id == DOMID_SELF || id == self->id)
        return self;
    if (!self->is_hardware) {
        *err = refuse(-XEN_EPERM, "domain %u: only the hardware domain may act for another", id);
        return NULL;
    }
    d = domain_by_id(id);
    if (!d)
        *err = refuse(-XEN_ESRCH, "domain %u: there is none of that number", id);
    return d;
}

#endif
