/* SPDX-License-Identifier: MIT */
/* vCPUs that take turns at every preempt point, in an order that a seed decides. */
#ifndef TESTS_MODEL_INTERLEAVE_H
#define TESTS_MODEL_INTERLEAVE_H

#include "ops.h"

void interleave_begin(void); /* a fresh machine with booted domains */
/* Every vCPU carries out `each` operations, all at once; when all are done everything is audited.
 */
void interleave_round(struct input *in, unsigned each);
extern uint64_t interleave_switches; /* that happened in the middle of a call */

#endif
