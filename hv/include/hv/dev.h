/* SPDX-License-Identifier: MIT */
/* Devices: what the hypervisor keeps for itself, and what the rest of it may ask of hv/dev. */
#ifndef HV_DEV_H
#define HV_DEV_H

#include <hv/types.h>

/* Frames of interrupt controllers: nobody may map them. Fills d->mmio_forbidden. (dev/reserve.c) */
void devices_forbid_mmio(struct domain *d);
/* IN and OUT of 1, 2 or 4 bytes by a guest that may use ports (I/O privilege level or bitmap): the
 * hardware domain gets the device; other domains and forbidden ports read all ones, and what is
 * written is dropped. */
uint32_t guest_port_read(const struct domain *d, unsigned port, unsigned bytes);
void guest_port_write(const struct domain *d, unsigned port, unsigned bytes, uint32_t value);

/* What was typed at the console since the last call. (dev/uart.c) */
size_t uart_read(char *buf, size_t size);

/* ACPI's number of the processor with that local APIC; ~0: it knows none. (dev/acpi.c) */
uint32_t firmware_acpi_id(uint32_t apic_id);

/* SLP_TYP fields by which dom0's AML interpreter wants S5 entered. (dev/power.c) */
void power_sleep_values(uint16_t pm1a_control, uint16_t pm1b_control);

#endif
