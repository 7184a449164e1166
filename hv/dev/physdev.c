/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_physdev_op: one row for each operation. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <pvabi/physdev.h>

#include "acpi.h"
#include "irq.h"

#define IO_PORTS 65536

union physdev_arg {
    struct physdev_eoi eoi;
    struct physdev_irq_status_query status;
    struct physdev_set_iopl iopl;
    struct physdev_set_iobitmap iobitmap;
    struct physdev_apic apic;
    struct physdev_irq irq;
    struct physdev_map_pirq map;
    struct physdev_unmap_pirq unmap;
    struct physdev_manage_pci pci_old; /* restore_msi has the same form */
    struct physdev_manage_pci_ext pci_ext;
    struct physdev_pirq_eoi_gmfn eoi_page;
    struct physdev_setup_gsi gsi;
    struct physdev_get_free_pirq free_pirq;
    struct physdev_pci_mmcfg_reserved mmcfg;
    struct physdev_pci_device_add pci_add;
    struct physdev_pci_device pci;
    struct physdev_dbgp_op dbgp;
};

static int op_eoi(struct domain *d, union physdev_arg *a)
{
    return pirq_eoi(a->eoi.irq);
}

static int op_irq_status_query(struct domain *d, union physdev_arg *a)
{
    return pirq_status(a->status.irq, &a->status.flags);
}

static int op_set_iopl(struct domain *d, union physdev_arg *a)
{
    if (a->iopl.iopl > 3)
        return refuse(-XEN_EINVAL, "set_iopl: level %u, 0 to 3 would be right", a->iopl.iopl);
    current->iopl = (uint8_t)a->iopl.iopl;
    return 0;
}

/* A set bit forbids a port. The bitmap is looked at when a port is used: it may lie anywhere. */
static int op_set_iobitmap(struct domain *d, union physdev_arg *a)
{
    if (a->iobitmap.nr_ports > IO_PORTS ||
        !guest_range_ok(a->iobitmap.bitmap, a->iobitmap.nr_ports / 8 + 1))
        return refuse(-XEN_EINVAL,
                      "set_iobitmap: %u ports at %#lx, at most %u in guest memory would be right",
                      a->iobitmap.nr_ports, a->iobitmap.bitmap, IO_PORTS);
    current->iobmp_va = a->iobitmap.bitmap;
    current->iobmp_bits = a->iobitmap.nr_ports;
    return 0;
}

static int op_apic_read(struct domain *d, union physdev_arg *a)
{
    if (ioapic_register(a->apic.apic_physbase, a->apic.reg, &a->apic.value))
        return 0;
    return refuse(-XEN_EINVAL, "apic_read: no I/O APIC register %#x at %#lx", a->apic.reg,
                  a->apic.apic_physbase);
}

static int op_apic_write(struct domain *d, union physdev_arg *a)
{
    return refuse(-XEN_EPERM,
                  "apic_write of register %#x at %#lx: PHYSDEVOP_setup_gsi would be right",
                  a->apic.reg, a->apic.apic_physbase);
}

/* The vector is the hypervisor's affair; callers only want to hear that there is one. */
static int op_alloc_irq_vector(struct domain *d, union physdev_arg *a)
{
    if (!gsi_valid(a->irq.irq))
        return refuse(-XEN_EINVAL, "alloc_irq_vector: interrupt line %u does not exist",
                      a->irq.irq);
    a->irq.vector = a->irq.irq;
    return 0;
}

static int check_owner(const struct domain *d, domid_t id)
{
    if (id == DOMID_SELF || id == d->id)
        return 0;
    return refuse(-XEN_ESRCH, "a pirq for domain %u: devices are the hardware domain's", id);
}

static int op_map_pirq(struct domain *d, union physdev_arg *a)
{
    int err = check_owner(d, a->map.domid);

    return err ? err : pirq_map(&a->map);
}

static int op_unmap_pirq(struct domain *d, union physdev_arg *a)
{
    int err = check_owner(d, a->unmap.domid);

    return err ? err : pirq_unmap(a->unmap.pirq);
}

static int op_pirq_eoi_gmfn(struct domain *d, union physdev_arg *a)
{
    return pirq_eoi_page(d, a->eoi_page.gmfn);
}

static int op_setup_gsi(struct domain *d, union physdev_arg *a)
{
    return pirq_setup_line(a->gsi.gsi, a->gsi.triggering, a->gsi.polarity);
}

static int op_get_free_pirq(struct domain *d, union physdev_arg *a)
{
    a->free_pirq.pirq = pirq_free_number();
    return a->free_pirq.pirq ? 0 : -XEN_ENOSPC;
}

/* dom0 found the window reserved. It is used as the firmware told, so the two should agree. */
static int op_pci_mmcfg_reserved(struct domain *d, union physdev_arg *a)
{
    for (unsigned i = 0; i < acpi.mcfgs; i++) {
        if (acpi.mcfg[i].base == a->mmcfg.address && acpi.mcfg[i].segment == a->mmcfg.segment)
            return 0;
    }
    return refuse(-XEN_ENODEV,
                  "PCI configuration window at %#lx, segment %u, is not in ACPI's MCFG table",
                  a->mmcfg.address, a->mmcfg.segment);
}

static int require_device(struct pci_address pci)
{
    if (pci_present(pci))
        return 0;
    return refuse(-XEN_ENODEV, "there is no PCI device %04x:%02x:%02x", pci.segment, pci.bus,
                  pci.devfn);
}

