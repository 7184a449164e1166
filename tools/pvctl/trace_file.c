/* SPDX-License-Identifier: MIT */
/* Records of a trace, read with distrust: the file may be cut off, or be anything. */
#include <stdlib.h>

#include <pvabi/event_channel.h>
#include <pvabi/xen.h>
#include "say.h"
#include "trace_file.h"

#define COUNT_MASK 0x7fffffffu /* the top bit means that a call goes on */

void *grown(void *array, size_t count, size_t size)
{
    if (count & (count - 1))
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    if (!array)
        die("no memory for the trace");
    return array;
}

const struct paravane_trace_record *trace_next(const void *records, size_t bytes, size_t *at)
{
    while (*at + 8 <= bytes) {
        const struct paravane_trace_record *r = (const void *)((const char *)records + *at);
        size_t size = r->size * 8u;

        if (!size || size > bytes - *at)
            return NULL; /* cut off */
        *at += size;
        if (r->kind == PARAVANE_TRACE_pad)
            continue;
        return size >= sizeof(*r) + r->stack * 8u ? r : NULL;
    }
    return NULL;
}

struct operation trace_operation(const struct paravane_trace_record *r)
{
    struct operation op = {.number = r->number};

    if (op.number == __HYPERVISOR_mmuext_op)
        op.sub = r->first;
    else if (op.number == __HYPERVISOR_grant_table_op || op.number == __HYPERVISOR_event_channel_op)
        op.sub = (uint32_t)r->arg[0];
    return op;
}

bool same_operation(struct operation a, struct operation b)
{
    return a.number == b.number && a.sub == b.sub;
}

uint64_t trace_entries(const struct paravane_trace_record *r)
{
    switch (r->number) {
    case __HYPERVISOR_mmu_update:
    case __HYPERVISOR_mmuext_op:
        return r->arg[1] & COUNT_MASK;
    case __HYPERVISOR_grant_table_op:
        return (uint32_t)r->arg[2];
    case __HYPERVISOR_update_va_mapping:
        return 1;
    case __HYPERVISOR_event_channel_op:
        return r->arg[0] == EVTCHNOP_send;
    default:
        return 0;
    }
}
