/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_physdev_op(cmd, arg): interrupts, I/O privilege and PCI of the hardware domain. */
#ifndef PVABI_PHYSDEV_H
#define PVABI_PHYSDEV_H

#include <pvabi/base.h>

#define PHYSDEVOP_IRQ_UNMASK_NOTIFY  4 /* compat call only */
#define PHYSDEVOP_irq_status_query   5
#define PHYSDEVOP_set_iopl           6
#define PHYSDEVOP_set_iobitmap       7
#define PHYSDEVOP_apic_read          8
#define PHYSDEVOP_apic_write         9
#define PHYSDEVOP_alloc_irq_vector   10
#define PHYSDEVOP_free_irq_vector    11
#define PHYSDEVOP_eoi                12
#define PHYSDEVOP_map_pirq           13
#define PHYSDEVOP_unmap_pirq         14
#define PHYSDEVOP_manage_pci_add     15
#define PHYSDEVOP_manage_pci_remove  16
#define PHYSDEVOP_pirq_eoi_gmfn_v1   17
#define PHYSDEVOP_restore_msi        19
#define PHYSDEVOP_manage_pci_add_ext 20
#define PHYSDEVOP_setup_gsi          21
#define PHYSDEVOP_get_free_pirq      23
#define PHYSDEVOP_pci_mmcfg_reserved 24
#define PHYSDEVOP_pci_device_add     25
#define PHYSDEVOP_pci_device_remove  26
#define PHYSDEVOP_restore_msi_ext    27
#define PHYSDEVOP_pirq_eoi_gmfn_v2   28
#define PHYSDEVOP_dbgp_op            29
#define PHYSDEVOP_prepare_msix       30
#define PHYSDEVOP_release_msix       31

struct physdev_eoi {
    uint32_t irq; /* the PIRQ */
};
PVABI_SIZE(struct physdev_eoi, 4);

/* A page with a bit for each PIRQ that needs PHYSDEVOP_eoi. With v1 that call unmasks the port. */
struct physdev_pirq_eoi_gmfn {
    xen_pfn_t gmfn;
};
PVABI_SIZE(struct physdev_pirq_eoi_gmfn, 8);

#define XENIRQSTAT_needs_eoi (1u << 0)
#define XENIRQSTAT_shared    (1u << 1)

struct physdev_irq_status_query {
    uint32_t irq;
    uint32_t flags; /* out: XENIRQSTAT_* */
};
PVABI_SIZE(struct physdev_irq_status_query, 8);

struct physdev_set_iopl {
    uint32_t iopl;
};
PVABI_SIZE(struct physdev_set_iopl, 4);

struct physdev_set_iobitmap {
    xen_guest_ptr_t bitmap;
    uint32_t nr_ports;
};
PVABI_SIZE(struct physdev_set_iobitmap, 16);
PVABI_AT(struct physdev_set_iobitmap, nr_ports, 8);

/* A register of the I/O APIC at apic_physbase. */
struct physdev_apic {
    uint64_t apic_physbase;
    uint32_t reg;
    uint32_t value;
};
PVABI_SIZE(struct physdev_apic, 16);

struct physdev_irq {
    uint32_t irq;
    uint32_t vector;
};
PVABI_SIZE(struct physdev_irq, 8);

#define MAP_PIRQ_TYPE_MSI       0
#define MAP_PIRQ_TYPE_GSI       1
#define MAP_PIRQ_TYPE_UNKNOWN   2
#define MAP_PIRQ_TYPE_MSI_SEG   3 /* bus: segment << 16 | bus */
#define MAP_PIRQ_TYPE_MULTI_MSI 4 /* likewise; entry_nr vectors */

struct physdev_map_pirq {
    domid_t domid;
    int32_t type;  /* MAP_PIRQ_TYPE_* */
    int32_t index; /* GSI, or -1 */
    int32_t pirq;  /* in: wanted, or -1; out */
    int32_t bus;
    int32_t devfn;
    int32_t entry_nr;    /* MSI-X entry */
    uint64_t table_base; /* physical address of the MSI-X table; 0: MSI */
};
PVABI_SIZE(struct physdev_map_pirq, 40);
PVABI_AT(struct physdev_map_pirq, type, 4);
PVABI_AT(struct physdev_map_pirq, entry_nr, 24);
PVABI_AT(struct physdev_map_pirq, table_base, 32);

