/* SPDX-License-Identifier: MIT */
/* PCI configuration space: segment 0 through ports 0xcf8-0xcff, which the hardware domain uses too
 * and for which it therefore has an address register of its own here; other segments through the
 * windows that the firmware tells. */
#include <hv/init.h>

#include "acpi.h"
#include "irq.h"
#include "port.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u
#define CONFIG_BITS    0x80fffffcu
#define CONFIG_REGS    256 /* as many as MSI and MSI-X need, and the ports reach */

#define PCI_STATUS       0x06
#define PCI_STATUS_LIST  0x10
#define PCI_CAPABILITIES 0x34
#define CAPABILITIES_MAX 48

static uint32_t guest_address; /* lock: irq. What the hardware domain wrote to CONFIG_ADDRESS */

/* Registers of one function in its segment's window, NULL if that is not known. */
static volatile uint8_t *window(struct pci_address a)
{
    for (unsigned i = 0; i < acpi.mcfgs; i++) {
        const struct acpi_mcfg *m = &acpi.mcfg[i];

        if (m->segment == a.segment && a.bus >= m->first_bus && a.bus <= m->last_bus)
            return map_device(m->base + ((uint64_t)a.bus << 20) + ((uint64_t)a.devfn << 12), PAGE_SIZE);
    }
    return NULL;
}

static void select_register(struct pci_address a, unsigned reg)
{
    out32(CONFIG_ADDRESS,
          CONFIG_ENABLE | (uint32_t)a.bus << 16 | (uint32_t)a.devfn << 8 | (reg & 0xfc));
}

uint32_t pci_read(struct pci_address a, unsigned reg, unsigned bytes)
{
    volatile uint8_t *w;

    if (reg + bytes > CONFIG_REGS)
        return all_ones(bytes);
    if (!a.segment) {
        select_register(a, reg);
        return port_in(CONFIG_DATA + (reg & 3), bytes);
    }
    w = window(a);
    if (!w)
        return all_ones(bytes);
    switch (bytes) {
    case 1:
        return w[reg];
    case 2:
        return *(volatile uint16_t *)(w + reg);
    default:
        return *(volatile uint32_t *)(w + reg);
    }
}

void pci_write(struct pci_address a, unsigned reg, unsigned bytes, uint32_t value)
{
    volatile uint8_t *w;

    if (reg + bytes > CONFIG_REGS)
        return;
    if (!a.segment) {
        select_register(a, reg);
        port_out(CONFIG_DATA + (reg & 3), bytes, value);
        return;
    }
    w = window(a);
    if (!w)
        return;
    if (bytes == 4)
        *(volatile uint32_t *)(w + reg) = value;
    else
        *(volatile uint16_t *)(w + reg) = (uint16_t)value;
}

bool pci_present(struct pci_address a)
{
    return (pci_read(a, 0, 2) & 0xffff) != 0xffff;
}

unsigned pci_find_capability(struct pci_address a, uint8_t id)
{
    unsigned at;

    if (!pci_present(a) || !(pci_read(a, PCI_STATUS, 2) & PCI_STATUS_LIST))
        return 0;
    at = pci_read(a, PCI_CAPABILITIES, 1);
    for (unsigned i = 0; i < CAPABILITIES_MAX && at >= 0x40; i++) {
        uint32_t head;

        at &= 0xfc;
        head = pci_read(a, at, 2);
        if ((head & 0xff) == id)
            return at;
        at = head >> 8 & 0xff;
    }
    return 0;
}

static bool is_address_register(unsigned port, unsigned bytes)
{
    return port == CONFIG_ADDRESS && bytes == 4;
}

/* Narrower accesses below CONFIG_DATA are to other registers, such as reset control. */
uint32_t pci_port_read(unsigned port, unsigned bytes)
{
    if (is_address_register(port, bytes))
        return guest_address;
    if (port >= CONFIG_DATA)
        out32(CONFIG_ADDRESS, guest_address);
    return port_in(port, bytes);
}

void pci_port_write(unsigned port, unsigned bytes, uint32_t value)
{
    if (is_address_register(port, bytes)) {
        guest_address = value & CONFIG_BITS;
        return;
    }
    if (port >= CONFIG_DATA)
        out32(CONFIG_ADDRESS, guest_address);
    port_out(port, bytes, value);
}
