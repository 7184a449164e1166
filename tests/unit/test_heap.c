/* SPDX-License-Identifier: MIT */
/* The frame allocator on a machine of 64 MiB: blocks are apart, aligned, below their limit, clean;
 * nothing gets lost. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/mm.h>
#include <hv/print.h>

#define FRAMES  16384u
#define FIRST   256u
#define RUBBISH 0xa5

struct frame *frame_table;
uint64_t frame_max = FRAMES;
uint64_t tlb_epoch = 5;
static uint8_t *ram;
static uint64_t flushed; /* greatest stamp asked for */

void *host_frame_va(uint64_t n)
{
    return ram + n * PAGE_SIZE;
}

uint64_t host_va_frame(const void *va)
{
    return (uint64_t)((const uint8_t *)va - ram) / PAGE_SIZE;
}

void tlb_flush_older(uint64_t stamp)
{
    flushed = MAX(flushed, stamp);
}

void lock_contended(struct spinlock *l)
{
    (void)l;
    abort();
}

void host_lock_taken(struct spinlock *l)
{
    ck_assert_uint_eq(l->rank, RANK_HEAP);
}

void host_lock_dropped(struct spinlock *l)
{
    (void)l;
}

void bug_at(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

/* Each test has a process of its own, so the allocator begins anew. */
static void setup(void)
{
    frame_table = calloc(FRAMES, sizeof(*frame_table));
    ram = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
    memset(ram, RUBBISH, FRAMES * PAGE_SIZE);
    heap_add(FIRST, 5000);
    heap_add(5001, FRAMES); /* frame 5000 is no RAM */
    frame_table[5000].word = FW_REF_ONE;
}

static void teardown(void)
{
    free(frame_table);
    free(ram);
}

static void check_frames(mfn_t m, unsigned order)
{
    ck_assert_uint_eq(m.n & ((1u << order) - 1), 0);
    ck_assert_uint_ge(m.n, FIRST);
    ck_assert_uint_le(m.n + (1u << order), FRAMES);
    for (uint64_t n = m.n; n < m.n + (1u << order); n++) {
        ck_assert_uint_ne(n, 5000);
        ck_assert_uint_eq(frame_table[n].word, FW_REF_ONE);
        ck_assert_ptr_null(frame_table[n].owner);
    }
}

static bool filled_with(mfn_t m, unsigned order, uint8_t value)
{
    const uint8_t *p = mfn_va(m);
    size_t size = PAGE_SIZE << order;

    return p[0] == value && !memcmp(p, p + 1, size - 1);
}

START_TEST(all_can_be_had_and_comes_back)
{
    uint64_t total = heap_total_frames(), n = 0;
    static mfn_t got[FRAMES];
    mfn_t m;

    ck_assert_uint_eq(total, FRAMES - FIRST - 1);
    while (m = heap_alloc(0, HEAP_ANY_BITS), !mfn_eq(m, INVALID_MFN)) {
        check_frames(m, 0);
        got[n++] = m;
    }
    ck_assert_uint_eq(n, total);
    ck_assert_uint_eq(heap_free_frames(), 0);
    ck_assert_ptr_null(page_alloc(0));
    for (uint64_t i = 0; i < n; i++)
        heap_free(got[i * 7919 % n], 0);
    ck_assert_uint_eq(heap_free_frames(), total);
    m = heap_alloc(13, HEAP_ANY_BITS); /* 8192-16383: buddies found each other */
    ck_assert_uint_eq(m.n, 8192);
    ck_assert(mfn_eq(heap_alloc(13, HEAP_ANY_BITS), INVALID_MFN));
    ck_assert(mfn_eq(heap_alloc(HEAP_ORDER_MAX + 1, HEAP_ANY_BITS), INVALID_MFN));
}
END_TEST

START_TEST(limits_hold)
{
    mfn_t m;

    for (unsigned bits = 0; bits <= 20; bits++)
        ck_assert(mfn_eq(heap_alloc(0, bits), INVALID_MFN));
    for (unsigned bits = 21; bits <= 26; bits++) {
        m = heap_alloc(2, bits);
        check_frames(m, 2);
        ck_assert_uint_le((m.n + 4) << PAGE_SHIFT, 1ull << bits);
    }
    m = heap_alloc(0, HEAP_ANY_BITS); /* others leave low memory alone */
    ck_assert_uint_ge(m.n, FRAMES / 2);
}
END_TEST

START_TEST(frames_come_clean)
{
    mfn_t m = heap_alloc(3, HEAP_ANY_BITS | HEAP_AS_FOUND);

    ck_assert(filled_with(m, 3, RUBBISH));
    ck_assert_uint_eq(flushed, 0);
    heap_free(m, 3);
    while (m = heap_alloc(3, HEAP_ANY_BITS | HEAP_AS_FOUND), !filled_with(m, 3, 0))
        ck_assert(filled_with(m, 3, RUBBISH)); /* never used either */
    ck_assert_uint_eq(flushed, 5);
    m = heap_alloc(0, HEAP_ANY_BITS);
    ck_assert(filled_with(m, 0, 0));
}
END_TEST

/* A block is as stale as its stalest part. */
START_TEST(merging_keeps_the_latest_stamp)
{
    mfn_t big = heap_alloc(13, HEAP_ANY_BITS), half = mfn(big.n + 4096);

    tlb_epoch = 9;
    heap_free(half, 12);
    tlb_epoch = 7;
    heap_free(big, 12);
    flushed = 0;
    big = heap_alloc(13, HEAP_ANY_BITS);
    ck_assert_uint_eq(flushed, 9);
    ck_assert(filled_with(big, 13, 0));
}
END_TEST

START_TEST(random_use)
{
    static struct {
        mfn_t m;
        unsigned order;
        uint8_t mark;
    } held[200];
    uint64_t total = heap_total_frames(), used = 0;

    for (unsigned round = 0; round < 5000; round++) {
        unsigned i = (unsigned)rand() % ARRAY_SIZE(held);

        if (held[i].mark) {
            ck_assert(filled_with(held[i].m, held[i].order, held[i].mark));
            heap_free(held[i].m, held[i].order);
            used -= 1u << held[i].order;
            held[i].mark = 0;
        } else {
            held[i].order = (unsigned)rand() % 7;
            held[i].m = heap_alloc(held[i].order, rand() % 4 ? HEAP_ANY_BITS : 24);
            if (mfn_eq(held[i].m, INVALID_MFN))
                continue;
            check_frames(held[i].m, held[i].order);
            ck_assert(filled_with(held[i].m, held[i].order, 0));
            held[i].mark = (uint8_t)(1 + rand() % 255);
            memset(mfn_va(held[i].m), held[i].mark, PAGE_SIZE << held[i].order);
            used += 1u << held[i].order;
        }
        ck_assert_uint_eq(heap_free_frames(), total - used);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("heap");
    TCase *c = tcase_create("heap");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, all_can_be_had_and_comes_back);
    tcase_add_test(c, limits_hold);
    tcase_add_test(c, frames_come_clean);
    tcase_add_test(c, merging_keeps_the_latest_stamp);
    tcase_add_test(c, random_use);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
