/* SPDX-License-Identifier: MIT */
/* XENMEM_exchange: frames of a domain for as many others, contiguous or low ones for DMA, or back
 * again. No frame is taken from anybody else: new ones are allocated, old ones freed.
 *
 * It goes chunk by chunk, a chunk being one extent of the larger order and the matching ones of the
 * smaller. A chunk is exchanged whole or not at all: first everything that can fail (reading both
 * lists, allocating, claiming the old frames), then what cannot. */
#include <hv/access.h>
#include <pvabi/memory.h>

#include "memory.h"
#include "pages.h"
#include "subject.h"

#define CHUNK_FRAMES (1u << EXTENT_ORDER_MAX)

struct exchange {
    struct domain *d;
    uint64_t in_list, out_list;          /* guest addresses of the current chunk's entries */
    unsigned in_order, out_order, order; /* order: the chunk's */
    unsigned addr_bits;
    uint64_t pfn[CHUNK_FRAMES]; /* of each new extent */
    uint32_t old[CHUNK_FRAMES]; /* frames given, claimed */
    mfn_t new[CHUNK_FRAMES];    /* extents taken */
};
_Static_assert(sizeof(struct exchange) <= 3 * PAGE_SIZE, "page_alloc(2)");

static unsigned in_count(const struct exchange *x)
{
    return 1u << (x->order - x->in_order);
}
static unsigned out_count(const struct exchange *x)
{
    return 1u << (x->order - x->out_order);
}

static void unclaim(struct exchange *x, unsigned count)
{
    while (count--)
        frame_unclaim(mfn_frame(mfn(x->old[count])));
}

static int claim_old(struct exchange *x)
{
    unsigned per_extent = 1u << x->in_order, done = 0;

    for (unsigned i = 0; i < in_count(x); i++) {
        uint64_t first;
        int err = guest_load64(&first, x->in_list + i * sizeof(xen_pfn_t)) ? 0 : -XEN_EFAULT;

        for (unsigned j = 0; j < per_extent && !err; j++) {
            err = domain_claim_frame(x->d, first + j);
            if (!err)
                x->old[done++] = (uint32_t)(first + j);
        }
        if (err) {
            unclaim(x, done);
            return err;
        }
    }
    return 0;
}

/* Linux asks for contiguous frames where those it has often are that already: then they need not
 * move. */
static bool old_ones_will_do(const struct exchange *x)
{
    uint64_t limit = x->addr_bits < 64 ? 1ull << x->addr_bits : ~0ull;

    for (unsigned i = 0; i < 1u << x->order; i++) {
        if (x->old[i] != x->old[0] + i)
            return false;
    }
    return !(x->old[0] & ((1u << x->order) - 1)) &&
           (x->old[0] + (1ull << x->order)) << PAGE_SHIFT <= limit;
}

static int allocate_new(struct exchange *x)
{
    for (unsigned i = 0; i < out_count(x); i++) {
        x->new[i] = heap_alloc(x->out_order, x->addr_bits);
        if (mfn_eq(x->new[i], INVALID_MFN)) {
            while (i--)
                heap_free(x->new[i], x->out_order);
            return -XEN_ENOMEM; /* as the caller may expect; it tries other limits */
        }
    }
    return 0;
}

static void keep_old(struct exchange *x)
{
    for (unsigned i = 0; i < out_count(x); i++)
        x->new[i] = mfn(x->old[i << x->out_order]);
    unclaim(x, 1u << x->order);
}

static void replace_old(struct exchange *x)
{
    domain_count(x->d, 1ll << x->order); /* for a moment; the limit is kept in the end */
    for (unsigned i = 0; i < 1u << x->order; i++)
        frame_release_claimed(mfn_frame(mfn(x->old[i])));
    for (unsigned i = 0; i < out_count(x); i++)
        domain_adopt_frames(x->d, x->new[i], x->out_order);
}

