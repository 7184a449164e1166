/* SPDX-License-Identifier: MIT */
/* One machine, one operation after the other; the model and the auditor look at each. */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

#include "ops.h"

struct run_stats {
    uint64_t ops, accepted, refused, kind[OP_KINDS][2];
};
extern struct run_stats run_stats;

void run_begin(void); /* a fresh machine with three booted domains */
void run_step(
    struct input *in); /* aborts at the first disagreement, with the last operations as a trace */

#endif
