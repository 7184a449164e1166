/* SPDX-License-Identifier: MIT */
/* The block ring engine: an honest front end whose data a model disk checks, predecessors that were
 * killed, and a hostile front end that changes its memory at every access. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/blk_ring.h"
#include "hostile.h"

#define SECTORS 4096u
#define ENTRIES 32u
#define QUEUE   64

/* A disk that does its requests when told to, in an order of its own. */
struct model {
    struct blk_io io;
    struct blk_limits limits;
    unsigned char *data;
    struct blk_request *queue[QUEUE];
    unsigned queued, flushes;
    bool at_once;
};

static struct guest guest;
static struct model disk;
static struct blk_ring *ring;
static struct blk_journal *journal;
static struct blkif_sring *shared;
static RING_IDX req_prod, rsp_cons;

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

static void model_do_one(struct model *m, int error)
{
    unsigned i = random_below(m->queued);
    struct blk_request *q = m->queue[i];

    m->queue[i] = m->queue[--m->queued];
    blk_ring_complete(q, error ? error : do_request(m, q));
}

static void ring_start(bool persistent, bool recover)
{
    ring = blk_ring_new(shared, ENTRIES, journal, recover, &guest.grants, persistent);
    ck_assert_ptr_nonnull(ring);
    ring->limits = &disk.limits;
    ring->io = &disk.io;
    ring->notifier = &guest.notifier;
}

static void begin(bool persistent)
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

static void finish(void)
{
    blk_ring_free(ring);
    guest_free(&guest);
    free(disk.data);
    free(shared);
    free(journal);
}

static struct blkif_request *slot(void)
{
    struct blkif_request *r = &shared->ring[req_prod++ % ENTRIES].req;

    memset(r, 0, sizeof(*r));
    return r;
}

