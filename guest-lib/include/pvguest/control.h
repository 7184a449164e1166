/* SPDX-License-Identifier: MIT */
/* What the toolstack asks of the domain, and the domain's end with a status. */
#ifndef PVGUEST_CONTROL_H
#define PVGUEST_CONTROL_H

#include <pvguest/start.h>

/* Calls `asked` from the upcall with "poweroff", "reboot", "halt" or "suspend" when the toolstack
 * writes that to control/shutdown; it has been acknowledged by then. For "suspend" the guest brings
 * its devices to rest and calls pv_suspend. Negative: there is no store. */
long pv_control_init(void (*asked)(const char *request));

/* Stops until the domain is resumed; 1 when the suspend was cancelled, so that nothing has changed.
 */
long pv_suspend(void);

/* Powers off. The status is left in data/exit-status, where pvctl finds it. */
void pv_exit(int status) __attribute__((noreturn));

#endif
