/* SPDX-License-Identifier: MIT */
/* What the firmware's tables say of the machine, as far as the hypervisor drives it. */
#ifndef HV_DEV_ACPI_H
#define HV_DEV_ACPI_H

#include <hv/types.h>

#define ACPI_MAX_CPUS    256
#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_MCFGS   8
#define ISA_IRQS         16

struct acpi_cpu {
    uint32_t apic_id, acpi_id;
};

struct acpi_ioapic {
    uint64_t maddr;
    uint32_t gsi_base;
    uint8_t id;
};

/* Where an ISA interrupt arrives. */
struct acpi_isa_irq {
    uint32_t gsi;
    bool level, low;
};

/* Memory-mapped PCI configuration space of buses first..last; base is that of bus 0. */
struct acpi_mcfg {
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

/* A register of the FADT; maddr 0: there is none. */
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO     1
struct acpi_register {
    uint8_t space;
    uint64_t maddr;
};

struct acpi {
    uint64_t lapic_maddr;
    unsigned cpus, ioapics, mcfgs;
    struct acpi_cpu cpu[ACPI_MAX_CPUS]; /* usable ones */
    struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
    struct acpi_isa_irq isa[ISA_IRQS];
    struct acpi_mcfg mcfg[ACPI_MAX_MCFGS];
    uint8_t nmi_pins; /* bit n: NMI arrives at LINTn */
    uint16_t sci;
    uint16_t pm1a_control, pm1b_control; /* ports; 0: none */
    uint16_t pm_timer;                   /* port; 0: none */
    bool pm_timer_32bit;
    struct acpi_register reset;
    uint8_t reset_value;
    uint64_t hpet; /* machine address; 0: none */
    uint64_t dsdt;
};
extern struct acpi acpi;

/* SLP_TYP values of \_S5 for PM1a and PM1b, from the DSDT. False: not found. */
bool acpi_find_s5(uint8_t type[2]);
/* The same in a piece of AML (dev/aml.c). */
bool aml_find_s5(const uint8_t *aml, size_t size, uint8_t type[2]);

#endif
