/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sched_op(cmd, arg): giving the CPU away, and ending. */
#ifndef PVABI_SCHED_H
#define PVABI_SCHED_H

#include <pvabi/base.h>

#define SCHEDOP_yield           0
#define SCHEDOP_block           1 /* unmasks events, then sleeps until one is pending */
#define SCHEDOP_shutdown        2
#define SCHEDOP_poll            3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code   5 /* struct sched_shutdown: sets the reason without stopping */
#define SCHEDOP_watchdog        6
#define SCHEDOP_pin_override    7

#define SHUTDOWN_poweroff   0
#define SHUTDOWN_reboot     1
#define SHUTDOWN_suspend    2
#define SHUTDOWN_crash      3
#define SHUTDOWN_watchdog   4
#define SHUTDOWN_soft_reset 5
#define SHUTDOWN_MAX        5

struct sched_shutdown {
    uint32_t reason; /* SHUTDOWN_* */
};
PVABI_SIZE(struct sched_shutdown, 4);

/* Sleeps, events masked, until one of the ports is pending or the time has come. */
struct sched_poll {
    xen_guest_ptr_t ports; /* of evtchn_port_t */
    uint32_t nr_ports;
    uint64_t timeout; /* system time, ns; 0: none */
};
PVABI_SIZE(struct sched_poll, 24);
PVABI_AT(struct sched_poll, timeout, 16);

struct sched_remote_shutdown {
    domid_t domain_id;
    uint32_t reason;
};
PVABI_SIZE(struct sched_remote_shutdown, 8);

struct sched_watchdog {
    uint32_t id;      /* 0: a new one, returned */
    uint32_t timeout; /* seconds; 0: stop */
};
PVABI_SIZE(struct sched_watchdog, 8);

/* Ties the virtual CPU to a physical one, for firmware that must be called there. */
struct sched_pin_override {
    int32_t pcpu; /* negative: ends that */
};
PVABI_SIZE(struct sched_pin_override, 4);

#endif
