/* SPDX-License-Identifier: MIT */
/* Inside of the control operations: domctl (control*.c) and sysctl (sysctl.c). Only the hardware
 * domain gets here. */
#ifndef HV_DOM_CONTROL_H
#define HV_DOM_CONTROL_H

#include <hv/domain.h>
#include <pvabi/domctl.h>

/* One operation on d; the reply is stored in the argument. 0 or a negative error. */
typedef int control_fn(struct domain *d, struct xen_domctl *op);

void control_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* control_vcpu.c */
typedef int control_vcpu_fn(struct vcpu *v, struct xen_domctl *op);
control_fn control_max_vcpus;
control_vcpu_fn control_set_context, control_get_context, control_vcpu_info, control_set_affinity,
    control_get_affinity, control_trigger;
/* control_memory.c */
control_fn control_max_mem, control_frame_types, control_hypercall_page;

/* A bitmap of which the first `count` bits are set, cut to what the tool has room for, or extended
 * by zeros. */
int bitmap_export(const struct xenctl_bitmap *map, unsigned count);
/* Is bit n set in a tool's bitmap? A negative error: it cannot be read. */
int bitmap_test(const struct xenctl_bitmap *map, unsigned n);

void debug_key(char key); /* debug_keys.c: tells in the log */

#endif
