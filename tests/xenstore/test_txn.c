/* SPDX-License-Identifier: MIT */
/* Transactions: isolation, conflicts only where paths were touched, all or nothing, accounts. */
#include <check.h>
#include <string.h>

#include "../../xenstore-lite/transaction.h"
#include "harness.h"

#define BYTES(text) text, sizeof(text) - 1

static struct client dom0, other, dom1;

static void setup(void)
{
    harness_start();
    client_open(&dom0, 0);
    client_open(&other, 0);
    client_open(&dom1, 1);
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/x\0one"), "OK");
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/y\0two"), "OK");
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0"), "OK");
}

static void teardown(void)
{
    client_close(&dom0);
    client_close(&other);
    client_close(&dom1);
    harness_stop();
}

START_TEST(isolation)
{
    uint32_t t = begin(&dom0);

    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/x\0mine"), "OK");
    expect(&dom0, XS_MKDIR, t, "/b/c", "OK");
    expect(&dom0, XS_READ, t, "/a/x", "mine");
    expect(&other, XS_READ, 0, "/a/x", "one");
    expect(&other, XS_READ, 0, "/b", "ENOENT");
    expect_bytes(&other, XS_WRITE, 0, BYTES("/a/y\0later"), "OK");
    expect(&dom0, XS_READ, t, "/a/y", "two"); /* as it was when the transaction began */
    expect(&dom0, XS_TRANSACTION_END, t, "F", "OK");
    expect(&dom0, XS_READ, 0, "/a/x", "one");
    expect(&dom0, XS_READ, t, "/a/x", "ENOENT");
}
END_TEST

START_TEST(commit)
{
    uint32_t t = begin(&dom0);

    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/x\0new"), "OK");
    expect(&dom0, XS_RM, t, "/a/y", "OK");
    expect(&dom0, XS_MKDIR, t, "/b/c/d", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, t, BYTES("/b/c\0r1\0"), "OK");
    audit(); /* nothing is in the accounts yet but the transaction */
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK");
    expect(&dom0, XS_READ, 0, "/a/x", "new");
    expect(&dom0, XS_READ, 0, "/a/y", "ENOENT");
    expect(&dom0, XS_GET_PERMS, 0, "/b/c", "r1");
    expect(&dom0, XS_GET_PERMS, 0, "/b/c/d", "n0");
}
END_TEST

START_TEST(conflicts)
{
    uint32_t t = begin(&dom0);

    expect(&dom0, XS_READ, t, "/a/x", "one");
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/y\0mine"), "OK");
    expect_bytes(&other, XS_WRITE, 0, BYTES("/a/x\0changed"), "OK");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "EAGAIN");
    expect(&dom0, XS_READ, 0, "/a/y", "two");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "ENOENT"); /* it is gone */

    t = begin(&dom0); /* what was not there is there now */
    expect(&dom0, XS_READ, t, "/a/z", "ENOENT");
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/y\0mine"), "OK");
    expect(&other, XS_MKDIR, 0, "/a/z", "OK");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "EAGAIN");

    t = begin(&dom0); /* a list of children has grown */
    ask(&dom0, XS_DIRECTORY, t, BYTES("/a\0"), &(struct message){0});
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/y\0mine"), "OK");
    expect(&other, XS_MKDIR, 0, "/a/w", "OK");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "EAGAIN");
}
END_TEST

START_TEST(no_conflicts)
{
    uint32_t t = begin(&dom0), u;

    expect(&dom0, XS_READ, t, "/a/x", "one");
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/y\0mine"), "OK");
    expect(&dom0, XS_MKDIR, t, "/a/mine", "OK");
    expect(&other, XS_MKDIR, 0, "/a/theirs", "OK");                   /* a sibling */
    expect_bytes(&other, XS_WRITE, 0, BYTES("/a\0dir"), "OK");        /* the parent's value */
    expect_bytes(&other, XS_WRITE, 0, BYTES("/a/y\0blind"), "OK");    /* written, but not read */
    expect_bytes(&other, XS_SET_PERMS, 0, BYTES("/a/x\0r1\0"), "OK"); /* not the value */
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK");
    expect(&dom0, XS_READ, 0, "/a/y", "mine");
    expect(&dom0, XS_READ, 0, "/a", "dir");
    expect(&dom0, XS_READ, 0, "/a/theirs", "");
    expect(&dom0, XS_READ, 0, "/a/mine", "");

    t = begin(&dom0); /* who only read succeeds always, and saw one moment */
    u = begin(&other);
    expect_bytes(&other, XS_WRITE, u, BYTES("/a/x\0by u"), "OK");
    expect(&dom0, XS_READ, t, "/a/x", "one");
    expect(&other, XS_TRANSACTION_END, u, "T", "OK");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK");
}
END_TEST

/* Removed, made again, with other permissions: the result is that, on another tree, too. */
START_TEST(repeated_on_a_new_tree)
{
    uint32_t t = begin(&dom0);

    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/sub/old\0x"), "OK");
    expect(&dom0, XS_RM, t, "/a", "OK");
    expect_bytes(&dom0, XS_WRITE, t, BYTES("/a/new/deep\0y"), "OK");
    expect_bytes(&dom0, XS_SET_PERMS, t, BYTES("/a/new\0b1\0"), "OK");
    expect(&other, XS_MKDIR, 0, "/elsewhere", "OK");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK");
    expect(&dom0, XS_READ, 0, "/a/x", "ENOENT");
    expect(&dom0, XS_READ, 0, "/a/sub", "ENOENT");
    expect(&dom0, XS_READ, 0, "/a/new/deep", "y");
    expect(&dom0, XS_GET_PERMS, 0, "/a/new", "b1");
    expect(&dom0, XS_GET_PERMS, 0, "/a/new/deep", "n0");
    expect(&dom0, XS_READ, 0, "/elsewhere", "");
}
END_TEST

