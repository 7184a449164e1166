/* SPDX-License-Identifier: MIT */
/* Domains: rings, introducing and releasing, what is left of a domain that died. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../xenstore-lite/journal.h"
#include "../../xenstore-lite/restore.h"
#include "../../xenstore-lite/ring.h"
#include "harness.h"

#define BYTES(text) text, sizeof(text) - 1

static struct client dom0;

static void setup(void)
{
    harness_start();
    client_open(&dom0, 0);
}

static void teardown(void)
{
    client_close(&dom0);
    harness_stop();
}

static void introduce(void)
{
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0"), "OK");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "3\0"),
                 "OK");
}

static void turn(unsigned domid)
{
    struct domain *d = domain_find(&store, domid);

    if (d)
        ring_input(d);
    conn_settle_all(&store);
    ring_kick_all(&store);
}

static size_t request(char *to, uint32_t type, const char *data, size_t len)
{
    struct xsd_sockmsg header = {type, 7, 0, (uint32_t)len};

    memcpy(to, &header, sizeof(header));
    memcpy(to + sizeof(header), data, len);
    return sizeof(header) + len;
}

START_TEST(life)
{
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("@introduceDomain\0in\0"), "OK");
    expect_event(&dom0, "@introduceDomain", "in");
    expect_bytes(&dom0, XS_WATCH, 0, BYTES("@releaseDomain\0out\0"), "OK");
    expect_event(&dom0, "@releaseDomain", "out");
    expect_bytes(&dom0, XS_WATCH, 0,
                 BYTES("@releaseDomain\0who\0"
                       "1\0"),
                 "OK");
    expect_event(&dom0, "@releaseDomain", "who");
    expect(&dom0, XS_IS_DOMAIN_INTRODUCED, 0, "1", "F");
    expect(&dom0, XS_MKDIR, 0, "/local/domain/1", "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/local/domain/1\0n1\0"), "OK");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "3\0"),
                 "OK");
    expect_event(&dom0, "@introduceDomain", "in");
    expect(&dom0, XS_IS_DOMAIN_INTRODUCED, 0, "1", "T");
    machine.state[1] = DOMAIN_SHUT_DOWN;
    domain_look_around(&store);
    domain_look_around(&store);
    expect_event(&dom0, "@releaseDomain/1", "who");
    expect_event(&dom0, "@releaseDomain", "out");
    expect_event(&dom0, NULL, NULL);
    expect(&dom0, XS_RESUME, 0, "1", "OK");
    domain_look_around(&store);
    expect_event(&dom0, "@releaseDomain/1", "who");
    expect_event(&dom0, "@releaseDomain", "out");
    machine.state[1] = DOMAIN_GONE;
    domain_look_around(&store);
    expect(&dom0, XS_READ, 0, "/local/domain/1", "ENOENT");
    expect(&dom0, XS_IS_DOMAIN_INTRODUCED, 0, "1", "F");
    expect(&dom0, XS_RELEASE, 0, "1", "ENOENT");
}
END_TEST

START_TEST(refusals)
{
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("0\0"
                       "100\0"
                       "3\0"),
                 "EINVAL");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "5\0"
                       "3\0"),
                 "EINVAL");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "30\0"),
                 "EINVAL");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"),
                 "EINVAL");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("99\0"
                       "199\0"
                       "3\0"),
                 "ENOENT");
    expect(&dom0, XS_RELEASE, 0, "0", "EINVAL");
    expect_bytes(&dom0, XS_SET_TARGET, 0,
                 BYTES("1\0"
                       "2\0"),
                 "ENOENT");
    introduce();
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "30\0"),
                 "EINVAL");
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "4\0"),
                 "OK");
    ck_assert_uint_eq(machine.bound[1], 1);
}
END_TEST

/* Requests and replies larger than the ring go through it in pieces. */
START_TEST(large_messages)
{
    char message[3000], value[2000], got[6000];
    size_t len, put = 0, n = 0;

    introduce();
    memset(value, 'v', sizeof(value));
    memcpy(value, "big", 4);
    len = request(message, XS_WRITE, value, sizeof(value));
    while (put < len) {
        put += ring_put(1, message + put, len - put);
        turn(1);
    }
    n = ring_get(1, got, sizeof(got));
    ck_assert_uint_eq(n, 16 + 3);
    ring_put(1, message, request(message, XS_READ, "big", 4));
    for (n = 0; n < 16 + 1996;) {
        turn(1);
        len = ring_get(1, got + n, sizeof(got) - n);
        ck_assert_uint_ne(len, 0);
        n += len;
    }
    ck_assert(!memcmp(got + 16, value + 4, 1996));
    ck_assert_uint_ne(machine.notified[1], 0);
}
END_TEST

