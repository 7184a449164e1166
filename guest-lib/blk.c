/* SPDX-License-Identifier: MIT */
/* blkfront: one ring of one page, a grant for each page of each request. */
#include <pvguest/blk.h>
#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/grant.h>
#include <pvguest/mm.h>
#include <pvguest/time.h>

#define DISKS 4

static struct pv_blk *disks[DISKS];

static struct blkif_sring *sring(struct pv_blk *b)
{
    return (struct blkif_sring *)b->ring.shared;
}

static void end(struct pv_blk_request *r, int error)
{
    for (unsigned i = 0; i < r->ref_count; i++)
        if (!pv_grant_revoke(r->refs[i]))
            pv_printf("pvguest: the back end keeps grant %u after its response\n", r->refs[i]);
    if (r->done)
        r->done(r, error);
}

void pv_blk_poll(struct pv_blk *b)
{
    do {
        for (unsigned n = pv_ring_responses(&b->ring); n; n--) {
            struct blkif_response rsp = sring(b)->ring[b->ring.cons++ % b->ring.size].rsp;
            struct pv_blk_request *r = NULL;

            if (rsp.id < PV_BLK_REQUESTS) {
                r = b->requests[rsp.id];
                b->requests[rsp.id] = NULL;
            }
            if (r)
                end(r, rsp.status);
            else
                pv_printf("pvguest: a response to no request, id %lx\n", rsp.id);
        }
    } while (pv_ring_wait(&b->ring));
}

static void on_event(unsigned port)
{
    for (unsigned i = 0; i < DISKS; i++)
        if (disks[i] && disks[i]->port == port)
            pv_blk_poll(disks[i]);
}

/* Cuts the memory at page boundaries and grants each piece. */
static long grant_pieces(struct pv_blk *b, struct pv_blk_request *r, struct blkif_request *q)
{
    char *at = r->memory;
    unsigned left = r->operation == BLKIF_OP_FLUSH_DISKCACHE ? 0 : r->sectors;

    r->ref_count = 0;
    while (left) {
        unsigned first = (uint64_t)at % PAGE_SIZE / PV_BLK_SECTOR;
        unsigned count = left < 8 - first ? left : 8 - first;
        long ref = r->ref_count < PV_BLK_SEGMENTS
                       ? pv_grant_page(b->device.backend, at, r->operation == BLKIF_OP_WRITE)
                       : -XEN_EINVAL;

        if (ref < 0) {
            while (r->ref_count)
                pv_grant_revoke(r->refs[--r->ref_count]);
            return ref;
        }
        q->seg[r->ref_count] = (struct blkif_request_segment){
            .gref = ref, .first_sect = first, .last_sect = first + count - 1};
        r->refs[r->ref_count++] = ref;
        at += count * PV_BLK_SECTOR;
        left -= count;
    }
    q->nr_segments = r->ref_count;
    return 0;
}

long pv_blk_submit(struct pv_blk *b, struct pv_blk_request *r)
{
    struct blkif_request *q = &sring(b)->ring[b->ring.prod % b->ring.size].req;
    unsigned id = 0;
    long error;

    while (id < PV_BLK_REQUESTS && b->requests[id])
        id++;
    if (id == PV_BLK_REQUESTS || !pv_ring_free(&b->ring))
        return -XEN_EBUSY;
    error = grant_pieces(b, r, q);
    if (error)
        return error;
    b->requests[id] = r;
    q->operation = r->operation;
    q->handle = b->device.number;
    q->id = id;
    q->sector_number = r->sector;
    b->ring.prod++;
    if (pv_ring_push(&b->ring))
        pv_event_send(b->port);
    return 0;
}

/* What pv_blk_wait's own request says when it is done. */
struct waiter {
    struct pv_blk_request request;
    bool done;
    int error;
};

static void waiter_done(struct pv_blk_request *r, int error)
{
    struct waiter *w = (struct waiter *)r;

    w->error = error;
    w->done = true;
}

long pv_blk_wait(struct pv_blk *b, struct pv_blk_request *r)
{
    struct waiter w = {.request = *r};
    evtchn_port_t ports[] = {b->port};
    struct sched_poll poll = {.nr_ports = 1};
    bool were_off = pv_events_off();
    long error;

    PV_SET_PTR(poll.ports, ports);
    w.request.done = waiter_done;
    error = pv_blk_submit(b, &w.request);
    while (!error && !w.done) {
        pv_event_clear(b->port);
        pv_blk_poll(b);
        if (!w.done)
            pv_sched_op(SCHEDOP_poll, &poll);
    }
    if (!were_off)
        pv_events_on();
    return error ? error : w.error;
}

static long connect(struct pv_blk *b, void *page)
{
    struct pv_device *d = &b->device;
    long ref = pv_grant_page(d->backend, page, false);
    long port = pv_event_alloc_unbound(d->backend);
    struct pv_device_key keys[] = {
        {"ring-ref", NULL, ref},
        {"event-channel", NULL, port},
        {"protocol", "x86_64-abi", 0},
    };
    long error;

    if (ref < 0 || port < 0)
        return ref < 0 ? ref : port;
    pv_ring_init(&b->ring, page, sizeof(union blkif_sring_entry));
    b->port = port;
    pv_event_set(port, on_event);
    pv_event_unmask(port);
    error = pv_device_publish(d, keys, ARRAY_SIZE(keys));
    if (!error)
        error = pv_device_set_state(d, XenbusStateInitialised);
    if (!error)
        error = pv_device_wait(d, 1 << XenbusStateConnected);
    return error < 0 ? error : 0;
}

long pv_blk_open(struct pv_blk *b, unsigned index)
{
    void *page = pv_page_alloc();
    unsigned slot = 0;
    long error;

    *b = (struct pv_blk){.sectors = 0};
    while (slot < DISKS && disks[slot])
        slot++;
    if (slot == DISKS || !page)
        return -XEN_ENOMEM;
    error = pv_xs_init();
    if (!error)
        error = pv_device_find(&b->device, "vbd", index);
    if (!error)
        error = pv_device_wait(&b->device, 1 << XenbusStateInitWait);
    if (error < 0)
        return error;
    disks[slot] = b;
    error = connect(b, page);
    if (error) {
        disks[slot] = NULL;
        return error;
    }
    b->sectors = pv_xs_read_number(b->device.back, "sectors", 0);
    b->readonly = pv_xs_read_number(b->device.back, "info", 0) & VDISK_READONLY;
    b->can_flush = pv_xs_read_number(b->device.back, "feature-flush-cache", 0);
    return pv_device_set_state(&b->device, XenbusStateConnected);
}