START_TEST(rights_are_judged_again)
{
    uint32_t t;

    expect(&dom0, XS_MKDIR, 0, "/local/domain/1/shared", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1/shared\0n0\0b1\0"), "OK");
    t = begin(&dom1);
    expect_bytes(&dom1, XS_WRITE, t, BYTES("shared\0x"), "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1/shared\0n0\0r1\0"), "OK");
    expect(&dom1, XS_TRANSACTION_END, t, "T", "EAGAIN");
    expect(&dom1, XS_READ, 0, "shared", "");
}
END_TEST

START_TEST(ends_and_begins)
{
    uint32_t t = begin(&dom0);

    expect(&dom0, XS_TRANSACTION_START, t, "", "EBUSY");
    expect(&dom0, XS_TRANSACTION_END, t, "x", "EINVAL");
    expect(&dom0, XS_TRANSACTION_END, t, "T", "OK"); /* so it was still there */
    expect(&dom0, XS_TRANSACTION_END, 0, "T", "ENOENT");
    t = begin(&dom0);
    expect(&other, XS_READ, t, "/a", "ENOENT"); /* it is the other connection's */
    expect(&dom0, XS_RESET_WATCHES, 0, "", "OK");
    expect(&dom0, XS_READ, t, "/a", "ENOENT");
}
END_TEST

START_TEST(quotas)
{
    uint32_t t[10];

    for (int i = 0; i < 10; i++)
        t[i] = begin(&dom1);
    expect(&dom1, XS_TRANSACTION_START, 0, "", "ENOSPC");
    for (int i = 1; i < 10; i++)
        expect(&dom1, XS_TRANSACTION_END, t[i], "F", "OK");
    store.quota[QUOTA_TRANSACTION_NODES] = 2;
    expect(&dom1, XS_MKDIR, t[0], "a", "OK");
    expect(&dom1, XS_READ, t[0], "b", "ENOENT");
    expect(&dom1, XS_READ, t[0], "a", "");
    expect(&dom1, XS_READ, t[0], "c", "ENOSPC");
    expect(&dom1, XS_TRANSACTION_END, t[0], "T", "OK");
    /* Nodes made in two transactions, each within the quota, together are not. */
    store.quota[QUOTA_TRANSACTION_NODES] = 9;
    store.quota[QUOTA_NODES] = 3;
    t[0] = begin(&dom1);
    t[1] = begin(&dom1);
    expect(&dom1, XS_MKDIR, t[0], "one", "OK");
    expect(&dom1, XS_MKDIR, t[1], "two", "OK");
    expect(&dom1, XS_TRANSACTION_END, t[0], "T", "OK");
    expect(&dom1, XS_TRANSACTION_END, t[1], "T", "ENOSPC");
    expect(&dom1, XS_READ, 0, "two", "ENOENT");
}
END_TEST

/* Open transactions of domains cannot keep any amount of memory: they are given up. */
START_TEST(pinned_memory)
{
    char big[2000] = "/a/x";
    uint32_t t = begin(&dom1), u = begin(&other), v;

    expect_bytes(&dom1, XS_WRITE, t, BYTES("w\0mine"), "OK");
    expect_bytes(&other, XS_WRITE, u, BYTES("/w\0mine"), "OK");
    for (int i = 0; i < 10000 && !LIST_FIRST(&dom1.conn->txns)->doomed; i++) {
        v = begin(&dom0);
        expect_bytes(&dom0, XS_WRITE, 0, big, sizeof(big), "OK");
        expect(&dom0, XS_TRANSACTION_END, v, "F", "OK");
        store.pinned += 1 << 20; /* as if the nodes were larger */
    }
    expect(&dom1, XS_TRANSACTION_END, t, "T", "EAGAIN");
    expect(&other, XS_TRANSACTION_END, u, "T", "OK");
}
END_TEST

/* Who makes others' transactions fail all the time has to wait. */
START_TEST(conflict_credit)
{
    uint32_t t;

    expect(&dom1, XS_MKDIR, 0, "state", "OK");
    for (int i = 0; i < 10; i++) {
        t = begin(&dom0);
        expect(&dom0, XS_READ, t, "/local/domain/1/state", i ? "x" : "");
        expect(&dom0, XS_MKDIR, t, "/seen", "OK");
        expect_bytes(&dom1, XS_WRITE, 0, BYTES("state\0x"), "OK");
        expect(&dom0, XS_TRANSACTION_END, t, "T", "EAGAIN");
    }
    client_send(&dom1, XS_WRITE, 0, BYTES("state\0y"));
    ck_assert_uint_ne(conn_settle_all(&store), 0);
    expect(&dom0, XS_READ, 0, "/local/domain/1/state", "x");
    store.now += 100;
    conn_settle_all(&store);
    expect(&dom0, XS_READ, 0, "/local/domain/1/state", "y");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-txn");
    TCase *t = tcase_create("txn");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, isolation);
    tcase_add_test(t, commit);
    tcase_add_test(t, conflicts);
    tcase_add_test(t, no_conflicts);
    tcase_add_test(t, repeated_on_a_new_tree);
    tcase_add_test(t, rights_are_judged_again);
    tcase_add_test(t, ends_and_begins);
    tcase_add_test(t, quotas);
    tcase_add_test(t, pinned_memory);
    tcase_add_test(t, conflict_credit);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
