/* SPDX-License-Identifier: MIT */
/* Memory that is granted to ourselves: which grant an address has, and what happens without the
 * driver. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <xengnttab.h>

#include "backend/port.h"
#include "backend/staging.h"

#define AREAS 5
#define PAGES 7

/* --- The driver --- */

static bool refuses;
static uint32_t next_ref;
static unsigned shared_pages;

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger, unsigned flags)
{
    static char handle;

    (void)logger;
    (void)flags;
    return (xengntshr_handle *)&handle;
}

void *xengntshr_share_pages(xengntshr_handle *h, uint32_t domid, int count, uint32_t *refs,
                            int writable)
{
    (void)h;
    ck_assert_uint_eq(domid, STAGING_DOMID);
    ck_assert_int_eq(writable, 1);
    if (refuses)
        return NULL;
    for (int i = 0; i < count; i++)
        refs[i] = next_ref++;
    shared_pages += (unsigned)count;
    return aligned_alloc(PAGE_BYTES, (size_t)count * PAGE_BYTES);
}

int xengntshr_unshare(xengntshr_handle *h, void *start, uint32_t count)
{
    (void)h;
    shared_pages -= count;
    free(start);
    return 0;
}

static void start(void)
{
    refuses = false;
    next_ref = 100;
    shared_pages = 0;
}

/* --- Tests --- */

static void expect(const char *address, uint32_t wanted)
{
    uint32_t ref = 0;

    ck_assert(staging_ref(address, &ref));
    ck_assert_uint_eq(ref, wanted);
}

START_TEST(each_page_has_its_grant)
{
    char *area[AREAS];

    for (unsigned i = 0; i < AREAS; i++) {
        area[i] = staging_new(PAGES);
        ck_assert_ptr_nonnull(area[i]);
    }
    /* In any order, as finding an area moves it. */
    for (unsigned n = 0; n < 1000; n++) {
        unsigned i = (unsigned)rand() % AREAS, page = (unsigned)rand() % PAGES;

        expect(area[i] + page * PAGE_BYTES + (unsigned)rand() % PAGE_BYTES, 100 + i * PAGES + page);
    }
    for (unsigned i = 0; i < AREAS; i++)
        staging_free(area[i], PAGES);
    ck_assert_uint_eq(shared_pages, 0);
}
END_TEST

START_TEST(ends_of_an_area)
{
    char *area = staging_new(PAGES);
    uint32_t ref;

    expect(area, 100);
    expect(area + PAGES * PAGE_BYTES - 1, 100 + PAGES - 1);
    ck_assert(!staging_ref(area - 1, &ref));
    ck_assert(!staging_ref(area + PAGES * PAGE_BYTES, &ref));
    ck_assert(!staging_ref(&ref, &ref));
    staging_free(area, PAGES);
    ck_assert(!staging_ref(area, &ref));
}
END_TEST

START_TEST(without_the_driver_memory_is_plain)
{
    char *plain, *granted = staging_new(PAGES);
    uint32_t ref;

    refuses = true;
    plain = staging_new(PAGES);
    ck_assert_ptr_nonnull(plain);
    ck_assert_uint_eq((uintptr_t)plain % PAGE_BYTES, 0);
    memset(plain, 0, PAGES * PAGE_BYTES);
    ck_assert(!staging_ref(plain, &ref));
    expect(granted + PAGE_BYTES, 101);
    staging_free(plain, PAGES);
    ck_assert_uint_eq(shared_pages, PAGES);
    staging_free(granted, PAGES);
    ck_assert_uint_eq(shared_pages, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("staging");
    TCase *t = tcase_create("staging");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, start, NULL);
    tcase_add_test(t, each_page_has_its_grant);
    tcase_add_test(t, ends_of_an_area);
    tcase_add_test(t, without_the_driver_memory_is_plain);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
