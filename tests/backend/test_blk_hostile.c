/* SPDX-License-Identifier: MIT */
/* The block ring engine after predecessors that were killed, and with a hostile front end that
 * changes its memory at every access. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blk_fixture.h"

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
    Suite *suite = suite_create("blk hostile");
    TCase *t = tcase_create("ring");
    SRunner *runner;
    int failed;

    tcase_set_timeout(t, 0);
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
