/* SPDX-License-Identifier: MIT */
/* Sub-operations of vcpu_op that do not live in vcpu_op.c. */
#ifndef HV_DOM_VCPU_OP_H
#define HV_DOM_VCPU_OP_H

#include <hv/domain.h>

/* Takes the context that the caller has at arg, once (vcpu_op.c). */
long vcpu_initialise(struct vcpu *v, uint64_t arg);

/* Of the current vCPU only (vcpu_timer.c). */
long vcpu_set_singleshot(struct vcpu *v, uint64_t arg);
long vcpu_stop_singleshot(struct vcpu *v, uint64_t arg);
long vcpu_set_periodic(struct vcpu *v, uint64_t arg);
long vcpu_stop_periodic(struct vcpu *v, uint64_t arg);

long vcpu_register_runstate(struct vcpu *v, uint64_t arg); /* runstate.c */

#endif
