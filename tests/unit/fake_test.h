/* SPDX-License-Identifier: MIT */
/* For check programs on the fake machine: every test begins with three booted domains and ends with
 * an audit. */
#ifndef TESTS_FAKE_TEST_H
#define TESTS_FAKE_TEST_H

#include <check.h>
#include <string.h>

#include "fake.h"

#define d0        (fake_dom[0])
#define d1        (fake_dom[1])
#define d2        (fake_dom[2])
#define run_as(d) fake_run((d)->vcpu[0])

/* Calls with arguments in guest memory; what the hypervisor writes there is copied back. */
static inline long call(unsigned nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    long rc = hypercall_dispatch(nr, (uint64_t[6]){a0, a1, a2, a3});

    fake_no_locks("the end of a call");
    fake_audit();
    return rc;
}

static inline uint64_t put_in_guest(const void *p, size_t size)
{
    memcpy(fake_guest, p, size);
    return FAKE_GUEST;
}

static inline long call_event(unsigned cmd, void *arg, size_t size)
{
    long rc = call(__HYPERVISOR_event_channel_op, cmd, put_in_guest(arg, size), 0, 0);

    memcpy(arg, fake_guest, size);
    return rc;
}

static inline long call_grant(unsigned cmd, void *ops, size_t size, unsigned count)
{
    long rc = call(__HYPERVISOR_grant_table_op, cmd, put_in_guest(ops, size * count), count, 0);

    memcpy(ops, fake_guest, size * count);
    return rc;
}

/* The last call was refused with a sentence that has `word` in it. */
static inline void said(const char *word)
{
    ck_assert_msg(strstr(fake_sentence, word), "\"%s\" is not in \"%s\"", word, fake_sentence);
}

static inline void boot_machine(void)
{
    fake_reset(NULL);
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        fake_boot(fake_dom[i]);
    run_as(d1);
    fake_audit();
}

static inline int run_tests(const char *name, const TTest *const *tests, unsigned count)
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create(name);
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, boot_machine, fake_audit);
    tcase_set_timeout(t, 60);
    for (unsigned i = 0; i < count; i++)
        tcase_add_test(t, tests[i]);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}

/* RUN_TESTS("name", a, b, c) as the body of main. */
#define RUN_TESTS(name, ...)                                                                       \
    const TTest *tests[] = {__VA_ARGS__};                                                          \
    return run_tests(name, tests, sizeof(tests) / sizeof(tests[0]))

#endif
