/* SPDX-License-Identifier: MIT */
/* The block ring engine with an honest front end, whose data a model disk checks, and with requests
 * that are wrong each in its own way. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blk_fixture.h"

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
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
