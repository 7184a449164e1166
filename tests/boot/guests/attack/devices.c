/* SPDX-License-Identifier: MIT */
/* R28: interrupts, ports and registers of devices that stay the hypervisor's, even from dom0. */
#include "attack.h"

static uint8_t inb(uint16_t port)
{
    volatile uint8_t v = 0;
    struct pv_fault f;

    PV_TRY(&f)
    {
        uint8_t in;

        __asm__ volatile("inb %1, %0" : "=a"(in) : "Nd"(port));
        v = in;
    }
    return f.vector >= 0 ? 0xff : v;
}

static void outb(uint16_t port, uint8_t v)
{
    struct pv_fault f;

    PV_TRY(&f) __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static void io_ports(void)
{
    static const uint16_t kept[] = {0x20, 0x21, 0xa0, 0xa1, 0x3f8, 0x3f9, 0x3fb};
    struct physdev_set_iopl iopl = {.iopl = 4};
    struct physdev_set_iobitmap map = {.nr_ports = 0xffffffff};

    refused("IOPL 4", pv_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    refused("I/O bitmap of 2^32 ports", pv_physdev_op(PHYSDEVOP_set_iobitmap, &map));
    iopl.iopl = 3;
    pv_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        outb(kept[i], 0);
        outb(kept[i], 0xff);
        holds("the hypervisor's port", inb(kept[i]) == 0xff);
    }
    for (uint16_t pit = 0x40; pit < 0x44; pit++)
        outb(pit, 0); /* whatever this does, it must not stop the hypervisor's clock */
}

static void pirqs(void)
{
    static const uint32_t big[] = {256, 1023, 4096, 0x7fffffff, 0xffffffff};

    for (unsigned i = 0; i < ARRAY_SIZE(big); i++) {
        struct evtchn_bind_pirq bind = {.pirq = big[i]};
        struct physdev_eoi eoi = {.irq = big[i]};
        struct physdev_unmap_pirq unmap = {.domid = DOMID_SELF, .pirq = big[i]};
        struct physdev_irq_status_query query = {.irq = big[i]};
        struct physdev_irq vector = {.irq = big[i]};
        struct physdev_map_pirq map = {.domid = DOMID_SELF,
                                       .type = MAP_PIRQ_TYPE_GSI,
                                       .index = (int)big[i],
                                       .pirq = (int)big[i]};

        refused("bind_pirq", pv_event_channel_op(EVTCHNOP_bind_pirq, &bind));
        refused("eoi", pv_physdev_op(PHYSDEVOP_eoi, &eoi));
        refused("unmap_pirq", pv_physdev_op(PHYSDEVOP_unmap_pirq, &unmap));
        refused("irq_status_query", pv_physdev_op(PHYSDEVOP_irq_status_query, &query));
        refused("map_pirq", pv_physdev_op(PHYSDEVOP_map_pirq, &map));
        if (!attack_on_xen) /* there the call no longer does anything, whatever it is asked */
            refused("alloc_irq_vector", pv_physdev_op(PHYSDEVOP_alloc_irq_vector, &vector));
        map.type = 99;
        map.index = map.pirq = 5;
        refused("map_pirq of an unknown type", pv_physdev_op(PHYSDEVOP_map_pirq, &map));
        map.type = MAP_PIRQ_TYPE_GSI;
        map.domid = 77;
        refused("map_pirq for a domain that is not there",
                pv_physdev_op(PHYSDEVOP_map_pirq, &map));
    }
}

static void registers(void)
{
    /* Local APIC, I/O APIC: an interrupt redirected is a way into the hypervisor. */
    static const uint64_t kept[] = {0xfee00, 0xfec00};

    pv_make_l1(AREA_VA);
    for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
        /* Refused, or mapped but not writable, as the reference does for the I/O APIC. */
        pv_update_va_mapping(AREA_VA, pv_pte(kept[i], PTE_KERNEL | PTE_PCD), UVMF_INVLPG);
        holds("interrupt controller not mapped writable", !(*pv_l1_entry(AREA_VA) & PTE_RW));
        pv_update_va_mapping(AREA_VA, 0, UVMF_INVLPG);
    }
}

static void devices(void)
{
    io_ports();
    pirqs();
    registers();
}

const struct attack device_attacks[] = {
    {"r28", "ports, interrupts and controllers", devices, ATTACK_SURVIVES},
    {.name = NULL},
};