static struct blkif_request *put_rw(uint8_t op, uint64_t id, uint64_t sector, unsigned segments,
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

static void push(void)
{
    SHARED_WRITE(shared->req_prod, req_prod);
}

static void serve(void)
{
    bool more;

    do {
        more = blk_ring_sweep(ring, BLK_SWEEP_MAX) || disk.queued;
        while (disk.queued)
            model_do_one(&disk, 0);
        blk_ring_settle(ring);
    } while (more);
}

static struct blkif_response answer(void)
{
    struct blkif_response rsp;

    ck_assert_uint_ne(shared->rsp_prod, rsp_cons);
    memcpy(&rsp, &shared->ring[rsp_cons++ % ENTRIES].rsp, sizeof(rsp));
    return rsp;
}

static void expect(uint64_t id, int status)
{
    struct blkif_response rsp = answer();

    ck_assert_uint_eq(rsp.id, id);
    ck_assert_int_eq(rsp.status, status);
}

static void fill_page(unsigned page, unsigned char with)
{
    memset(guest.page[page], with, PAGE_BYTES);
}

static void write_and_read_back(bool persistent)
{
    begin(persistent);
    fill_page(0, 0xaa);
    fill_page(1, 0xbb);
    put_rw(BLKIF_OP_WRITE, 7, 8, 2, 0);
    push();
    serve();
    expect(7, BLKIF_RSP_OKAY);
    ck_assert_uint_eq(disk.data[8 * 512], 0xaa);
    ck_assert_uint_eq(disk.data[23 * 512 + 511], 0xbb);
    put_rw(BLKIF_OP_READ, 8, 16, 1, 5)->seg[0].first_sect = 2;
    push();
    serve();
    expect(8, BLKIF_RSP_OKAY);
    ck_assert_uint_eq(guest.page[5][1023], 0);
    ck_assert_uint_eq(guest.page[5][1024], 0xbb);
    ck_assert_uint_eq(guest.copies == 0, persistent);
    ck_assert_uint_eq(shared->req_event, 3);
    ck_assert_uint_gt(guest.notified, 0);
    finish();
}

START_TEST(data_is_copied)
{
    write_and_read_back(false);
}
END_TEST

START_TEST(data_is_in_mapped_pages)
{
    write_and_read_back(true);
}
END_TEST

/* A page that cannot be mapped for writing can still be written from. */
START_TEST(readonly_grants_are_copied)
{
    begin(true);
    guest.readonly[3] = true;
    fill_page(3, 0xcc);
    put_rw(BLKIF_OP_WRITE, 1, 0, 1, 3);
    put_rw(BLKIF_OP_READ, 2, 0, 1, 3);
    push();
    serve();
    expect(1, BLKIF_RSP_OKAY);
    expect(2, BLKIF_RSP_ERROR);
    ck_assert_uint_eq(disk.data[0], 0xcc);
    finish();
}
END_TEST

static void put_indirect(uint64_t id, uint8_t op, unsigned segments, unsigned list_page)
{
    struct blkif_request_indirect *r = (void *)slot();

    r->operation = BLKIF_OP_INDIRECT;
    r->indirect_op = op;
    r->nr_segments = (uint16_t)segments;
    r->id = id;
    r->indirect_grefs[0] = FIRST_REF + list_page;
}

START_TEST(indirect_segments)
{
    struct blkif_request_segment *list;

    begin(false);
    list = (void *)guest.page[60];
    for (unsigned i = 0; i < 40; i++) {
        fill_page(i, (unsigned char)(i + 1));
        list[i] = (struct blkif_request_segment){FIRST_REF + i, 0, 7};
    }
    put_indirect(1, BLKIF_OP_WRITE, 40, 60);
    put_indirect(2, BLKIF_OP_WRITE, BLK_SEGMENTS_MAX + 1, 60);
    put_indirect(3, BLKIF_OP_DISCARD, 1, 60);
    put_indirect(4, BLKIF_OP_READ, 0, 60);
    put_indirect(5, BLKIF_OP_READ, 1, 1000);
    push();
    serve();
    for (unsigned i = 0; i < 5; i++) {
        struct blkif_response rsp = answer();

        ck_assert_int_eq(rsp.status, rsp.id == 1 ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR);
        ck_assert(rsp.id != 1 || rsp.operation == BLKIF_OP_WRITE);
    }
    for (unsigned i = 0; i < 40; i++)
        ck_assert_uint_eq(disk.data[i * PAGE_BYTES], i + 1);
    finish();
}
END_TEST

START_TEST(bad_requests_are_refused)
{
    begin(false);
    put_rw(BLKIF_OP_READ, 0, SECTORS - 7, 1, 0);
    put_rw(BLKIF_OP_READ, 1, UINT64_MAX - 3, 1, 0);
    put_rw(BLKIF_OP_READ, 2, 0, 1, 0)->seg[0].last_sect = 8;
    put_rw(BLKIF_OP_READ, 3, 0, 1, 0)->seg[0].first_sect = 8;
    put_rw(BLKIF_OP_READ, 4, 0, 0, 0);
    put_rw(BLKIF_OP_READ, 5, 0, 11, 0)->nr_segments = 12;
    put_rw(BLKIF_OP_WRITE, 6, 0, 1, 5000);
    push();
    serve();
    for (unsigned i = 0; i < 7; i++)
        expect(i, BLKIF_RSP_ERROR);
    put_rw(99, 7, 0, 0, 0);
    push();
    serve();
    expect(7, BLKIF_RSP_EOPNOTSUPP);
    disk.limits.read_only = true;
    put_rw(BLKIF_OP_WRITE, 8, 0, 1, 0);
    push();
    serve();
    expect(8, BLKIF_RSP_ERROR);
    finish();
}
END_TEST

START_TEST(large_blocks_are_respected)
{
    begin(false);
    disk.limits.align = 8;
    put_rw(BLKIF_OP_READ, 0, 8, 1, 0);
    put_rw(BLKIF_OP_READ, 1, 4, 1, 0);
    put_rw(BLKIF_OP_READ, 2, 8, 1, 0)->seg[0].last_sect = 3;
    push();
    serve();
    for (unsigned i = 0; i < 3; i++) {
        struct blkif_response rsp = answer();

        ck_assert_int_eq(rsp.status, rsp.id == 0 ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR);
    }
    finish();
}
END_TEST

static void put_discard(uint64_t id, uint64_t sector, uint64_t n, uint8_t flag)
{
    struct blkif_request_discard *r = (void *)slot();

    r->operation = BLKIF_OP_DISCARD;
    r->id = id;
    r->sector_number = sector;
    r->nr_sectors = n;
    r->flag = flag;
}

START_TEST(discards)
{
    begin(false);
    memset(disk.data, 0xff, SECTORS * BLK_SECTOR);
    put_discard(0, 8, 16, 0);
    push();
    serve();
    expect(0, BLKIF_RSP_OKAY);
    ck_assert_uint_eq(disk.data[8 * 512 - 1], 0xff);
    ck_assert_uint_eq(disk.data[8 * 512], 0);
    ck_assert_uint_eq(disk.data[24 * 512], 0xff);
    put_discard(1, 8, 0, 0);
    put_discard(2, SECTORS - 1, 2, 0);
    put_discard(3, 2, UINT64_MAX, 0);
    push();
    serve();
    for (unsigned i = 1; i < 4; i++)
        expect(i, BLKIF_RSP_ERROR);
    put_discard(4, 8, 8, BLKIF_DISCARD_SECURE);
    push();
    serve();
    expect(4, BLKIF_RSP_EOPNOTSUPP);
    finish();
}
END_TEST

/* The barrier waits for what was before it, and nothing after it is taken until it is done. */
START_TEST(barriers_order)
{
    begin(false);
    disk.at_once = false;
    fill_page(0, 1);
    fill_page(1, 2);
    put_rw(BLKIF_OP_WRITE, 0, 0, 1, 0);
    put_rw(BLKIF_OP_WRITE, 1, 16, 1, 0);
    put_rw(BLKIF_OP_WRITE_BARRIER, 2, 0, 1, 1);
    put_rw(BLKIF_OP_WRITE, 3, 0, 1, 0);
    push();
    blk_ring_sweep(ring, BLK_SWEEP_MAX);
    ck_assert_uint_eq(disk.queued, 2);
    model_do_one(&disk, 0);
    blk_ring_sweep(ring, BLK_SWEEP_MAX);
    ck_assert_uint_eq(disk.queued, 1);
    model_do_one(&disk, 0);
    ck_assert_uint_eq(disk.queue[0]->step, BLK_FLUSH);
    model_do_one(&disk, 0);
    ck_assert_uint_eq(disk.queue[0]->step, BLK_WRITE);
    model_do_one(&disk, 0);
    ck_assert_uint_eq(disk.data[0], 2);
    ck_assert_uint_eq(disk.queue[0]->step, BLK_FLUSH);
    blk_ring_sweep(ring, BLK_SWEEP_MAX);
    ck_assert_uint_eq(disk.queued, 1);
    model_do_one(&disk, 0);
    blk_ring_settle(ring);
    serve();
    ck_assert_uint_eq(shared->rsp_prod, 4);
    ck_assert_uint_eq(disk.data[0], 1);
    ck_assert_uint_eq(disk.flushes, 2);
    finish();
}
END_TEST

START_TEST(errors_are_reported)
{
    begin(false);
    disk.at_once = false;
    put_rw(BLKIF_OP_WRITE, 0, 0, 1, 0);
    put_rw(BLKIF_OP_FLUSH_DISKCACHE, 1, 0, 0, 0);
    push();
    blk_ring_sweep(ring, 1);
    model_do_one(&disk, EIO);
    blk_ring_sweep(ring, 1);
    model_do_one(&disk, EOPNOTSUPP);
    blk_ring_settle(ring);
    expect(0, BLKIF_RSP_ERROR);
    expect(1, BLKIF_RSP_EOPNOTSUPP);
    finish();
}
END_TEST

START_TEST(a_wild_producer_stops_the_ring)
{
    begin(false);
    SHARED_WRITE(shared->req_prod, ENTRIES + 1);
    ck_assert(!blk_ring_sweep(ring, BLK_SWEEP_MAX));
    ck_assert_ptr_nonnull(ring->broken);
    finish();
}
END_TEST

/* --- Predecessors that were killed --- */

/* What a killed process leaves: the shared page and the journal, as they were at that moment. */
static struct {
    bool taken, unpublished;
    RING_IDX published;
    unsigned char page[PAGE_BYTES];
    unsigned char journal[sizeof(struct blk_journal) + ENTRIES * sizeof(struct blk_entry)];
} remains;

static void die(void)
{
    if (remains.taken)
        return;
    remains.taken = true;
    memcpy(remains.page, shared, PAGE_BYTES);
    memcpy(remains.journal, journal, sizeof(remains.journal));
}

/* Responses are written, and recorded as such; whether rsp_prod has moved yet is a matter of luck.
 */
static void die_while_answering(struct guest *g)
{
    RING_IDX prod = shared->rsp_prod;

    (void)g;
    if (remains.taken)
        return;
    if (remains.unpublished)
        shared->rsp_prod = remains.published;
    die();
    shared->rsp_prod = prod;
}

static void live_a_while(void)
{
    for (unsigned steps = random_below(20); steps > 0 && !remains.taken; steps--) {
        remains.published = shared->rsp_prod;
        shared->rsp_event = shared->rsp_prod + 1;
        if (random_below(2))
            blk_ring_sweep(ring, 1 + random_below(8));
        else if (disk.queued && random_below(3))
            model_do_one(&disk, 0);
        else
            blk_ring_settle(ring);
    }
    die();
    guest.on_notify = NULL;
    while (disk.queued)
        model_do_one(&disk, EIO);
    blk_ring_settle(ring);
    blk_ring_free(ring);
    memcpy(shared, remains.page, PAGE_BYTES);
    memcpy(journal, remains.journal, sizeof(remains.journal));
}

/* Each request is answered exactly once in the end, and what was written is there. */
static void one_life_and_death(unsigned round)
{
    unsigned n, seen[ENTRIES] = {0};

    begin(round & 1);
    random_seed(test_seed() + round);
    n = 1 + random_below(ENTRIES);
    memset(&remains, 0, sizeof(remains));
    remains.unpublished = random_below(2);
    guest.on_notify = random_below(2) ? die_while_answering : NULL;
    disk.at_once = false;
    for (unsigned i = 0; i < n; i++) {
        fill_page(i, (unsigned char)(i + 1));
        put_rw(i == 9 ? BLKIF_OP_WRITE_BARRIER : BLKIF_OP_WRITE, i, i * 8ull, 1, i);
    }
    push();
    live_a_while();
    while (rsp_cons != shared->rsp_prod)
        seen[answer().id]++;
    ring_start(round & 1, true);
    ck_assert_ptr_null(ring->broken);
    serve();
    while (rsp_cons != shared->rsp_prod)
        seen[answer().id]++;
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(seen[i], 1);
        ck_assert_uint_eq(disk.data[i * 8 * 512], i + 1);
    }
    finish();
}

