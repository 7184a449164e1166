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

static struct pirq pirqs[NR_PIRQS]; /* of the hardware domain; lock: irq */
static uint64_t *eoi_page;          /* its bitmap of those that need PHYSDEVOP_eoi, or NULL */

/* Number n if it is mapped, or NULL after a sentence. */
static struct pirq *find(unsigned n)
{
    if (n < NR_PIRQS && pirqs[n].kind)
        return &pirqs[n];
    refuse(-XEN_EINVAL, "pirq %u is not mapped: below %u and PHYSDEVOP_map_pirq first would be right", n, NR_PIRQS);
    return NULL;
}

static bool needs_eoi(unsigned n)
{
    return pirqs[n].kind == PIRQ_LINE && gsi_is_level(n);
}

static void tell_eoi_page(unsigned n)
{
    uint64_t bit = 1ull << (n % 64);

    if (!eoi_page)
        return;
    if (needs_eoi(n))
        __atomic_fetch_or(&eoi_page[n / 64], bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&eoi_page[n / 64], ~bit, __ATOMIC_RELAXED);
}

static void line_interrupt(unsigned n)
{
    lock(&irq_lock);
    if (pirqs[n].bound && gsi_is_level(n)) {
        gsi_mask(n);
        pirqs[n].unanswered = true;
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

static int bind(struct pirq *p, unsigned n)
{
    int err = 0;

    if (!p)
        return -XEN_EINVAL;
    if (p->bound)
        return refuse(-XEN_EBUSY, "pirq %u is bound to an event port already", n);
    if (p->kind == PIRQ_LINE)
        err = line_open(p, n);
    else
        msi_set_mask(&p->msi, false);
    if (err)
        return err;
    p->bound = true;
    tell_eoi_page(n);
    return 0;
}

int pirq_bind(unsigned n)
{
    int err;

    lock(&irq_lock);
    err = bind(find(n), n);
    unlock(&irq_lock);
    return err;
}

void pirq_unbind(unsigned n)
{
    struct pirq *p = &pirqs[n];

    lock(&irq_lock);
    if (p->bound) {
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

int pirq_eoi(unsigned n)
{
    struct pirq *p = find(n);

    if (!p)
        return -XEN_EINVAL;
    if (p->unanswered && p->bound)
        gsi_unmask(n);
    p->unanswered = false;
    return 0;
}

int pirq_status(unsigned n, uint32_t *flags)
{
    if (!find(n))
        return -XEN_EINVAL;
    *flags = needs_eoi(n) ? XENIRQSTAT_needs_eoi : 0;
    return 0;
}

static int refuse_line(int gsi)
{
    return refuse(-XEN_EINVAL, "interrupt line %d does not exist: the I/O APICs have %u", gsi, gsi_count());
}

int pirq_setup_line(int gsi, bool level, bool low)
{
    unsigned n = (unsigned)gsi;

    if (!gsi_valid(n))
        return refuse_line(gsi);
    if (gsi_routed(n))
        return -XEN_EEXIST; /* expected: a second device on the line, or the hypervisor's UART */
    gsi_set_trigger(n, level, low);
    tell_eoi_page(n);
    return 0;
}

unsigned pirq_free_number(void)
{
    for (unsigned n = NR_PIRQS - 1; n >= gsi_count() && n > 0; n--) {
        if (!pirqs[n].kind)
            return n;
    }
    return 0;
}

static int map_line(struct physdev_map_pirq *map)
{
    if (!gsi_valid((unsigned)map->index))
        return refuse_line(map->index);
    if (map->pirq >= 0 && map->pirq != map->index)
        return refuse(-XEN_EINVAL, "line %d as pirq %d: lines keep their numbers", map->index, map->pirq);
    pirqs[map->index].kind = PIRQ_LINE;
    map->pirq = map->index;
    return 0;
}

static int map_message(const struct msi *wanted, uint64_t table_base, unsigned n)
{
    struct pirq *p = &pirqs[n];
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

static int map_msi(struct physdev_map_pirq *map)
{
    struct msi m = {
        .device = {.segment = map->type == MAP_PIRQ_TYPE_MSI ? 0 : (uint16_t)((uint32_t)map->bus >> 16),
                   .bus = (uint8_t)map->bus,
                   .devfn = (uint8_t)map->devfn},
        .msix = map->table_base != 0,
        .entry = (uint16_t)map->entry_nr,
    };
    int wanted = map->pirq;
    unsigned n = wanted < 0 ? pirq_free_number() : (unsigned)wanted;

    if (map->devfn & ~0xff || (m.msix && map->entry_nr & ~0x7ff))
        return refuse(-XEN_EINVAL, "map_pirq: device %#x or MSI-X entry %#x is out of range", map->devfn,
                      map->entry_nr);
    if (n >= NR_PIRQS || n < gsi_count() || pirqs[n].kind)
        return refuse(wanted < 0 ? -XEN_ENOSPC : -XEN_EINVAL, "pirq %d is not free for a message", wanted);
    map->pirq = (int)n;
    return map_message(&m, map->table_base, n);
}

int pirq_map(struct physdev_map_pirq *map)
{
    switch (map->type) {
    case MAP_PIRQ_TYPE_GSI:
        return map_line(map);
    case MAP_PIRQ_TYPE_MSI:
    case MAP_PIRQ_TYPE_MSI_SEG:
        return map_msi(map);
    case MAP_PIRQ_TYPE_MULTI_MSI:
        return -XEN_EOPNOTSUPP; /* expected: drivers then ask for one message */
    default:
        return refuse(-XEN_EINVAL, "map_pirq of unknown type %d", map->type);
    }
}

int pirq_unmap(int pirq)
{
    struct pirq *p = find((unsigned)pirq);

    if (!p)
        return -XEN_EINVAL;
    if (p->bound)
        return refuse(-XEN_EBUSY, "pirq %d is bound to an event port: close that first", pirq);
    if (p->kind == PIRQ_MESSAGE)
        vector_free(p->vector);
    *p = (struct pirq){.kind = PIRQ_NONE};
    return 0;
}

int pirq_eoi_page(struct domain *d, uint64_t gmfn)
{
    mfn_t m = mfn(gmfn);
    int err;

    if (eoi_page)
        return refuse(-XEN_EBUSY, "there is an EOI page already");
    err = mfn_valid(m) ? frame_get_writable(mfn_frame(m), d) : -XEN_EINVAL;
    if (err)
        return refuse(err, "frame %#lx as EOI page: a writable frame of the caller's own would be right", gmfn);
    lock(&irq_lock);
    eoi_page = mfn_va(m);
    for (unsigned n = 0; n < NR_PIRQS; n++)
        tell_eoi_page(n);
    unlock(&irq_lock);
    return 0;
}

mfn_t pirq_eoi_frame(void)
{
    return eoi_page ? va_mfn(eoi_page) : INVALID_MFN;
}

void pirq_restore_messages(struct pci_address a)
{
    for (unsigned n = gsi_count(); n < NR_PIRQS; n++) {
        const struct pirq *p = &pirqs[n];

        if (p->kind != PIRQ_MESSAGE || p->msi.device.segment != a.segment || p->msi.device.bus != a.bus ||
            p->msi.device.devfn != a.devfn)
            continue;
        msi_program(&p->msi, p->vector);
        msi_set_mask(&p->msi, !p->bound);
    }
}
