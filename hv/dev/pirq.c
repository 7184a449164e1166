/* SPDX-License-Identifier: MIT */
/* pirqs: how the hardware domain names and takes its devices' interrupts. A level line stays masked
 * from each interrupt until the domain says PHYSDEVOP_eoi; edges and messages need no answer, as
 * the event's own pending bit holds the next one. */
#include <hv/dev.h>
#include <hv/domain.h>
#include <hv/print.h>
#include <pvabi/physdev.h>

#include "irq.h"

enum pirq_kind { PIRQ_NONE, PIRQ_LINE, PIRQ_MESSAGE };

struct pirq {
    uint8_t kind;
    uint8_t vector;  /* message: while mapped; line: while bound; else 0 */
    bool bound;      /* an event port takes it */
    bool unanswered; /* line: masked by its interrupt */
    struct msi msi;
};

struct irq_guest {
    struct pirq pirq[NR_PIRQS]; /* lock: irq */
    uint64_t *eoi_page;           /* the guest's bitmap of pirqs that need PHYSDEVOP_eoi, or NULL */
};

static struct irq_guest hardware_irqs;

void pirq_domain_init(struct domain *d)
{
    d->irqs = &hardware_irqs;
}

/* d's pirq n if it is mapped. Lock: irq. */
static struct pirq *find(struct domain *d, uint64_t n)
{
    return d->irqs && n < NR_PIRQS && d->irqs->pirq[n].kind ? &d->irqs->pirq[n] : NULL;
}

static int refuse_unmapped(const struct domain *d, unsigned pirq)
{
    if (!d->irqs)
        return refuse(-XEN_EPERM, "pirq %u: only the hardware domain has device interrupts", pirq);
    return refuse(-XEN_EINVAL,
                  "pirq %u is not mapped: below %u and PHYSDEVOP_map_pirq first would be right",
                  pirq, NR_PIRQS);
}

static bool needs_eoi(const struct pirq *p, unsigned n)
{
    return p->kind == PIRQ_LINE && gsi_is_level(n);
}

static void tell_eoi_page(const struct irq_guest *irqs, unsigned n)
{
    uint64_t bit = 1ull << (n % 64);

    if (!irqs->eoi_page)
        return;
    if (needs_eoi(&irqs->pirq[n], n))
        __atomic_fetch_or(&irqs->eoi_page[n / 64], bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&irqs->eoi_page[n / 64], ~bit, __ATOMIC_RELAXED);
}

static void line_interrupt(unsigned n)
{
    struct pirq *p = &hardware_irqs.pirq[n];

    lock(&irq_lock);
    if (p->bound && gsi_is_level(n)) {
        gsi_mask(n);
        p->unanswered = true;
    }
    unlock(&irq_lock);
    send_pirq_event(hardware_domain, n);
}

static void message_interrupt(unsigned n)
{
    send_pirq_event(hardware_domain, n);
}

static int line_open(struct pirq *p, unsigned n)
{
    p->vector = vector_alloc(line_interrupt, n);
    if (!p->vector)
        return -XEN_ENOSPC;
    if (!gsi_route(n, p->vector)) {
        vector_free(p->vector);
        p->vector = 0;
        return refuse(-XEN_EBUSY, "interrupt line %u is the hypervisor's own", n);
    }
    p->unanswered = false;
    gsi_unmask(n);
    return 0;
}

int pirq_bind(struct domain *d, unsigned n)
{
    struct pirq *p;
    int err = 0;

    lock(&irq_lock);
    p = find(d, n);
    if (!p) {
        err = refuse_unmapped(d, n);
    } else if (p->bound) {
        err = refuse(-XEN_EBUSY, "pirq %u is bound to an event port already", n);
    } else if (p->kind == PIRQ_LINE) {
        err = line_open(p, n);
    } else {
        msi_set_mask(&p->msi, false);
    }
    if (!err) {
        p->bound = true;
        tell_eoi_page(d->irqs, n);
    }
    unlock(&irq_lock);
    return err;
}

