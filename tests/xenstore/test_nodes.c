/* SPDX-License-Identifier: MIT */
/* Requests that concern nodes: replies, errors, paths, permissions. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static struct client dom0, dom1, dom2;

static void setup(void)
{
    harness_start();
    client_open(&dom0, 0);
    client_open(&dom1, 1);
    client_open(&dom2, 2);
}

static void teardown(void)
{
    client_close(&dom0);
    client_close(&dom1);
    client_close(&dom2);
    harness_stop();
}

#define BYTES(text) text, sizeof(text) - 1

START_TEST(write_and_read)
{
    struct message m;

    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/b\0value"), "OK");
    expect(&dom0, XS_READ, 0, "/a/b", "value");
    expect(&dom0, XS_READ, 0, "/a", "");
    expect(&dom0, XS_READ, 0, "/a/c", "ENOENT");
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/b\0\0x\0"), "OK");
    ask(&dom0, XS_READ, 0, BYTES("/a/b\0"), &m);
    ck_assert_uint_eq(m.len, 3);
    ck_assert(!memcmp(m.data, "\0x\0", 3));
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/b\0"), "OK");
    expect(&dom0, XS_READ, 0, "/a/b", "");
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/a/b"), "EINVAL");
    expect_bytes(&dom0, XS_READ, 0, BYTES("/a\0/b\0"), "EINVAL");
    expect_bytes(&dom0, XS_READ, 0, "", 0, "EINVAL");
}
END_TEST

START_TEST(paths)
{
    char longest[XENSTORE_ABS_PATH_MAX + 2];

    expect(&dom0, XS_MKDIR, 0, "/A-z_9@x", "OK");
    expect(&dom0, XS_MKDIR, 0, "/a//b", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "/a/", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "//", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "/a.b", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "@nobody", "EINVAL");
    expect(&dom0, XS_READ, 0, "@releaseDomain", "EINVAL");
    expect(&dom0, XS_MKDIR, 0, "/", "OK");
    expect(&dom0, XS_MKDIR, 0, "here", "OK");
    expect(&dom0, XS_READ, 0, "/local/domain/0/here", "");
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[XENSTORE_ABS_PATH_MAX] = 0;
    expect(&dom0, XS_MKDIR, 0, longest, "OK");
    longest[XENSTORE_ABS_PATH_MAX] = 'x';
    longest[XENSTORE_ABS_PATH_MAX + 1] = 0;
    expect(&dom0, XS_MKDIR, 0, longest, "EINVAL");
    longest[XENSTORE_ABS_PATH_MAX] = 0;
    expect(&dom1, XS_READ, 0, longest, "EINVAL"); /* domains may not say that much */
}
END_TEST

START_TEST(directory)
{
    static const char names[] = "a\0b\0long-name-of-one-thing\0long-name-of-one-thing2\0z";
    struct message m;

    expect(&dom0, XS_MKDIR, 0, "/d/z", "OK");
    expect(&dom0, XS_MKDIR, 0, "/d/long-name-of-one-thing2", "OK");
    expect(&dom0, XS_MKDIR, 0, "/d/b", "OK");
    expect(&dom0, XS_MKDIR, 0, "/d/long-name-of-one-thing", "OK");
    expect(&dom0, XS_MKDIR, 0, "/d/a", "OK");
    ask(&dom0, XS_DIRECTORY, 0, BYTES("/d\0"), &m);
    ck_assert_uint_eq(m.len, sizeof(names));
    ck_assert(!memcmp(m.data, names, sizeof(names)));
    ask(&dom0, XS_DIRECTORY, 0, BYTES("/d/a\0"), &m);
    ck_assert_uint_eq(m.type, XS_DIRECTORY);
    ck_assert_uint_eq(m.len, 0);
}
END_TEST

/* A directory whose list is longer than a message. */
START_TEST(directory_part)
{
    char path[40], generation[24] = "";
    size_t offset = 0, seen = 0, len;
    struct message m;
    bool end = false;

    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof(path), "/many/%09d", i);
        expect(&dom0, XS_MKDIR, 0, path, "OK");
    }
    expect(&dom0, XS_DIRECTORY, 0, "/many", "E2BIG");
    while (!end) {
        len = (size_t)snprintf(path, sizeof(path), "/many%c%zu", 0, offset) + 1;
        ask(&dom0, XS_DIRECTORY_PART, 0, path, len, &m);
        ck_assert_uint_eq(m.type, XS_DIRECTORY_PART);
        if (!*generation)
            strcpy(generation, m.data);
        ck_assert_str_eq(m.data, generation);
        for (len = strlen(m.data) + 1; len < m.len && m.data[len]; len += 10, offset += 10)
            ck_assert_int_eq(atoi(m.data + len), (int)seen++);
        end = len < m.len;
    }
    ck_assert_uint_eq(seen, 1000);
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/many/000000001\0x"), "OK");
    ask(&dom0, XS_DIRECTORY_PART, 0,
        BYTES("/many\0"
              "99999\0"),
        &m);
    ck_assert_str_eq(m.data, generation); /* a child's value does not count */
    ck_assert_uint_eq(m.len, strlen(generation) + 2);
    expect(&dom0, XS_RM, 0, "/many/000000001", "OK");
    ask(&dom0, XS_DIRECTORY_PART, 0,
        BYTES("/many\0"
              "0\0"),
        &m);
    ck_assert_str_ne(m.data, generation);
}
END_TEST