static int exchange_chunk(struct exchange *x, uint64_t *done)
{
    int err = copy_from_guest(x->pfn, x->out_list, out_count(x) * sizeof(xen_pfn_t));

    if (!err)
        err = claim_old(x);
    if (err)
        return err;
    if (old_ones_will_do(x)) {
        keep_old(x);
    } else {
        err = allocate_new(x);
        if (err) {
            unclaim(x, 1u << x->order);
            return err;
        }
        replace_old(x);
    }
    for (unsigned i = 0; i < out_count(x); i++)
        m2p_set_extent(x->new[i], x->pfn[i], x->out_order);
    *done += in_count(x);
    return copy_to_guest(x->out_list, x->new, out_count(x) * sizeof(xen_pfn_t));
}

static int check(const struct xen_memory_exchange *op)
{
    const struct xen_memory_reservation *in = &op->in, *out = &op->out;
    unsigned max = EXTENT_ORDER_MAX;

    if (in->extent_order > max || out->extent_order > max)
        return refuse(-XEN_EPERM, "exchange of extents of order %u for order %u; at most %u",
                      in->extent_order, out->extent_order, max);
    if (!guest_array_ok(in->extent_start, in->nr_extents, sizeof(xen_pfn_t)) ||
        !guest_array_ok(out->extent_start, out->nr_extents, sizeof(xen_pfn_t)))
        return refuse(-XEN_EFAULT,
                      "exchange with lists at 0x%lx and 0x%lx, which are not all guest memory",
                      in->extent_start, out->extent_start);
    if (op->nr_exchanged || in->domid != out->domid ||
        in->nr_extents << in->extent_order != out->nr_extents << out->extent_order)
        return refuse(-XEN_EINVAL,
                      "exchange of %lu extents of order %u for %lu of order %u, %lu done: the "
                      "sizes must agree, both "
                      "domids too, and nothing be done before",
                      in->nr_extents, in->extent_order, out->nr_extents, out->extent_order,
                      op->nr_exchanged);
    return 0;
}

/* Chunks that the lists make up; extents of the smaller order that fill none are never touched. */
static int exchange_all(struct exchange *x, struct xen_memory_exchange *op)
{
    uint64_t chunks = op->in.nr_extents << x->in_order >> x->order;
    int err = 0;

    if (chunks << x->order != op->in.nr_extents << x->in_order)
        return refuse(-XEN_EINVAL,
                      "exchange of %lu extents of order %u makes no whole number of order %u",
                      op->in.nr_extents, x->in_order, x->order);
    for (; chunks && !err; chunks--) {
        err = exchange_chunk(x, &op->nr_exchanged);
        x->in_list += in_count(x) * sizeof(xen_pfn_t);
        x->out_list += out_count(x) * sizeof(xen_pfn_t);
        preempt_point();
    }
    return err;
}

long memory_exchange(uint64_t arg)
{
    struct xen_memory_exchange op;
    struct exchange *x;
    struct domain *d;
    int err = 0;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    err = check(&op);
    if (err)
        return err;
    d = call_subject(op.in.domid, &err);
    if (!d)
        return err;
    if (!d->is_hardware)
        return refuse(-XEN_EPERM,
                      "exchange of memory is for the hardware domain, whose devices need it");
    x = page_alloc(2);
    if (!x)
        return -XEN_ENOMEM;
    x->d = d;
    x->in_list = op.in.extent_start;
    x->out_list = op.out.extent_start;
    x->in_order = op.in.extent_order;
    x->out_order = op.out.extent_order;
    x->order = MAX(x->in_order, x->out_order);
    x->addr_bits = extent_addr_bits(op.out.mem_flags);
    err = exchange_all(x, &op);
    page_free(x, 2);
    if (copy_to_guest(arg + offsetof(struct xen_memory_exchange, nr_exchanged), &op.nr_exchanged,
                      sizeof(op.nr_exchanged)))
        err = -XEN_EFAULT;
    return err;
}