void pirq_unbind(struct domain *d, unsigned n)
{
    struct pirq *p;

    lock(&irq_lock);
    p = find(d, n);
    if (p && p->bound) {
        p->bound = false;
        if (p->kind == PIRQ_LINE) {
            gsi_release(n);
            vector_free(p->vector);
            p->vector = 0;
        } else {
            msi_set_mask(&p->msi, true);
        }
    }
    unlock(&irq_lock);
}

int pirq_eoi(struct domain *d, unsigned n)
{
    struct pirq *p;
    int err = 0;

    lock(&irq_lock);
    p = find(d, n);
    if (!p) {
        err = refuse_unmapped(d, n);
    } else if (p->unanswered) {
        p->unanswered = false;
        if (p->bound)
            gsi_unmask(n);
    }
    unlock(&irq_lock);
    return err;
}

int pirq_status(struct domain *d, unsigned n, uint32_t *flags)
{
    struct pirq *p;
    int err = 0;

    lock(&irq_lock);
    p = find(d, n);
    if (p)
        *flags = needs_eoi(p, n) ? XENIRQSTAT_needs_eoi : 0;
    else
        err = refuse_unmapped(d, n);
    unlock(&irq_lock);
    return err;
}

int pirq_setup_line(struct domain *d, int gsi, bool level, bool low)
{
    unsigned n = (unsigned)gsi;
    int err = 0;

    if (!gsi_valid(n))
        return refuse(-XEN_EINVAL, "interrupt line %d does not exist: the I/O APICs have %u", gsi,
                      gsi_count());
    lock(&irq_lock);
    if (gsi_routed(n)) {
        err = -XEN_EEXIST; /* expected: a second device on the line, or the hypervisor's UART */
    } else {
        gsi_set_trigger(n, level, low);
        tell_eoi_page(d->irqs, n);
    }
    unlock(&irq_lock);
    return err;
}

/* Highest number that is free and no line's; 0: none. Lock: irq. */
static unsigned free_message_number(const struct irq_guest *irqs)
{
    for (unsigned n = NR_PIRQS - 1; n >= gsi_count() && n > 0; n--) {
        if (!irqs->pirq[n].kind)
            return n;
    }
    return 0;
}

int pirq_free_number(struct domain *d, uint32_t *pirq)
{
    lock(&irq_lock);
    *pirq = free_message_number(d->irqs);
    unlock(&irq_lock);
    return *pirq ? 0 : -XEN_ENOSPC;
}

static int map_line(struct domain *d, struct physdev_map_pirq *map)
{
    unsigned n = (unsigned)map->index;

    if (!gsi_valid(n))
        return refuse(-XEN_EINVAL, "interrupt line %d does not exist: the I/O APICs have %u",
                      map->index, gsi_count());
    if (map->pirq >= 0 && map->pirq != map->index)
        return refuse(-XEN_EINVAL, "line %d as pirq %d: lines keep their numbers", map->index,
                      map->pirq);
    lock(&irq_lock);
    d->irqs->pirq[n].kind = PIRQ_LINE;
    unlock(&irq_lock);
    map->pirq = map->index;
    return 0;
}

/* Lock: irq. */
static int map_message(struct irq_guest *irqs, const struct msi *wanted, uint64_t table_base,
                       unsigned n)
{
    struct pirq *p = &irqs->pirq[n];
    int err;

    p->msi = *wanted;
    err = msi_open(&p->msi, table_base);
    if (err)
        return err;
    p->vector = vector_alloc(message_interrupt, n);
    if (!p->vector)
        return -XEN_ENOSPC;
    msi_program(&p->msi, p->vector);
    p->kind = PIRQ_MESSAGE;
    return 0;
}

