/* SPDX-License-Identifier: MIT */
/* Message-signalled interrupts. The hypervisor writes addresses, data and masks, dom0 only the
 * enable bits. dom0 could write the rest as well, or let any device write anywhere: without an
 * IOMMU the owner of the devices is trusted. */
#include <hv/domain.h>
#include <hv/init.h>
#include <hv/print.h>

#include "irq.h"

#define PCI_COMMAND        0x04
#define PCI_COMMAND_MEMORY 0x02
#define PCI_BAR(n)         (0x10 + 4 * (n))
#define BAR_IO             0x1
#define BAR_64BIT          0x4
#define BAR_ADDRESS        0xfffffff0u
#define BARS               6

#define MSI_CONTROL       2
#define MSI_CONTROL_COUNT 0x0070 /* log2 of the messages enabled */
#define MSI_CONTROL_64BIT 0x0080
#define MSI_CONTROL_MASK  0x0100
#define MSI_ADDRESS       4
#define MSIX_CONTROL_LAST 0x07ff
#define MSIX_TABLE        4 /* BAR number in bits 0-2, offset */
#define MSIX_ENTRY_SIZE   16
enum { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL };
#define ENTRY_MASKED 1u

/* Machine address in a memory BAR; 0: there is none, as with virtual functions. */
static uint64_t bar_address(struct pci_address a, unsigned bar)
{
    uint64_t v = pci_read(a, PCI_BAR(bar), 4);

    if (v & BAR_IO)
        return 0;
    if ((v & BAR_64BIT) && bar + 1 < BARS)
        v |= (uint64_t)pci_read(a, PCI_BAR(bar + 1), 4) << 32;
    return v & ~(uint64_t)(uint32_t)~BAR_ADDRESS;
}

static bool may_be_device_memory(uint64_t maddr)
{
    mfn_t m = mfn(maddr >> PAGE_SHIFT);

    return !mmio_is_forbidden(hardware_domain, m.n) &&
           (!mfn_valid(m) || mfn_frame(m)->owner == &dom_io);
}

static int msix_open(struct msi *m, uint64_t table_base)
{
    uint32_t last = pci_read(m->device, m->capability + MSI_CONTROL, 2) & MSIX_CONTROL_LAST;
    uint32_t table = pci_read(m->device, m->capability + MSIX_TABLE, 4);
    uint64_t base = bar_address(m->device, table & 7), maddr;

    if (m->entry > last)
        return refuse(-XEN_EINVAL, "MSI-X entry %u of device %02x:%02x: the table has %u entries",
                      m->entry, m->device.bus, m->device.devfn, last + 1);
    if (!(pci_read(m->device, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
        return refuse(
            -XEN_ENXIO,
            "MSI-X of device %02x:%02x: its memory is not enabled in the command register",
            m->device.bus, m->device.devfn);
    maddr = (base ? base : table_base) + (table & ~7u) + (uint64_t)m->entry * MSIX_ENTRY_SIZE;
    if (!may_be_device_memory(maddr))
        return refuse(-XEN_EPERM,
                      "MSI-X table of device %02x:%02x at %#lx: that is no device's memory",
                      m->device.bus, m->device.devfn, maddr);
    m->table = map_device(maddr, MSIX_ENTRY_SIZE);
    return m->table ? 0 : -XEN_ENOMEM;
}

int msi_open(struct msi *m, uint64_t table_base)
{
    uint32_t control;

    m->capability = (uint8_t)pci_find_capability(m->device, m->msix ? PCI_CAP_MSIX : PCI_CAP_MSI);
    if (!m->capability)
        return refuse(-XEN_ENODEV, "device %04x:%02x:%02x does not exist or has no %s capability",
                      m->device.segment, m->device.bus, m->device.devfn, m->msix ? "MSI-X" : "MSI");
    if (m->msix)
        return msix_open(m, table_base);
    control = pci_read(m->device, m->capability + MSI_CONTROL, 2);
    m->mask_at = 0;
    if (control & MSI_CONTROL_MASK)
        m->mask_at = (uint8_t)(m->capability + (control & MSI_CONTROL_64BIT ? 0x10 : 0x0c));
    return 0;
}

static void msi_program_config(const struct msi *m, uint32_t address, uint8_t vector)
{
    uint32_t control = pci_read(m->device, m->capability + MSI_CONTROL, 2);
    unsigned at = m->capability + MSI_ADDRESS;

    pci_write(m->device, at, 4, address);
    if (control & MSI_CONTROL_64BIT) {
        at += 4;
        pci_write(m->device, at, 4, 0);
    }
    pci_write(m->device, at + 4, 2, vector);
    pci_write(m->device, m->capability + MSI_CONTROL, 2, control & ~(uint32_t)MSI_CONTROL_COUNT);
}

/* Edge-triggered, fixed delivery to one CPU. */
void msi_program(const struct msi *m, uint8_t vector)
{
    uint32_t address = APIC_MSG_ADDRESS | irq_destination() << 12;

    msi_set_mask(m, true);
    if (!m->msix) {
        msi_program_config(m, address, vector);
        return;
    }
    m->table[ENTRY_ADDRESS] = address;
    m->table[ENTRY_ADDRESS_HIGH] = 0;
    m->table[ENTRY_DATA] = vector;
}

void msi_set_mask(const struct msi *m, bool masked)
{
    if (m->msix)
        m->table[ENTRY_CONTROL] = masked ? ENTRY_MASKED : 0;
    else if (m->mask_at)
        pci_write(m->device, m->mask_at, 4, masked); /* the first of its messages */
}
