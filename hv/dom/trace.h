/* SPDX-License-Identifier: MIT */
/* Traces of hypercalls: trace.c, and those who feed it or end it. */
#ifndef HV_DOM_TRACE_H
#define HV_DOM_TRACE_H

#include <hv/domain.h>

/* Ends d's trace and frees it, if there is one. */
void trace_stop(struct domain *d);

/* entry.S: a hypercall by a traced domain, other than iret. */
long trace_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t nr);
long trace_subcall(uint64_t nr, const uint64_t args[6]); /* in the place of hypercall_dispatch() */
long multicall_traced(uint64_t calls, uint64_t count);   /* multicall_traced.c */

#endif
