/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_memory_op: how much memory a domain has, getting more and giving some back. */
#include <string.h>

#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <pvabi/memory.h>

#include "memory.h"
#include "pages.h"
#include "subject.h"

/* ---- increase, decrease, populate: the extents that were done are counted; a guest sees from the
 * number that the next one failed, and the sentence tells why. ---- */

struct extents {
    struct domain *d;
    uint64_t list; /* guest address of frame numbers */
    uint64_t count;
    unsigned order, addr_bits;
};

unsigned extent_addr_bits(uint32_t mem_flags)
{
    unsigned bits = XENMEMF_get_address_bits(mem_flags);

    return bits ? bits : HEAP_ANY_BITS;
}

static int extents_get(struct extents *e, uint64_t arg)
{
    struct xen_memory_reservation r;
    int err = 0;

    if (get_guest(&r, arg))
        return -XEN_EFAULT;
    if (r.extent_order > EXTENT_ORDER_MAX)
        return refuse(-XEN_EPERM, "extents of order %u; at most %u", r.extent_order,
                      EXTENT_ORDER_MAX);
    if (!guest_array_ok(r.extent_start, r.nr_extents, sizeof(xen_pfn_t)))
        return refuse(-XEN_EFAULT, "a list of %lu frames at 0x%lx, which is not all guest memory",
                      r.nr_extents, r.extent_start);
    e->d = call_subject(r.domid, &err);
    if (!e->d)
        return err;
    if (e->d->dying) /* what it had is given up by other rules */
        return refuse(-XEN_ESRCH, "the memory of domain %u, which is dying", r.domid);
    e->list = r.extent_start;
    e->count = r.nr_extents;
    e->order = r.extent_order;
    e->addr_bits = extent_addr_bits(r.mem_flags);
    return 0;
}

void m2p_set_extent(mfn_t first, uint64_t pfn, unsigned order)
{
    for (uint64_t i = 0; i < 1ull << order; i++)
        m2p_set(mfn(first.n + i), pfn + i);
}

/* populate: the list tells where in the guest's numbering the frames belong, and takes their
 * numbers. */
static bool populate_one(const struct extents *e, uint64_t at)
{
    uint64_t pfn;
    mfn_t m;

    if (!guest_load64(&pfn, at))
        return false;
    if (domain_alloc_frames(e->d, e->order, e->addr_bits, &m)) {
        guest_log(current->domain, LOG_INFO,
                  "domain %u gets no memory: extent of order %u, has %lu of %lu frames, %lu free",
                  e->d->id, e->order, e->d->tot_pages, e->d->max_pages, heap_free_frames());
        return false;
    }
    m2p_set_extent(m, pfn, e->order);
    return guest_store64(at, m.n);
}

/* increase: as populate, but the guest numbers the frames itself. Without a list it finds them in
 * no way but that. */
static bool increase_one(const struct extents *e, uint64_t at)
{
    mfn_t m;

    return !domain_alloc_frames(e->d, e->order, e->addr_bits, &m) &&
           (!e->list || guest_store64(at, m.n));
}

static bool decrease_one(const struct extents *e, uint64_t at)
{
    uint64_t first;

    if (!guest_load64(&first, at))
        return false;
    for (uint64_t i = 0; i < 1ull << e->order; i++) {
        if (domain_claim_frame(e->d, first + i))
            return false;
        frame_release_claimed(mfn_frame(mfn(first + i)));
        if (i % 64 == 63)
            preempt_point();
    }
    return true;
}

static long for_extents(uint64_t arg, bool (*one)(const struct extents *, uint64_t))
{
    struct extents e;
    int err = extents_get(&e, arg);
    uint64_t i;

    if (err)
        return err;
    for (i = 0; i < e.count && one(&e, e.list + i * sizeof(xen_pfn_t)); i++)
        preempt_point();
    return (long)i;
}

/* ---- Questions. ---- */

static long reservation(uint64_t arg, bool limit)
{
    struct xen_memory_domain q;
    struct domain *d;
    int err = 0;

    if (get_guest(&q, arg))
        return -XEN_EFAULT;
    d = call_subject(q.domid, &err);
    if (!d)
        return err;
    return (long)(limit ? d->max_pages : d->tot_pages);
}

static long machphys_mapping(uint64_t arg)
{
    struct xen_machphys_mapping m = {
        .v_start = MACH2PHYS_VIRT_START, .v_end = MACH2PHYS_VIRT_END, .max_mfn = frame_max - 1};

    return put_guest(arg, &m);
}

/* The machine's map as the firmware gave it. Behind it, what dom0 must not mistake for free address
 * space although the firmware does not list it: registers that the hypervisor keeps. */
static long machine_memory_map(uint64_t arg)
{
    const struct domain *d = current->domain;
    struct xen_memory_map map;
    struct e820_entry e;
    uint32_t n = 0;

    if (!d->is_hardware)
        return refuse(-XEN_EPERM, "the machine's memory map is the hardware domain's alone");
    if (get_guest(&map, arg))
        return -XEN_EFAULT;
    if (!guest_array_ok(map.buffer, map.nr_entries, sizeof(e)))
        return -XEN_EFAULT;
    for (; n < map.nr_entries && n < boot_info.e820_count + d->mmio_forbidden_count; n++) {
        if (n < boot_info.e820_count) {
            e = boot_info.e820[n];
        } else {
            const uint64_t *range = d->mmio_forbidden[n - boot_info.e820_count];

            e = (struct e820_entry){range[0] << PAGE_SHIFT, (range[1] - range[0] + 1) << PAGE_SHIFT,
                                    E820_RESERVED};
        }
        if (put_guest(map.buffer + n * sizeof(e), &e))
            return -XEN_EFAULT;
    }
    map.nr_entries = n;
    return put_guest(arg, &map);
}

long do_memory_op(uint64_t cmd, uint64_t arg)
{
    switch (cmd) {
    case XENMEM_increase_reservation:
        return for_extents(arg, increase_one);
    case XENMEM_decrease_reservation:
        return for_extents(arg, decrease_one);
    case XENMEM_populate_physmap:
        return for_extents(arg, populate_one);
    case XENMEM_exchange:
        return memory_exchange(arg);
    case XENMEM_maximum_ram_page:
        return (long)frame_max - 1;
    case XENMEM_current_reservation:
        return reservation(arg, false);
    case XENMEM_maximum_reservation:
        return reservation(arg, true);
    case XENMEM_machphys_mapping:
        return machphys_mapping(arg);
    case XENMEM_machine_memory_map:
        return machine_memory_map(arg);
    case XENMEM_acquire_resource:
        return memory_acquire_resource(arg);
    default: /* what is for translated guests or tools only; and memory_map: the domain's memory
                begins at 0 without holes */
        return -XEN_ENOSYS;
    }
}
