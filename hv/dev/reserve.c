/* SPDX-License-Identifier: MIT */
/* What of the machine stays the hypervisor's, and guests' use of I/O ports.
 * The HPET is not kept: after boot nothing here depends on it, and a dom0 that may not map it would
 * fault on it. */
#include <hv/cpu.h>
#include <hv/dev.h>
#include <hv/print.h>

#include "acpi.h"
#include "irq.h"
#include "port.h"

#define APIC_RANGE_FRAMES 0x100 /* where messages are sent to */

#define PIT_CHANNEL_2    0x42
#define PCI_CONFIG_FIRST 0xcf8
#define PCI_CONFIG_LAST  0xcff

static const struct port_range {
    uint16_t first, last;
} kept[] = {
    {0x20, 0x21}, /* 8259s: masked for good */
    {0x40, 0x43}, /* PIT: guests that calibrate by it learn the rate of the TSC from us */
    {0x61, 0x61}, /* its gate */
    {0xa0, 0xa1}, {0x3f8, 0x3ff}, /* COM1 */
};

static void forbid(struct domain *d, uint64_t first, uint64_t last)
{
    unsigned n = d->mmio_forbidden_count;

    if (n == ARRAY_SIZE(d->mmio_forbidden))
        panic("more than %u I/O APICs", n - 1);
    d->mmio_forbidden[n][0] = first;
    d->mmio_forbidden[n][1] = last;
    d->mmio_forbidden_count++;
}

void devices_forbid_mmio(struct domain *d)
{
    uint64_t lapic = acpi.lapic_maddr >> PAGE_SHIFT;

    forbid(d, lapic, lapic + APIC_RANGE_FRAMES - 1);
    for (unsigned i = 0; i < acpi.ioapics; i++)
        forbid(d, acpi.ioapic[i].maddr >> PAGE_SHIFT, acpi.ioapic[i].maddr >> PAGE_SHIFT);
}

static bool is_kept(unsigned port, unsigned bytes)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        if (port <= kept[i].last && port + bytes > kept[i].first)
            return true;
    }
    return false;
}

static bool is_pci_config(unsigned port)
{
    return port >= PCI_CONFIG_FIRST && port <= PCI_CONFIG_LAST;
}

uint32_t guest_port_read(const struct domain *d, unsigned port, unsigned bytes)
{
    uint32_t value;

    if (!d->is_hardware || is_kept(port, bytes)) {
        /* Linux measures the TSC by waiting, for long, that the counter's high byte is no longer
         * all ones. */
        return port == PIT_CHANNEL_2 ? 0 : all_ones(bytes);
    }
    if (!is_pci_config(port))
        return port_in(port, bytes);
    lock(&irq_lock);
    value = pci_port_read(port, bytes);
    unlock(&irq_lock);
    return value;
}

void guest_port_write(const struct domain *d, unsigned port, unsigned bytes, uint32_t value)
{
    if (!d->is_hardware || is_kept(port, bytes))
        return;
    if (!is_pci_config(port)) {
        port_out(port, bytes, value);
        return;
    }
    lock(&irq_lock);
    pci_port_write(port, bytes, value);
    unlock(&irq_lock);
}
