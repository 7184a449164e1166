/* SPDX-License-Identifier: MIT */
/* Time: the pvclock of the first virtual CPU, the wall clock, and one-shot timers. */
#ifndef PVGUEST_TIME_H
#define PVGUEST_TIME_H

#include <pvguest/event.h>

#define PV_SECOND 1000000000ul

/* Nanoseconds of system time: those since the machine, or the domain, was started. */
uint64_t pv_time(void);
/* Nanoseconds since 1970 at this moment. */
uint64_t pv_wall_time(void);

/* Binds the timer's interrupt to a handler, which runs when a deadline has passed. Stops the 10 ms
 * tick that a virtual CPU may have been started with. Negative: the refusal. */
long pv_timer_init(pv_event_handler *handler);
/* One deadline at a time, in system time; a past one fires at once, 0 cancels. */
long pv_timer_set(uint64_t deadline);
/* Blocks until an event comes, by which time it has been handled; events are on meanwhile only. */
void pv_idle(void);

#endif