struct physdev_unmap_pirq {
    domid_t domid;
    int32_t pirq;
};
PVABI_SIZE(struct physdev_unmap_pirq, 8);

struct physdev_manage_pci {
    uint8_t bus;
    uint8_t devfn;
};
PVABI_SIZE(struct physdev_manage_pci, 2);

struct physdev_restore_msi {
    uint8_t bus;
    uint8_t devfn;
};
PVABI_SIZE(struct physdev_restore_msi, 2);

struct physdev_manage_pci_ext {
    uint8_t bus;
    uint8_t devfn;
    uint32_t is_extfn;
    uint32_t is_virtfn;
    struct {
        uint8_t bus;
        uint8_t devfn;
    } physfn;
};
PVABI_SIZE(struct physdev_manage_pci_ext, 16);

/* Argument of the old call, physdev_op_compat. */
struct physdev_op {
    uint32_t cmd;
    union {
        struct physdev_irq_status_query irq_status_query;
        struct physdev_set_iopl set_iopl;
        struct physdev_set_iobitmap set_iobitmap;
        struct physdev_apic apic_op;
        struct physdev_irq irq_op;
    } u;
};
PVABI_SIZE(struct physdev_op, 24);
PVABI_AT(struct physdev_op, u, 8);

struct physdev_setup_gsi {
    int32_t gsi;
    uint8_t triggering; /* 1: level */
    uint8_t polarity;   /* 1: active low */
};
PVABI_SIZE(struct physdev_setup_gsi, 8);

struct physdev_get_free_pirq {
    int32_t type;
    uint32_t pirq; /* out */
};
PVABI_SIZE(struct physdev_get_free_pirq, 8);

#define XEN_PCI_MMCFG_RESERVED 1 /* the firmware reserves the window: it may be used */

struct physdev_pci_mmcfg_reserved {
    uint64_t address;
    uint16_t segment;
    uint8_t start_bus;
    uint8_t end_bus;
    uint32_t flags;
};
PVABI_SIZE(struct physdev_pci_mmcfg_reserved, 16);
PVABI_AT(struct physdev_pci_mmcfg_reserved, flags, 12);

#define XEN_PCI_DEV_EXTFN  1
#define XEN_PCI_DEV_VIRTFN 2
#define XEN_PCI_DEV_PXM    4

struct physdev_pci_device_add {
    uint16_t seg;
    uint8_t bus;
    uint8_t devfn;
    uint32_t flags; /* XEN_PCI_DEV_* */
    struct {
        uint8_t bus;
        uint8_t devfn;
    } physfn;
    uint32_t optarr[]; /* [0]: proximity domain, with XEN_PCI_DEV_PXM */
};
PVABI_SIZE(struct physdev_pci_device_add, 12);
PVABI_AT(struct physdev_pci_device_add, physfn, 8);
PVABI_AT(struct physdev_pci_device_add, optarr, 12);

/* pci_device_remove, restore_msi_ext, prepare_msix, release_msix */
struct physdev_pci_device {
    uint16_t seg;
    uint8_t bus;
    uint8_t devfn;
};
PVABI_SIZE(struct physdev_pci_device, 4);

#define PHYSDEVOP_DBGP_RESET_PREPARE 1
#define PHYSDEVOP_DBGP_RESET_DONE    2
#define PHYSDEVOP_DBGP_BUS_UNKNOWN   0
#define PHYSDEVOP_DBGP_BUS_PCI       1

/* USB debug port: the guest resets the controller that may carry the console. */
struct physdev_dbgp_op {
    uint8_t op;
    uint8_t bus;
    union {
        struct physdev_pci_device pci;
    } u;
};
PVABI_SIZE(struct physdev_dbgp_op, 6);

#endif
