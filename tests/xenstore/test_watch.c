/* SPDX-License-Identifier: MIT */
/* Watches: whom events reach, by which paths, and what a client that does not read costs. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

#define BYTES(text) text, sizeof(text) - 1

static struct client dom0, dom1, dom2;

static void setup(void)
{
    harness_start();
    client_open(&dom0, 0);
    client_open(&dom1, 1);
    client_open(&dom2, 2);
    for (int i = 1; i < 3; i++) {
        char text[40];
        int len = snprintf(text, sizeof(text), "/local/domain/%d%cn%d", i, 0, i);

        expect(&dom0, XS_MKDIR, 0, text, "OK");
        expect_bytes(&dom0, XS_SET_PERMS, 0, text, (size_t)len + 1, "OK");
    }
}

static void teardown(void)
{
    client_close(&dom0);
    client_close(&dom1);
    client_close(&dom2);
    harness_stop();
}

static void watch(struct client *c, const char *path_and_token, size_t len)
{
    struct message m;

    ask(c, XS_WATCH, 0, path_and_token, len, &m);
    ck_assert_str_eq(m.data, "OK");
    expect_event(c, path_and_token, path_and_token + strlen(path_and_token) + 1);
}

START_TEST(reaches_above_not_beside)
{
    watch(&dom1, BYTES("a\0rel\0"));
    watch(&dom1, BYTES("/local/domain/1/a\0abs\0"));
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/local/domain/1/a/b/c\0x"), "OK");
    expect_event(&dom1, "/local/domain/1/a/b/c", "abs");
    expect_event(&dom1, "a/b/c", "rel");
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1/ab", "OK");
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1/a/b", "OK"); /* it is there: no event */
    expect_event(&dom1, NULL, NULL);
}
END_TEST

START_TEST(adding_and_removing)
{
    watch(&dom0, BYTES("/nowhere/at/all\0t\0"));
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("/nowhere/at/all\0t\0"), "EEXIST");
    watch(&dom0, BYTES("/nowhere/at/all\0u\0"));
    expect_bytes(&dom0, XS_UNWATCH, 99, BYTES("/nowhere/at/all\0t\0"), "OK"); /* any transaction */
    expect_bytes(&dom0, XS_UNWATCH, 0, BYTES("/nowhere/at/all\0t\0"), "ENOENT");
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("/a\0t"), "EINVAL");
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("@other\0t\0"), "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "/nowhere/at/all", "OK");
    expect_event(&dom0, "/nowhere/at/all", "u");
    expect_event(&dom0, NULL, NULL);
    for (int i = 0; i < 128; i++) {
        char text[20];

        watch(&dom1, text, (size_t)snprintf(text, sizeof(text), "w%ct%d", 0, i) + 1);
    }
    expect_bytes(&dom1, XS_WATCH, 0, BYTES("w\0more\0"), "ENOSPC");
    expect(&dom1, XS_RESET_WATCHES, 0, "", "OK");
    watch(&dom1, BYTES("w\0more\0"));
}
END_TEST

START_TEST(depth)
{
    expect_bytes(&dom0, XS_WATCH, 0,
                 BYTES("/d\0t\0"
                       "1\0"),
                 "OK");
    expect_event(&dom0, "/d", "t");
    expect(&dom0, XS_MKDIR, 0, "/d", "OK");
    expect_event(&dom0, "/d", "t");
    expect(&dom0, XS_MKDIR, 0, "/d/a", "OK");
    expect_event(&dom0, "/d/a", "t");
    expect(&dom0, XS_MKDIR, 0, "/d/a/b", "OK");
    expect_event(&dom0, NULL, NULL);
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("/d\0u\0-1\0"), "EINVAL");
}
END_TEST

