/* SPDX-License-Identifier: MIT */
/* The honest front end and the model disk. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "blk_fixture.h"

struct guest guest;
struct model disk;
struct blk_ring *ring;
struct blk_journal *journal;
struct blkif_sring *shared;
RING_IDX req_prod, rsp_cons;

static int do_request(struct model *m, struct blk_request *q)
{
    unsigned char *at;
    uint64_t bytes;

    if (q->step == BLK_FLUSH) {
        m->flushes++;
        return 0;
    }
    ck_assert_uint_le(q->sector + q->sectors, m->limits.sectors);
    at = m->data + q->sector * BLK_SECTOR;
    if (q->step == BLK_DISCARD) {
        memset(at, 0, q->sectors * BLK_SECTOR);
        return 0;
    }
    ck_assert(q->step == BLK_READ || !m->limits.read_only);
    bytes = q->sectors * BLK_SECTOR;
    ck_assert(q->buffer >= ring->memory);
    ck_assert_uint_le((size_t)(q->buffer - ring->memory) + bytes, BLK_BUFFER_PAGES * PAGE_BYTES);
    ck_assert_uint_le(bytes, q->buffer_pages * PAGE_BYTES);
    if (q->step == BLK_READ)
        memcpy(q->buffer, at, bytes);
    else
        memcpy(at, q->buffer, bytes);
    return 0;
}

static void model_submit(struct blk_io *io, struct blk_request *q)
{
    struct model *m = (struct model *)io;

    if (m->at_once) {
        blk_ring_complete(q, do_request(m, q));
        return;
    }
    ck_assert_uint_lt(m->queued, QUEUE);
    m->queue[m->queued++] = q;
}

void model_do_one(struct model *m, int error)
{
    unsigned i = random_below(m->queued);
    struct blk_request *q = m->queue[i];

    m->queue[i] = m->queue[--m->queued];
    blk_ring_complete(q, error ? error : do_request(m, q));
}

void ring_start(bool persistent, bool recover)
{
    ring = blk_ring_new(shared, ENTRIES, journal, recover, &guest.grants, persistent);
    ck_assert_ptr_nonnull(ring);
    ring->limits = &disk.limits;
    ring->io = &disk.io;
    ring->notifier = &guest.notifier;
}

void begin(bool persistent)
{
    random_seed(test_seed());
    guest_init(&guest);
    disk = (struct model){.io.submit = model_submit,
                          .limits = {.sectors = SECTORS, .align = 1, .discard = true},
                          .data = calloc(SECTORS, BLK_SECTOR),
                          .at_once = true};
    shared = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
    memset(shared, 0, PAGE_BYTES);
    shared->req_event = shared->rsp_event = 1;
    journal = calloc(1, blk_journal_bytes(ENTRIES));
    req_prod = rsp_cons = 0;
    ring_start(persistent, false);
}

void finish(void)
{
    blk_ring_free(ring);
    guest_free(&guest);
    free(disk.data);
    free(shared);
    free(journal);
}

struct blkif_request *slot(void)
{
    struct blkif_request *r = &shared->ring[req_prod++ % ENTRIES].req;

    memset(r, 0, sizeof(*r));
    return r;
}

struct blkif_request *put_rw(uint8_t op, uint64_t id, uint64_t sector, unsigned segments,
                             unsigned page)
{
    struct blkif_request *r = slot();

    r->operation = op;
    r->nr_segments = (uint8_t)segments;
    r->id = id;
    r->sector_number = sector;
    for (unsigned i = 0; i < segments; i++)
        r->seg[i] = (struct blkif_request_segment){FIRST_REF + page + i, 0, 7};
    return r;
}

void push(void)
{
    SHARED_WRITE(shared->req_prod, req_prod);
}

void serve(void)
{
    bool more;

    do {
        more = blk_ring_sweep(ring, BLK_SWEEP_MAX) || disk.queued;
        while (disk.queued)
            model_do_one(&disk, 0);
        blk_ring_settle(ring);
    } while (more);
}

struct blkif_response answer(void)
{
    struct blkif_response rsp;

    ck_assert_uint_ne(shared->rsp_prod, rsp_cons);
    memcpy(&rsp, &shared->ring[rsp_cons++ % ENTRIES].rsp, sizeof(rsp));
    return rsp;
}

void expect(uint64_t id, int status)
{
    struct blkif_response rsp = answer();

    ck_assert_uint_eq(rsp.id, id);
    ck_assert_int_eq(rsp.status, status);
}

void fill_page(unsigned page, unsigned char with)
{
    memset(guest.page[page], with, PAGE_BYTES);
}
