/* SPDX-License-Identifier: MIT */
/* Inside of scheduling: what sched.c, idle.c and sched_op.c share. */
#ifndef HV_DOM_SCHED_H
#define HV_DOM_SCHED_H

#include <hv/domain.h>

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_SLICE_MS       10

void sched_queue_init(struct percpu *c);
void sched_share_set(struct domain *d, unsigned weight, unsigned cap);
void vcpu_yield(void);     /* lets one who waits go first */
void preempt_if_due(void); /* gives the CPU away if somebody asked for that, wherever the vCPU is */

#endif