START_TEST(successors_finish_what_was_begun)
{
    for (unsigned round = 0; round < 200; round++)
        one_life_and_death(round);
}
END_TEST

/* --- Malice --- */

/* Writes something anywhere in the ring or in the pages: what was validated must not be read again.
 */
static void meddle(struct guest *g)
{
    uint32_t *word;

    if (random_below(4))
        return;
    if (random_below(3))
        word = (uint32_t *)&shared->ring[0] + random_below((PAGE_BYTES - PVABI_RING_HEAD) / 4);
    else
        word = (uint32_t *)g->page[random_below(GUEST_PAGES)] + random_below(PAGE_BYTES / 4);
    *word = random_below(2) ? (uint32_t)random_bits() : FIRST_REF + random_below(GUEST_PAGES);
}

static void put_anything(void)
{
    static const uint8_t ops[] = {0, 0, 1, 1, 2, 3, 5, 6, 6, 6, 4, 255};
    struct blkif_request *r = slot();
    struct blkif_request_indirect *in = (void *)r;

    for (unsigned i = 0; i < sizeof(*r) / 4; i++)
        ((uint32_t *)r)[i] = (uint32_t)random_bits();
    r->operation = ops[random_below(sizeof(ops))];
    r->sector_number = random_below(SECTORS + 100);
    if (r->operation == BLKIF_OP_INDIRECT) {
        in->indirect_op = (uint8_t)random_below(3);
        in->nr_segments = (uint16_t)random_below(BLK_SEGMENTS_MAX + 10);
        in->sector_number = random_below(SECTORS);
        in->indirect_grefs[0] = FIRST_REF + random_below(GUEST_PAGES + 2);
    } else if (r->operation == BLKIF_OP_DISCARD) {
        ((struct blkif_request_discard *)r)->nr_sectors = random_below(64);
        r->nr_segments = 0;
    } else {
        r->nr_segments = (uint8_t)random_below(13);
        for (unsigned i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
            r->seg[i] = (struct blkif_request_segment){FIRST_REF + random_below(GUEST_PAGES + 1),
                                                       (uint8_t)random_below(4),
                                                       (uint8_t)(3 + random_below(6))};
    }
}

/* Segment lists are plausible most of the time, or nothing would get past them. */
static void put_lists(void)
{
    for (unsigned p = 0; p < GUEST_PAGES; p += 1 + random_below(16)) {
        struct blkif_request_segment *list = (void *)guest.page[p];

        for (unsigned i = 0; i < BLK_SEGMENTS_MAX; i++)
            list[i] = (struct blkif_request_segment){FIRST_REF + random_below(GUEST_PAGES), 0,
                                                     (uint8_t)(random_below(200) ? 7 : 8)};
    }
}

static void hostile_run(bool persistent, uint64_t requests)
{
    uint64_t sent = 0;

    begin(persistent);
    guest.malicious = true;
    guest.meddle = meddle;
    for (unsigned i = 0; i < GUEST_PAGES; i += 7)
        guest.readonly[i] = true;
    while (sent < requests) {
        unsigned room = ENTRIES - (req_prod - ring->rsp_prod), n = random_below(room + 1);

        disk.at_once = random_below(2);
        disk.limits.align = random_below(8) ? 1 : 8;
        if (random_below(8) == 0)
            put_lists();
        for (unsigned i = 0; i < n; i++)
            put_anything();
        sent += n;
        push();
        blk_ring_sweep(ring, 1 + random_below(BLK_SWEEP_MAX));
        ck_assert_ptr_null(ring->broken);
        while (disk.queued && random_below(8))
            model_do_one(&disk, random_below(16) ? 0 : EIO);
        if (random_below(4))
            blk_ring_settle(ring);
        ck_assert_uint_le(ring->req_cons - ring->rsp_prod, ENTRIES);
    }
    disk.at_once = true;
    serve();
    serve();
    ck_assert_uint_eq(ring->rsp_prod, req_prod);
    ck_assert_ptr_null(memchr(ring->used, 1, sizeof(ring->used)));
    finish();
}

START_TEST(hostile_front_end)
{
    hostile_run(_i, test_requests(200000) / 2);
}
END_TEST

/* Indices that jump stop the ring, and only that. */
START_TEST(hostile_indices)
{
    for (unsigned round = 0; round < 200; round++) {
        begin(false);
        random_seed(test_seed() + round);
        for (unsigned i = 0; i < 20 && !ring->broken; i++) {
            put_anything();
            SHARED_WRITE(shared->req_prod, random_below(3) ? req_prod : (uint32_t)random_bits());
            SHARED_WRITE(shared->rsp_event, (uint32_t)random_bits());
            SHARED_WRITE(shared->rsp_prod, (uint32_t)random_bits());
            blk_ring_sweep(ring, BLK_SWEEP_MAX);
            blk_ring_settle(ring);
        }
        finish();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blk");
    TCase *t = tcase_create("ring");
    SRunner *runner;
    int failed;

    tcase_set_timeout(t, 0);
    tcase_add_test(t, data_is_copied);
    tcase_add_test(t, data_is_in_mapped_pages);
    tcase_add_test(t, readonly_grants_are_copied);
    tcase_add_test(t, indirect_segments);
    tcase_add_test(t, bad_requests_are_refused);
    tcase_add_test(t, large_blocks_are_respected);
    tcase_add_test(t, discards);
    tcase_add_test(t, barriers_order);
    tcase_add_test(t, errors_are_reported);
    tcase_add_test(t, a_wild_producer_stops_the_ring);
    tcase_add_test(t, successors_finish_what_was_begun);
    tcase_add_loop_test(t, hostile_front_end, 0, 2);
    tcase_add_test(t, hostile_indices);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
