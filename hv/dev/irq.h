/* SPDX-License-Identifier: MIT */
/* Interrupt plumbing inside hv/dev: vectors, I/O APIC lines, messages, PCI configuration space.
 * One lock for all of it: devices' interrupts are set up rarely, and the controllers' registers
 * need it anyway. */
#ifndef HV_DEV_IRQ_H
#define HV_DEV_IRQ_H

#include <hv/irq.h>
#include <hv/lock.h>

extern struct spinlock irq_lock; /* RANK_IRQ */

/* Vectors (dev/irq.c); irq_lock is held. */
uint8_t vector_alloc(void (*fn)(unsigned arg), unsigned arg); /* 0: none left */
void vector_free(uint8_t vector);
void uart_interrupt(unsigned arg); /* dev/uart.c */

/* Local APIC of the CPU that runs (dev/apic.c). */
#define APIC_MSG_ADDRESS 0xfee00000u
/* The APIC timer's rate is measured by letting it run beside a known clock. */
void apic_timer_start(void);
uint32_t apic_timer_elapsed(void);
void apic_timer_rate(uint64_t apic_hz, uint64_t tsc_hz);

/* I/O APICs (dev/ioapic.c); irq_lock is held. A line ("global system interrupt") starts masked. */
#define GSI_MAX 256
unsigned gsi_count(void);
bool gsi_valid(unsigned gsi);
bool gsi_is_level(unsigned gsi);
void gsi_set_trigger(unsigned gsi, bool level, bool low); /* masked lines only */
bool gsi_route(unsigned gsi, uint8_t vector); /* leaves it masked. False: it is in use */
void gsi_release(unsigned gsi);
bool gsi_routed(unsigned gsi);
void gsi_mask(unsigned gsi);
void gsi_unmask(unsigned gsi);
unsigned isa_gsi(unsigned isa_irq);
uint32_t
irq_destination(void); /* APIC id of the CPU that takes devices' interrupts: the one that booted */
/* A register of the I/O APIC at maddr. False: there is none. */
bool ioapic_register(uint64_t maddr, unsigned reg, uint32_t *value);

/* PCI configuration space (dev/pci.c); irq_lock is held. */
struct pci_address {
    uint16_t segment;
    uint8_t bus, devfn;
};
uint32_t pci_read(struct pci_address a, unsigned reg, unsigned bytes); /* all ones: nothing there */
void pci_write(struct pci_address a, unsigned reg, unsigned bytes,
               uint32_t value); /* 2 or 4 bytes */
bool pci_present(struct pci_address a);
#define PCI_CAP_MSI  0x05
#define PCI_CAP_MSIX 0x11
unsigned pci_find_capability(struct pci_address a, uint8_t id); /* 0: none */
/* The hardware domain's own use of ports 0xcf8-0xcff. */
uint32_t pci_port_read(unsigned port, unsigned bytes);
void pci_port_write(unsigned port, unsigned bytes, uint32_t value);

/* Message-signalled interrupts (dev/msi.c); irq_lock is held. */
struct msi {
    struct pci_address device;
    bool msix;
    uint16_t entry;           /* MSI-X */
    uint8_t capability;       /* place in configuration space */
    uint8_t mask_at;          /* MSI: place of the mask register; 0: none */
    volatile uint32_t *table; /* MSI-X: the entry */
};
/* Finds the capability, checks the entry and maps it. table_base: as the guest sees the BAR that
 * holds the table. */
int msi_open(struct msi *m, uint64_t table_base);
void msi_program(const struct msi *m, uint8_t vector); /* leaves it masked where that can be said */
void msi_set_mask(const struct msi *m, bool masked);

/* pirqs (dev/pirq.c); irq_lock is held, but not for pirq_eoi_page(). Line n is pirq n; messages take numbers above the
 * lines. */
struct physdev_map_pirq;
int pirq_map(struct physdev_map_pirq *map);
int pirq_unmap(int pirq);
int pirq_eoi(unsigned pirq);
int pirq_status(unsigned pirq, uint32_t *flags);
int pirq_setup_line(int gsi, bool level, bool low);
unsigned pirq_free_number(void); /* the highest that is free and no line's; 0: none */
int pirq_eoi_page(struct domain *d, uint64_t gmfn);
/* After the device lost its settings: writes its messages again. */
void pirq_restore_messages(struct pci_address a);

#endif
