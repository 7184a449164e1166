/* SPDX-License-Identifier: MIT */
/* Between the drivers of the bare machine: ports, interrupt lines, PCI. */
#ifndef MINOS_NATIVE_H
#define MINOS_NATIVE_H

#include "../kernel/machine.h"

static inline uint8_t in8(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t v;

    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

/* --- Interrupt lines (irq.c) --- */

typedef void irq_handler(void);

void irq_init(void);
/* Lines may be shared; then each handler is called. */
void irq_request(unsigned line, irq_handler *handler);
void irq_dispatch(unsigned line);

void cpu_init(void);   /* cpu.c: descriptors, trap gates, SYSCALL */
void clock_init(void); /* clock.c */
void uart_init(void);  /* uart.c */

/* --- PCI (pci.c) --- */

struct pci_device {
    uint16_t address; /* bus, device, function as in configuration mechanism 1 */
    uint16_t port;    /* BAR 0, an I/O port */
    uint8_t line;
};

/* The first device with these numbers; switched on for I/O and bus mastering. */
bool pci_find(uint16_t vendor, uint16_t device, struct pci_device *out);

void virtio_block_init(void);
void virtio_net_init(void);

#endif
