/* SPDX-License-Identifier: MIT */
/* Our own control operation, which Xen does not have (there the number is free, and the answer is
 * -ENOSYS): counts and traces of a domain's hypercalls. For the hardware domain alone.
 * docs/tracing.md tells what the numbers mean. */
#ifndef PVABI_PARAVANE_H
#define PVABI_PARAVANE_H

#include <pvabi/base.h>

#define __HYPERVISOR_paravane_op 62

#define PARAVANE_INTERFACE_VERSION 0x50560001

#define PARAVANE_trace_start 1
#define PARAVANE_trace_stop  2 /* records that were not read are gone */
#define PARAVANE_trace_read  3
#define PARAVANE_usage       4

#define PARAVANE_TRACE_KIB_MIN 64
#define PARAVANE_TRACE_KIB_MAX 16384
#define PARAVANE_TRACE_STACK   32 /* words, at most */

/* A record: this header and `stack` words, beginning at the caller's RSP. `size` is that of both,
 * in words. A record of kind PARAVANE_TRACE_pad has nothing but its first word and fills `size`. */
#define PARAVANE_TRACE_call    1
#define PARAVANE_TRACE_subcall 2 /* of a multicall, whose own record comes behind */
#define PARAVANE_TRACE_pad     3
struct paravane_trace_record {
    uint16_t size;
    uint8_t kind;   /* PARAVANE_TRACE_* */
    uint8_t number; /* of the hypercall */
    uint16_t vcpu;
    uint16_t stack;
    uint64_t tsc;    /* when the handler was entered */
    uint32_t cost;   /* TSC ticks in the handler; all ones: that or more */
    uint32_t first;  /* of what the first operation is: mmuext command, port of an event operation,
                        low half of an mmu_update's ptr; else 0 */
    uint64_t arg[3]; /* RDI, RSI, RDX */
    int32_t result;
    uint32_t irets; /* how often the vCPU had called iret, which has no records */
    uint64_t rip, rsp, rbp;
};
PVABI_SIZE(struct paravane_trace_record, 80);
PVABI_AT(struct paravane_trace_record, tsc, 8);
PVABI_AT(struct paravane_trace_record, rbp, 72);

struct paravane_trace_start {
    uint32_t kib; /* of memory for records; rounded up to a power of two */
    uint32_t pad;
};

struct paravane_trace_read {
    xen_guest_ptr_t buffer; /* gets the records, oldest first; one may end in the next reading */
    uint32_t size;          /* in: room, a multiple of 8; out: bytes */
    uint32_t pad;
    /* Out, since the start: */
    uint64_t lost;    /* records that found no room */
    uint64_t written; /* records that did */
    uint64_t own;     /* TSC ticks that recording a call took, at least */
};

struct paravane_usage {
    uint64_t hypercall[64]; /* by number; calls within multicalls are not counted */
    uint64_t refused;       /* refused operations */
    uint32_t ports;         /* event ports that are open */
    uint32_t grants_used;   /* uses that others make of its grants right now */
    uint32_t grants_mapped; /* grants of others that it has mapped */
    uint32_t tracing;       /* is it being traced? */
};

struct paravane_op {
    uint32_t version; /* PARAVANE_INTERFACE_VERSION */
    uint32_t cmd;     /* PARAVANE_* */
    uint32_t domain;
    uint32_t pad;
    union {
        struct paravane_trace_start trace_start;
        struct paravane_trace_read trace_read;
        struct paravane_usage usage;
    } u;
};
PVABI_SIZE(struct paravane_trace_start, 8);
PVABI_SIZE(struct paravane_trace_read, 40);
PVABI_SIZE(struct paravane_usage, 536);
PVABI_SIZE(struct paravane_op, 552);

#endif