/* Nothing is kept of devices, as all are dom0's; but a device that does not answer cannot have
 * interrupts either. All forms of naming one begin alike, those with a segment and those without. */
static int op_pci_device_add(struct domain *d, union physdev_arg *a)
{
    return require_device((struct pci_address){a->pci.seg, a->pci.bus, a->pci.devfn});
}

static int op_manage_pci_add(struct domain *d, union physdev_arg *a)
{
    return require_device((struct pci_address){0, a->pci_old.bus, a->pci_old.devfn});
}

static int op_nothing(struct domain *d, union physdev_arg *a)
{
    return 0;
}

static int op_restore_msi(struct domain *d, union physdev_arg *a)
{
    pirq_restore_messages((struct pci_address){0, a->pci_old.bus, a->pci_old.devfn});
    return 0;
}

static int op_restore_msi_ext(struct domain *d, union physdev_arg *a)
{
    pirq_restore_messages((struct pci_address){a->pci.seg, a->pci.bus, a->pci.devfn});
    return 0;
}

/* No row, hence -XEN_ENOSYS: pirq_eoi_gmfn_v1, whose callers do without, and what no kernel of
 * today asks for. */
enum { IN = 0, IN_OUT = 1, ANY_DOMAIN = 2, UNLOCKED = 4 };
#define ROW(op, fn, type, how) [PHYSDEVOP_##op] = {fn, sizeof(struct physdev_##type), how}

static const struct physdev_row {
    int (*fn)(struct domain *d, union physdev_arg *a);
    uint8_t size;
    uint8_t how;
} rows[] = {
    ROW(irq_status_query, op_irq_status_query, irq_status_query, IN_OUT),
    ROW(set_iopl, op_set_iopl, set_iopl, UNLOCKED | ANY_DOMAIN),
    ROW(set_iobitmap, op_set_iobitmap, set_iobitmap, UNLOCKED | ANY_DOMAIN),
    ROW(apic_read, op_apic_read, apic, IN_OUT),
    ROW(apic_write, op_apic_write, apic, IN),
    ROW(alloc_irq_vector, op_alloc_irq_vector, irq, IN_OUT),
    ROW(free_irq_vector, op_nothing, irq, IN),
    ROW(eoi, op_eoi, eoi, IN),
    ROW(map_pirq, op_map_pirq, map_pirq, IN_OUT),
    ROW(unmap_pirq, op_unmap_pirq, unmap_pirq, IN),
    ROW(manage_pci_add, op_manage_pci_add, manage_pci, IN),
    ROW(manage_pci_remove, op_nothing, manage_pci, IN),
    ROW(manage_pci_add_ext, op_manage_pci_add, manage_pci_ext, IN),
    ROW(restore_msi, op_restore_msi, restore_msi, IN),
    ROW(setup_gsi, op_setup_gsi, setup_gsi, IN),
    ROW(get_free_pirq, op_get_free_pirq, get_free_pirq, IN_OUT),
    ROW(pci_mmcfg_reserved, op_pci_mmcfg_reserved, pci_mmcfg_reserved, IN),
    ROW(pci_device_add, op_pci_device_add, pci_device_add, IN),
    ROW(pci_device_remove, op_nothing, pci_device, IN),
    ROW(restore_msi_ext, op_restore_msi_ext, pci_device, IN),
    ROW(pirq_eoi_gmfn_v2, op_pirq_eoi_gmfn, pirq_eoi_gmfn, UNLOCKED),
    ROW(dbgp_op, op_nothing, dbgp_op, IN),
    ROW(prepare_msix, op_pci_device_add, pci_device, IN),
    ROW(release_msix, op_nothing, pci_device, IN),
};

long do_physdev_op(uint64_t cmd, uint64_t arg)
{
    const struct physdev_row *row = &rows[cmd < ARRAY_SIZE(rows) ? cmd : 0];
    struct domain *d = current->domain;
    union physdev_arg a;
    int err;

    if (!row->fn)
        return -XEN_ENOSYS;
    if (!d->is_hardware && !(row->how & ANY_DOMAIN))
        return refuse(-XEN_EPERM, "physdev operation %lu: only the hardware domain may", cmd);
    if (copy_from_guest(&a, arg, row->size))
        return refuse(-XEN_EFAULT, "physdev operation %lu: no argument at %#lx", cmd, arg);
    if (!(row->how & UNLOCKED))
        lock(&irq_lock);
    err = row->fn(d, &a);
    if (!(row->how & UNLOCKED))
        unlock(&irq_lock);
    if (!err && (row->how & IN_OUT) && copy_to_guest(arg, &a, row->size))
        return refuse(-XEN_EFAULT, "physdev operation %lu: its result cannot be written at %#lx",
                      cmd, arg);
    return err;
}

long do_physdev_op_compat(uint64_t arg)
{
    uint32_t cmd;

    if (get_guest(&cmd, arg))
        return refuse(-XEN_EFAULT, "physdev_op_compat: no argument at %#lx", arg);
    switch (cmd) {
    case PHYSDEVOP_irq_status_query:
    case PHYSDEVOP_set_iopl:
    case PHYSDEVOP_set_iobitmap:
    case PHYSDEVOP_apic_read:
    case PHYSDEVOP_apic_write:
    case PHYSDEVOP_alloc_irq_vector:
        return do_physdev_op(cmd, arg + offsetof(struct physdev_op, u));
    default:
        return -XEN_ENOSYS;
    }
}