START_TEST(removal)
{
    expect(&dom0, XS_MKDIR, 0, "/a/b/c", "OK");
    expect(&dom0, XS_RM, 0, "/", "EINVAL");
    expect(&dom0, XS_RM, 0, "/a/x", "OK");
    expect(&dom0, XS_RM, 0, "/x/y", "ENOENT");
    expect(&dom0, XS_RM, 0, "/a", "OK");
    expect(&dom0, XS_READ, 0, "/a/b/c", "ENOENT");
}
END_TEST

START_TEST(permissions)
{
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1/own", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0r2\0"), "OK");
    expect(&dom1, XS_READ, 0, "own", "EACCES");
    expect_bytes(&dom1, XS_WRITE, 0, BYTES("mine/deep\0x"), "OK");
    expect(&dom1, XS_GET_PERMS, 0, "mine/deep", "n1");
    expect(&dom2, XS_READ, 0, "/local/domain/1/mine/deep", "x"); /* inherited */
    expect_bytes(&dom2, XS_WRITE, 0, BYTES("/local/domain/1/mine/deep\0y"), "EACCES");
    expect_bytes(&dom2, XS_SET_PERMS, 0, BYTES("/local/domain/1/mine\0n2\0"), "EACCES");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0n2\0"), "EPERM"); /* only dom0 gives away */
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0n1\0w2\0"), "OK");
    expect_bytes(&dom2, XS_WRITE, 0, BYTES("/local/domain/1/mine/new\0y"), "OK");
    expect(&dom2, XS_GET_PERMS, 0, "/local/domain/1/mine/new", "n2");
    expect(&dom1, XS_READ, 0, "mine/new", "EACCES");
    expect(&dom1, XS_READ, 0, "/nothing", "EACCES"); /* nor may it know that there is nothing */
    expect(&dom1, XS_READ, 0, "nothing", "ENOENT");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0x1\0"), "EINVAL");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0n1"), "EINVAL");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0n40000\0"), "EINVAL");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("mine\0n1\0r2\0r3\0r4\0r5\0r6\0"), "ENOSPC");
    expect_bytes(&dom1, XS_SET_PERMS, 0, BYTES("@releaseDomain\0n1\0"), "EACCES");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("@releaseDomain\0n0\0r1\0"), "OK");
    expect(&dom1, XS_GET_PERMS, 0, "@releaseDomain", "n0");
}
END_TEST

START_TEST(unknown_and_privileged)
{
    expect(&dom0, 20, 0, "x", "ENOSYS");
    expect(&dom0, XS_ERROR, 0, "x", "ENOSYS");
    expect(&dom0, XS_WATCH_EVENT, 0, "x", "ENOSYS");
    expect(&dom0, 4711, 0, "x", "ENOSYS");
    expect_bytes(&dom1, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "1\0"),
                 "EACCES");
    expect(&dom1, XS_CONTROL, 77, "help", "EACCES"); /* privilege is asked before the transaction */
    expect(&dom0, XS_READ, 77, "/", "ENOENT");
    expect(&dom1, XS_GET_DOMAIN_PATH, 0, "5", "/local/domain/5");
}
END_TEST

START_TEST(quotas)
{
    char text[XENSTORE_PAYLOAD_MAX] = "big";
    int made = 0;
    struct message m;

    expect(&dom0, XS_MKDIR, 0, "/local/domain/1", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0"), "OK");
    expect_bytes(&dom1, XS_WRITE, 0, text, 4 + 2040, "OK");
    expect_bytes(&dom1, XS_WRITE, 0, text, 4 + 2050, "ENOSPC");
    expect_bytes(&dom0, XS_WRITE, 0, text, 4 + 4000, "OK");
    for (;; made++) {
        snprintf(text, sizeof(text), "n%d", made);
        ask(&dom1, XS_MKDIR, 0, text, strlen(text) + 1, &m);
        if (m.type == XS_ERROR)
            break;
    }
    ck_assert_str_eq(m.data, "ENOSPC");
    ck_assert_int_eq(made, 998);         /* its directory and "big" are there */
    expect(&dom1, XS_RM, 0, "n0", "OK"); /* that goes on */
    expect(&dom1, XS_MKDIR, 0, "n0", "OK");
    store.quota[QUOTA_MEMORY] = (uint32_t)store.account[1]->memory + 300;
    expect_bytes(&dom1, XS_WRITE, 0, BYTES("n0\0little"), "OK");
    memset(text, 0, sizeof(text));
    strcpy(text, "n1");
    expect_bytes(&dom1, XS_WRITE, 0, text, 3 + 1000, "ENOSPC");
}
END_TEST

/* Bytes come in any pieces; a message that is too long ends the connection. */
START_TEST(framing)
{
    struct xsd_sockmsg header = {XS_READ, 1, 0, 2};
    char bytes[sizeof(header) + 2];
    struct message m;

    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), "/", 2);
    for (size_t i = 0; i < sizeof(bytes); i++)
        client_write(&dom0, bytes + i, 1);
    conn_settle_all(&store);
    ck_assert(client_next(&dom0, &m));
    ck_assert_uint_eq(m.type, XS_READ);
    header.len = XENSTORE_PAYLOAD_MAX + 1;
    client_write(&dom1, &header, sizeof(header));
    conn_settle_all(&store);
    ck_assert_ptr_null(dom1.conn);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-nodes");
    TCase *t = tcase_create("nodes");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, write_and_read);
    tcase_add_test(t, paths);
    tcase_add_test(t, directory);
    tcase_add_test(t, directory_part);
    tcase_add_test(t, removal);
    tcase_add_test(t, permissions);
    tcase_add_test(t, unknown_and_privileged);
    tcase_add_test(t, quotas);
    tcase_add_test(t, framing);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
