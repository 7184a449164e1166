/* SPDX-License-Identifier: MIT */
/* A trace in a file: this header, then records as the hypervisor wrote them (pvabi/paravane.h). */
#ifndef PVCTL_TRACE_FILE_H
#define PVCTL_TRACE_FILE_H

#include "op.h"

#define TRACE_MAGIC "PVTRACE1"

struct trace_header {
    char magic[8];
    char name[64]; /* the domain's, ended by a zero */
    uint32_t domain;
    uint32_t tsc_khz;
    uint64_t ns;                 /* how long it was recorded */
    uint64_t written, lost, own; /* as of struct paravane_trace_read */
};

/* What a call does: its hypercall and, for those that have one, the sub-operation. */
struct operation {
    uint8_t number;
    uint32_t sub;
};

/* The next record that is a call's, at *at, which moves on. NULL: that was the last. */
const struct paravane_trace_record *trace_next(const void *records, size_t bytes, size_t *at);
struct operation trace_operation(const struct paravane_trace_record *r);
/* How many entries the call has; 0: it is not of a kind that could have several. */
uint64_t trace_entries(const struct paravane_trace_record *r);
bool same_operation(struct operation a, struct operation b);

/* The array with room for one more than `count` (which begins at 0). Dies rather than fail. */
void *grown(void *array, size_t count, size_t size);

#endif