START_TEST(bad_indexes)
{
    struct xenstore_domain_interface *r = machine.ring[1];

    introduce();
    r->req_prod = r->req_cons + XENSTORE_RING_SIZE + 1;
    turn(1);
    ck_assert_uint_eq(r->error, XENSTORE_ERROR_RINGIDX);
    r->req_prod = r->req_cons; /* nobody listens any more */
    turn(1);
    expect(&dom0, XS_IS_DOMAIN_INTRODUCED, 0, "1", "T"); /* but its end will be noticed */
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("1\0"
                       "101\0"
                       "3\0"),
                 "OK");
    ck_assert_uint_eq(r->error, XENSTORE_ERROR_NONE);
}
END_TEST

START_TEST(too_long)
{
    struct xsd_sockmsg header = {XS_READ, 0, 0, XENSTORE_PAYLOAD_MAX + 1};

    introduce();
    ring_put(1, &header, sizeof(header));
    turn(1);
    ck_assert_uint_eq(machine.ring[1]->error, XENSTORE_ERROR_PROTO);
}
END_TEST

/* The next domain of the same number has no rights of the one before, and none of its nodes. */
START_TEST(number_used_again)
{
    struct client dom2;

    introduce();
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/for/one\0x"), "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/for/one\0n0\0r1\0r2\0"), "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/for\0n1\0"), "OK");
    expect(&dom0, XS_RELEASE, 0, "1", "OK");
    expect(&dom0, XS_READ, 0, "/for", "ENOENT");
    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/for/two\0x"), "OK");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/for/two\0n0\0r1\0r2\0"), "OK");
    introduce();
    expect(&dom0, XS_RELEASE, 0, "1", "OK");
    introduce();
    client_open(&dom2, 1);
    expect(&dom2, XS_READ, 0, "/for/two", "EACCES");
    expect_bytes(&dom0, XS_SET_PERMS, 0, BYTES("/for/two\0n0\0r1\0"), "OK");
    expect(&dom2, XS_READ, 0, "/for/two", "x");
    client_close(&dom2);
    expect(&dom0, XS_RM, 0, "/for", "OK");
}
END_TEST

START_TEST(target)
{
    struct client stub;

    introduce();
    expect_bytes(&dom0, XS_INTRODUCE, 0,
                 BYTES("2\0"
                       "102\0"
                       "3\0"),
                 "OK");
    expect_bytes(&dom0, XS_SET_TARGET, 0,
                 BYTES("2\0"
                       "1\0"),
                 "OK");
    client_open(&stub, 2);
    expect(&stub, XS_MKDIR, 0, "/local/domain/1/by-stub", "EACCES"); /* it is the ring's */
    stub.conn->target = 1;
    expect(&stub, XS_MKDIR, 0, "/local/domain/1/by-stub", "OK");
    client_close(&stub);
}
END_TEST

static struct conn *nobody(struct store *s, uint32_t id)
{
    (void)s;
    (void)id;
    return NULL;
}

/* The process ends; another one has only the journal, and the domain's page as it is. */
static void go_on(const char *file)
{
    struct journal *j;
    const char *records;
    size_t len;

    journal_close(&store);
    store_free(&store);
    free(dom0.got);
    free(dom0.event);
    store_init(&store);
    store.xen = &machine.ops;
    j = journal_open(file, "this boot");
    records = journal_records(j, &len);
    ck_assert(restore_store(&store, nobody, records, len));
    journal_start(&store, j);
    conn_settle_all(&store);
    client_open(&dom0, 0);
}

static void expect_in_ring(uint32_t type, const char *data)
{
    char got[XENSTORE_RING_SIZE];
    struct xsd_sockmsg header;

    ck_assert_uint_eq(ring_get(1, got, sizeof(got)), sizeof(header) + strlen(data) + 1);
    memcpy(&header, got, sizeof(header));
    ck_assert_uint_eq(header.type, type);
    ck_assert_str_eq(got + sizeof(header), data);
}

