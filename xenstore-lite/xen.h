/* SPDX-License-Identifier: MIT */
/* The hypervisor, by Xen's libraries. */
#ifndef XSL_XEN_H
#define XSL_XEN_H

#include <event2/event.h>
#include "domain.h"

/* Opens everything, adds domain 0 by the page and port that its kernel shows, and says so to the
 * kernel, which waits for it. False, with the reason in the system's log, if this is no domain 0.
 */
bool xen_open(struct store *s);

/* Ports become events of the loop. */
bool xen_serve(struct event_base *base, struct store *s);

#endif
