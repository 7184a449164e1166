/* SPDX-License-Identifier: MIT */
/* Two-level event channels of one vCPU: handlers, masks, and the upcall's work. */
#ifndef PVGUEST_EVENT_H
#define PVGUEST_EVENT_H

#include <pvguest/hypercall.h>
#include <pvguest/start.h>

#define PV_EVENT_PORTS 4096

typedef void pv_event_handler(unsigned port);

pv_inline bool pv_events_off(void)
{
    volatile uint8_t *mask = &pv_vcpu_info->evtchn_upcall_mask;
    bool were_off = *mask;

    *mask = 1;
    pv_barrier();
    return were_off;
}
/* Lets upcalls in; a cheap hypercall delivers what came meanwhile. */
void pv_events_on(void);

void pv_event_set(unsigned port, pv_event_handler *handler);
void pv_event_mask(unsigned port);
void pv_event_unmask(unsigned port);
bool pv_event_pending(unsigned port);
void pv_event_clear(unsigned port);
/* Called by the upcall: every pending, unmasked port's handler once. */
void pv_event_dispatch(void);

/* Negative: the refusal. */
long pv_event_bind_ipi(void);
long pv_event_bind_virq(unsigned virq);
long pv_event_alloc_unbound(unsigned remote);
long pv_event_bind_interdomain(unsigned remote, unsigned port);
long pv_event_send(unsigned port);
long pv_event_close(unsigned port);

#endif