static int map_msi(struct domain *d, struct physdev_map_pirq *map)
{
    struct msi m = {
        .device = {.segment =
                       map->type == MAP_PIRQ_TYPE_MSI ? 0 : (uint16_t)((uint32_t)map->bus >> 16),
                   .bus = (uint8_t)map->bus,
                   .devfn = (uint8_t)map->devfn},
        .msix = map->table_base != 0,
        .entry = (uint16_t)map->entry_nr,
    };
    unsigned n;
    int err = -XEN_ENOSPC;

    if (map->devfn & ~0xff || (m.msix && map->entry_nr & ~0x7ff))
        return refuse(-XEN_EINVAL, "map_pirq: device %#x or MSI-X entry %#x is out of range",
                      map->devfn, map->entry_nr);
    lock(&irq_lock);
    n = map->pirq < 0 ? free_message_number(d->irqs) : (unsigned)map->pirq;
    if (n >= NR_PIRQS || n < gsi_count() || d->irqs->pirq[n].kind)
        err = refuse(map->pirq < 0 ? -XEN_ENOSPC : -XEN_EINVAL, "pirq %d is not free for a message",
                     map->pirq);
    else
        err = map_message(d->irqs, &m, map->table_base, n);
    unlock(&irq_lock);
    map->pirq = (int)n;
    return err;
}

int pirq_map(struct domain *d, struct physdev_map_pirq *map)
{
    switch (map->type) {
    case MAP_PIRQ_TYPE_GSI:
        return map_line(d, map);
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
        return map_msi(d, map);
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return -XEN_EOPNOTSUPP; /* expected: drivers then ask for one message */
    default:
        return refuse(-XEN_EINVAL, "map_pirq of unknown type %d", map->type);
    }
}

int pirq_unmap(struct domain *d, int pirq)
{
    struct pirq *p;
    int err = 0;

    lock(&irq_lock);
    p = find(d, (unsigned)pirq);
    if (!p) {
        err = refuse_unmapped(d, (unsigned)pirq);
    } else if (p->bound) {
        err = refuse(-XEN_EBUSY, "pirq %d is bound to an event port: close that first", pirq);
    } else {
        if (p->kind == PIRQ_MESSAGE)
            vector_free(p->vector);
        *p = (struct pirq){.kind = PIRQ_NONE};
    }
    unlock(&irq_lock);
    return err;
}

int pirq_eoi_page(struct domain *d, uint64_t gmfn)
{
    mfn_t m = mfn(gmfn);
    int err;

    if (d->irqs->eoi_page)
        return refuse(-XEN_EBUSY, "there is an EOI page already");
    err = mfn_valid(m) ? frame_get_writable(mfn_frame(m), d) : -XEN_EINVAL;
    if (err)
        return refuse(err,
                      "frame %#lx as EOI page: a writable frame of the caller's own would be right",
                      gmfn);
    lock(&irq_lock);
    d->irqs->eoi_page = (uint64_t *)mfn_va(m);
    for (unsigned n = 0; n < NR_PIRQS; n++)
        tell_eoi_page(d->irqs, n);
    unlock(&irq_lock);
    return 0;
}

mfn_t pirq_eoi_frame(const struct domain *d)
{
    return d->irqs && d->irqs->eoi_page ? va_mfn(d->irqs->eoi_page) : INVALID_MFN;
}

void pirq_restore_messages(struct domain *d, struct pci_address a)
{
    lock(&irq_lock);
    for (unsigned n = gsi_count(); n < NR_PIRQS; n++) {
        const struct pirq *p = &d->irqs->pirq[n];

        if (p->kind != PIRQ_MESSAGE || p->msi.device.segment != a.segment ||
            p->msi.device.bus != a.bus || p->msi.device.devfn != a.devfn)
            continue;
        msi_program(&p->msi, p->vector);
        msi_set_mask(&p->msi, !p->bound);
    }
    unlock(&irq_lock);
}
