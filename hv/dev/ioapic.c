/* SPDX-License-Identifier: MIT */
/* I/O APICs: the lines of devices that do not send messages. A level line is masked from its
 * interrupt until the guest has served all devices on it, so the local APIC can be told at once
 * that the interrupt is over. */
#include <hv/init.h>
#include <hv/print.h>

#include "acpi.h"
#include "irq.h"

#define IOAPIC_VERSION 0x01 /* bits 16-23: number of the last pin */
#define IOAPIC_ROUTE   0x10 /* two registers a pin */
#define IOAPIC_WINDOW  4    /* index of the data register; 0 selects */
#define IOAPIC_REGS    0x100

#define ROUTE_LOW     (1u << 13)
#define ROUTE_LEVEL   (1u << 15)
#define ROUTE_MASKED  (1u << 16)
#define ROUTE_CPU(id) ((id) << 24)

struct line {
    volatile uint32_t *regs; /* of its I/O APIC; NULL: there is no such line */
    uint8_t pin;
    uint32_t route; /* low half of its routing register */
};

static struct line lines[GSI_MAX]; /* lock: irq */
static unsigned line_count;
static uint32_t destination;

static uint32_t ioapic_read(volatile uint32_t *regs, unsigned reg)
{
    regs[0] = reg;
    return regs[IOAPIC_WINDOW];
}

static void ioapic_write(volatile uint32_t *regs, unsigned reg, uint32_t v)
{
    regs[0] = reg;
    regs[IOAPIC_WINDOW] = v;
}

static void line_write(struct line *l, uint32_t route)
{
    l->route = route;
    ioapic_write(l->regs, IOAPIC_ROUTE + 2u * l->pin, route);
}

static void line_set_trigger(struct line *l, bool level, bool low)
{
    line_write(l, (l->route & ~(ROUTE_LEVEL | ROUTE_LOW)) | (level ? ROUTE_LEVEL : 0) |
                      (low ? ROUTE_LOW : 0));
}

static void ioapic_init_one(const struct acpi_ioapic *a)
{
    volatile uint32_t *regs = (volatile uint32_t *)map_device(a->maddr, PAGE_SIZE);
    uint32_t version = regs ? ioapic_read(regs, IOAPIC_VERSION) : ~0u;
    unsigned pins = (version >> 16 & 0xff) + 1;

    if (version == ~0u) {
        printk(LOG_WARN, "I/O APIC %u does not answer at %#lx", a->id, a->maddr);
        return;
    }
    for (unsigned pin = 0; pin < pins && a->gsi_base + pin < GSI_MAX; pin++) {
        struct line *l = &lines[a->gsi_base + pin];
        bool pci = a->gsi_base + pin >= ISA_IRQS;

        l->regs = regs;
        l->pin = (uint8_t)pin;
        line_write(l, ROUTE_MASKED | (pci ? ROUTE_LEVEL | ROUTE_LOW : 0));
        line_count = MAX(line_count, a->gsi_base + pin + 1);
    }
}

void ioapic_init(void)
{
    bool sci_told = false;

    destination = apic_id();
    for (unsigned i = 0; i < acpi.ioapics; i++) {
        if (acpi.ioapic[i].gsi_base < GSI_MAX)
            ioapic_init_one(&acpi.ioapic[i]);
    }
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        const struct acpi_isa_irq *isa = &acpi.isa[i];

        if (gsi_valid(isa->gsi) && (isa->level || isa->low)) /* others are as they should be */
            line_set_trigger(&lines[isa->gsi], isa->level, isa->low);
        sci_told |= i == acpi.sci && (isa->level || isa->low);
    }
    if (!sci_told && gsi_valid(acpi.sci))
        line_set_trigger(&lines[acpi.sci], true, true);
}

uint32_t irq_destination(void)
{
    return destination;
}

unsigned gsi_count(void)
{
    return line_count;
}

bool gsi_valid(unsigned gsi)
{
    return gsi < line_count && lines[gsi].regs;
}

bool gsi_is_level(unsigned gsi)
{
    return lines[gsi].route & ROUTE_LEVEL;
}

void gsi_set_trigger(unsigned gsi, bool level, bool low)
{
    line_set_trigger(&lines[gsi], level, low);
}

bool gsi_routed(unsigned gsi)
{
    return lines[gsi].route & 0xff;
}

bool gsi_route(unsigned gsi, uint8_t vector)
{
    struct line *l = &lines[gsi];

    if (gsi_routed(gsi))
        return false;
    ioapic_write(l->regs, IOAPIC_ROUTE + 2u * l->pin + 1, ROUTE_CPU(irq_destination()));
    line_write(l, l->route | ROUTE_MASKED | vector);
    return true;
}

void gsi_release(unsigned gsi)
{
    line_write(&lines[gsi], (lines[gsi].route & ~0xffu) | ROUTE_MASKED);
}

void gsi_mask(unsigned gsi)
{
    line_write(&lines[gsi], lines[gsi].route | ROUTE_MASKED);
}

void gsi_unmask(unsigned gsi)
{
    line_write(&lines[gsi], lines[gsi].route & ~ROUTE_MASKED);
}

unsigned isa_gsi(unsigned isa_irq)
{
    return acpi.isa[isa_irq].gsi;
}

bool ioapic_register(uint64_t maddr, unsigned reg, uint32_t *value)
{
    for (unsigned i = 0; i < acpi.ioapics; i++) {
        if (acpi.ioapic[i].maddr == maddr && gsi_valid(acpi.ioapic[i].gsi_base) &&
            reg < IOAPIC_REGS) {
            *value = ioapic_read(lines[acpi.ioapic[i].gsi_base].regs, reg);
            return true;
        }
    }
    return false;
}
