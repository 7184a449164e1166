/* SPDX-License-Identifier: MIT */
/* Interrupts: vectors, and the pirqs by which the hardware domain names its devices' interrupts. */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/types.h>

#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xdf
#define VECTOR_TIMER        0xf0 /* local APIC timer */
#define VECTOR_UART         0xf1
#define VECTOR_FLUSH        0xfb /* IPI: serve flush_requested */
#define VECTOR_RESCHEDULE   0xfc /* IPI: look at your run queue and work */
#define VECTOR_ERROR        0xfe
#define VECTOR_SPURIOUS     0xff

/* Called by entry code for vectors 0x20-0xff, interrupts off (dev/irq.c). */
void irq_handle(unsigned vector);
void timer_interrupt(void); /* dev/timer.c */

/* Local APIC (dev/apic.c). */
void apic_eoi(void);
void apic_timer_set(uint64_t deadline_ns); /* ~0: none; past: at once */
void apic_send_ipi(unsigned cpu, unsigned vector);
unsigned apic_id(void);

#define NR_PIRQS 256

/* The hardware domain's pirqs (dev/pirq.c), called by dom/event_bind.c with its event lock held. */
int pirq_bind(unsigned pirq);
void pirq_unbind(unsigned pirq);
/* The frame of its EOI page, which the hypervisor holds as writable, for the auditor; or INVALID_MFN. */
mfn_t pirq_eoi_frame(void);
/* EVTCHNOP_unmask and close of a pirq's port need nothing; PHYSDEVOP_eoi reopens a level interrupt. */

#endif