/* Whenever the process ends, the domain gets each reply once. */
START_TEST(another_process)
{
    char message[100], file[] = "/tmp/xs-domain-XXXXXX", sink[XENSTORE_RING_SIZE];
    size_t len;

    close(mkstemp(file));
    journal_start(&store, journal_open(file, "this boot"));
    introduce();
    conn_settle_all(&store);
    len = request(message, XS_WATCH, "w\0t", 4);
    ring_put(1, message, len);
    turn(1);
    ck_assert_uint_ne(ring_get(1, sink, sizeof(sink)), 0);

    len = request(message, XS_GET_DOMAIN_PATH, "1", 2);
    ring_put(1, message, len / 2); /* before it was noticed, */
    go_on(file);
    ring_input(domain_find(&store, 1)); /* when a part was read, */
    go_on(file);
    ring_put(1, message + len / 2, len - len / 2);
    ring_input(domain_find(&store, 1)); /* when it was served, but nothing was sent, */
    go_on(file);
    expect_in_ring(XS_GET_DOMAIN_PATH, "/local/domain/1");
    go_on(file); /* when all was done */
    turn(1);
    ck_assert_uint_eq(ring_get(1, sink, sizeof(sink)), 0);

    expect_bytes(&dom0, XS_WRITE, 0, BYTES("/local/domain/1/w\0x"), "OK");
    ck_assert_uint_eq(ring_get(1, sink, sizeof(sink)), 16 + 4); /* its watch is there still */
    machine.state[1] = DOMAIN_GONE;
    go_on(file); /* it ended meanwhile */
    domain_look_around(&store);
    ck_assert_ptr_null(domain_find(&store, 1));
    expect(&dom0, XS_READ, 0, "/local/domain/1/w", "ENOENT");
    machine.state[1] = DOMAIN_RUNNING;
    introduce();
    conn_settle_all(&store);
    machine.unmappable = true; /* it ended, and its page is gone as well */
    go_on(file);
    expect(&dom0, XS_READ, 0, "/local/domain/1", "ENOENT");
    journal_close(&store);
    unlink(file);
}
END_TEST

/* Megabytes that a client does not read are one record when the journal is written anew. */
START_TEST(much_unread)
{
    char file[] = "/tmp/xs-journal-XXXXXX", watch[3000] = "/w";
    struct client deaf;

    close(mkstemp(file));
    journal_start(&store, journal_open(file, "this boot"));
    client_open(&deaf, 0);
    deaf.deaf = true;
    memset(watch + 3, 't', sizeof(watch) - 4);
    for (unsigned i = 0; i < 20; i++) {
        watch[3] = (char)('a' + i);
        client_send(&deaf, XS_WATCH, 0, watch, sizeof(watch));
    }
    for (unsigned i = 0; i < 60; i++)
        expect_bytes(&dom0, XS_WRITE, 0, BYTES("/w\0x"), "OK");
    ck_assert_uint_gt(conn_pending(deaf.conn), 3u << 20);
    journal_close(&store);
    journal_start(&store, journal_open(file, "this boot"));
    audit();
    client_close(&deaf);
    journal_close(&store);
    unlink(file);
}
END_TEST

START_TEST(features_and_quotas)
{
    expect(&dom0, XS_GET_FEATURE, 0, "", "6");
    expect_bytes(&dom0, XS_SET_FEATURE, 0,
                 BYTES("1\0"
                       "6\0"),
                 "OK");
    introduce();
    expect_bytes(&dom0, XS_SET_FEATURE, 0,
                 BYTES("1\0"
                       "6\0"),
                 "EBUSY");
    expect(&dom0, XS_GET_QUOTA, 0, "nodes", "1000");
    expect_bytes(&dom0, XS_SET_QUOTA, 0,
                 BYTES("nodes\0"
                       "5\0"),
                 "OK");
    expect(&dom0, XS_GET_QUOTA, 0, "nodes", "5");
    expect(&dom0, XS_GET_QUOTA, 0, "what", "EINVAL");
    expect(&dom0, XS_CONTROL, 0, "check", "OK");
    expect(&dom0, XS_CONTROL, 0, "what", "EINVAL");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("xenstore-domain");
    TCase *t = tcase_create("domain");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, life);
    tcase_add_test(t, refusals);
    tcase_add_test(t, large_messages);
    tcase_add_test(t, bad_indexes);
    tcase_add_test(t, too_long);
    tcase_add_test(t, number_used_again);
    tcase_add_test(t, target);
    tcase_add_test(t, another_process);
    tcase_add_test(t, much_unread);
    tcase_add_test(t, features_and_quotas);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