START_TEST(removal)
{
    expect(&dom0, XS_MKDIR, 0, "/r/a/b", "OK");
    watch(&dom0, BYTES("/r\0above\0"));
    watch(&dom0, BYTES("/r/a/b\0below\0"));
    watch(&dom0, BYTES("/r/a/none\0none\0"));
    expect(&dom0, XS_RM, 0, "/r/a", "OK");
    expect_event(&dom0, "/r/a", "above"); /* one for the whole of it */
    expect_event(&dom0, "/r/a/b", "below");
    expect_event(&dom0, NULL, NULL);
}
END_TEST

START_TEST(only_who_may_read)
{
    watch(&dom2, BYTES("/local/domain/1\0t\0"));
    expect_bytes(&dom1, XS_WRITE, 0, BYTES("secret\0x"), "OK");
    expect_event(&dom2, NULL, NULL);
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("secret\0n1\0r2\0"), "OK");
    expect_event(&dom2, "/local/domain/1/secret", "t");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("secret\0n1\0"), "OK"); /* it could read before */
    expect_event(&dom2, "/local/domain/1/secret", "t");
    expect_bytes(&dom1, XS_WRITE, 0, BYTES("secret\0y"), "OK");
    expect_event(&dom2, NULL, NULL);
}
END_TEST

START_TEST(transaction_tells_when_it_ends)
{
    uint32_t t = begin(&dom0);

    watch(&dom1, BYTES("t\0w\0"));
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/local/domain/1/t/a\0x"), "OK");
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/local/domain/1/t/a\0y"), "OK");
    expect(&dom0, XS_MKDIR, t, "/local/domain/1/t/gone", "OK");
    expect(&dom0, XS_RM, t, "/local/domain/1/t/gone", "OK");
    expect_event(&dom1, NULL, NULL);
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK");
    expect_event(&dom1, "t/a", "w"); /* once */
    expect_event(&dom1, NULL, NULL);
}
END_TEST

/* A domain that does not read: whom its events came from has to wait, but not for ever, and no
 * reply gets lost. */
START_TEST(slow_reader)
{
    struct message m;

    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0r2\0"), "OK");
    watch(&dom2, BYTES("/local/domain/1\0t\0"));
    dom2.deaf = true;
    client_send(&dom2, XS_READ, 0, BYTES("/local/domain/2\0"));
    for (int i = 0; i < 20; i++)
        expect_bytes(&dom1, XS_WRITE, 0, BYTES("a\0x"), "OK");
    ck_assert_uint_eq(store.account[1]->outstanding, 20);
    client_send(&dom1, XS_READ, 0, BYTES("a\0"));
    conn_settle_all(&store);
    ck_assert(!client_next(&dom1, &m));
    store.now += store.event_timeout + 1;
    conn_settle_all(&store);
    ck_assert_uint_eq(store.account[1]->outstanding, 0);
    conn_settle_all(&store);
    ck_assert(client_next(&dom1, &m));
    dom2.deaf = false;
    dom2.limit = 7;
    conn_settle_all(&store);
    ck_assert(client_next(&dom2, &m));
    ck_assert_uint_eq(m.type, XS_READ);
    ck_assert(!client_next(&dom2, &m));
}
END_TEST

START_TEST(slow_reader_memory)
{
    store.quota[QUOTA_MEMORY] = 20000;
    watch(&dom1, BYTES("/local/domain/1\0t\0"));
    dom1.deaf = true;
    for (int i = 0; i < 1000; i++)
        expect_bytes(&dom0, XS_WRITE, 0, BYTES("/local/domain/1/a\0x"), "OK");
    ck_assert_int_le(store.account[1]->memory, 20100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-watch");
    TCase *t = tcase_create("watch");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, reaches_above_not_beside);
    tcase_add_test(t, adding_and_removing);
    tcase_add_test(t, depth);
    tcase_add_test(t, removal);
    tcase_add_test(t, only_who_may_read);
    tcase_add_test(t, transaction_tells_when_it_ends);
    tcase_add_test(t, slow_reader);
    tcase_add_test(t, slow_reader_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
