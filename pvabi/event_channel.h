/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_event_channel_op(cmd, arg): ports and what they are bound to. */
#ifndef PVABI_EVENT_CHANNEL_H
#define PVABI_EVENT_CHANNEL_H

#include <pvabi/base.h>

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq        1
#define EVTCHNOP_bind_pirq        2
#define EVTCHNOP_close            3
#define EVTCHNOP_send             4
#define EVTCHNOP_status           5
#define EVTCHNOP_alloc_unbound    6
#define EVTCHNOP_bind_ipi         7
#define EVTCHNOP_bind_vcpu        8
#define EVTCHNOP_unmask           9
#define EVTCHNOP_reset            10
#define EVTCHNOP_init_control     11
#define EVTCHNOP_expand_array     12
#define EVTCHNOP_set_priority     13

/* New port of dom, to which remote_dom may connect. */
struct evtchn_alloc_unbound {
    domid_t dom, remote_dom;
    evtchn_port_t port; /* out */
};
PVABI_SIZE(struct evtchn_alloc_unbound, 8);

/* New port of the caller, connected with the other domain's unbound one. */
struct evtchn_bind_interdomain {
    domid_t remote_dom;
    evtchn_port_t remote_port;
    evtchn_port_t local_port; /* out */
};
PVABI_SIZE(struct evtchn_bind_interdomain, 12);
PVABI_AT(struct evtchn_bind_interdomain, remote_port, 4);

struct evtchn_bind_virq {
    uint32_t virq; /* VIRQ_* */
    uint32_t vcpu;
    evtchn_port_t port; /* out */
};
PVABI_SIZE(struct evtchn_bind_virq, 12);

#define BIND_PIRQ__WILL_SHARE 1

struct evtchn_bind_pirq {
    uint32_t pirq;
    uint32_t flags;     /* BIND_PIRQ__* */
    evtchn_port_t port; /* out */
};
PVABI_SIZE(struct evtchn_bind_pirq, 12);

struct evtchn_bind_ipi {
    uint32_t vcpu;
    evtchn_port_t port; /* out */
};
PVABI_SIZE(struct evtchn_bind_ipi, 8);

struct evtchn_close {
    evtchn_port_t port;
};
PVABI_SIZE(struct evtchn_close, 4);

struct evtchn_send {
    evtchn_port_t port;
};
PVABI_SIZE(struct evtchn_send, 4);

#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq        3
#define EVTCHNSTAT_virq        4
#define EVTCHNSTAT_ipi         5

struct evtchn_status {
    domid_t dom;
    evtchn_port_t port;
    /* out */
    uint32_t status; /* EVTCHNSTAT_*: selects the member of u */
    uint32_t vcpu;
    union {
        struct {
            domid_t dom;
        } unbound;
        struct {
            domid_t dom;
            evtchn_port_t port;
        } interdomain;
        uint32_t pirq;
        uint32_t virq;
    } u;
};
PVABI_SIZE(struct evtchn_status, 24);
PVABI_AT(struct evtchn_status, status, 8);
PVABI_AT(struct evtchn_status, u.interdomain.port, 20);

/* Where the port's upcalls go. */
struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};
PVABI_SIZE(struct evtchn_bind_vcpu, 8);

struct evtchn_unmask {
    evtchn_port_t port;
};
PVABI_SIZE(struct evtchn_unmask, 4);

/* Closes all ports of dom. */
struct evtchn_reset {
    domid_t dom;
};
PVABI_SIZE(struct evtchn_reset, 2);

/* Ports of the two-level layout: a bit each in shared_info. */
#define EVTCHN_2L_NR_CHANNELS 4096

/* FIFO layout: a control block for each virtual CPU, an event word for each port. Priority 0 is the
 * first to be served. */
#define EVTCHN_FIFO_PRIORITY_MAX     0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN     15
#define EVTCHN_FIFO_MAX_QUEUES       (EVTCHN_FIFO_PRIORITY_MIN + 1)

/* Bits of an event word; its low part links to the queue's next port. */
#define EVTCHN_FIFO_PENDING     31
#define EVTCHN_FIFO_MASKED      30
#define EVTCHN_FIFO_LINKED      29
#define EVTCHN_FIFO_BUSY        28
#define EVTCHN_FIFO_LINK_BITS   17
#define EVTCHN_FIFO_LINK_MASK   ((1 << EVTCHN_FIFO_LINK_BITS) - 1)
#define EVTCHN_FIFO_NR_CHANNELS (1 << EVTCHN_FIFO_LINK_BITS)

typedef uint32_t event_word_t;

struct evtchn_init_control {
    uint64_t control_gfn;
    uint32_t offset;
    uint32_t vcpu;
    uint8_t link_bits; /* out */
    uint8_t _pad[7];
};
PVABI_SIZE(struct evtchn_init_control, 24);
PVABI_AT(struct evtchn_init_control, link_bits, 16);

struct evtchn_expand_array {
    uint64_t array_gfn;
};
PVABI_SIZE(struct evtchn_expand_array, 8);

struct evtchn_set_priority {
    evtchn_port_t port;
    uint32_t priority;
};
PVABI_SIZE(struct evtchn_set_priority, 8);

struct evtchn_fifo_control_block {
    uint32_t ready; /* a bit for each queue that is not empty */
    uint32_t _rsvd;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};
PVABI_SIZE(struct evtchn_fifo_control_block, 72);

/* Argument of the old call, event_channel_op_compat. */
struct evtchn_op {
    uint32_t cmd;
    union {
        struct evtchn_alloc_unbound alloc_unbound;
        struct evtchn_bind_interdomain bind_interdomain;
        struct evtchn_bind_virq bind_virq;
        struct evtchn_bind_pirq bind_pirq;
        struct evtchn_bind_ipi bind_ipi;
        struct evtchn_close close;
        struct evtchn_send send;
        struct evtchn_status status;
        struct evtchn_bind_vcpu bind_vcpu;
        struct evtchn_unmask unmask;
    } u;
};
PVABI_SIZE(struct evtchn_op, 28);
PVABI_AT(struct evtchn_op, u, 4);

#endif
