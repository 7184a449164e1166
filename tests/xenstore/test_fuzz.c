/* SPDX-License-Identifier: MIT */
/* Random bytes that are nearly messages, from sockets and from rings whose indexes and contents
 * change at any time, from domains that come and go; in pieces of any size. Nothing may break
 * (ASan, UBSan), accounts have to agree with what there is, and memory stays bounded. MESSAGES=n
 * SEED=n */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../xenstore-lite/journal.h"
#include "../../xenstore-lite/ring.h"
#include "harness.h"

#define SOCKETS 3
#define MEMORY                                                                                     \
    (96u << 20) /* quotas of all domains, a journal's worth of dom0's nodes, and slack             \
                 */

static struct client socket_client[SOCKETS];
static uint64_t random_state;
static uint32_t last_txn;

static unsigned dice(unsigned n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((random_state >> 33) % n);
}

/* --- What messages are made of --- */

static size_t put_path(char *to)
{
    static const char *const first[] = {"/",
                                        "/local/domain/1",
                                        "/local/domain/2",
                                        "a",
                                        "@releaseDomain",
                                        "@introduceDomain",
                                        "/t",
                                        "",
                                        "//",
                                        "/local",
                                        "b/c"};
    size_t len = (size_t)sprintf(to, "%s", first[dice(11)]);

    for (unsigned i = dice(5); i; i--)
        len += (size_t)sprintf(to + len, "/%c", "abcdefgh/."[dice(50) ? dice(8) : dice(10)]);
    if (!dice(200))
        for (unsigned i = 0; i < 700; i++)
            len += (size_t)sprintf(to + len, "/xyz");
    return len + (dice(50) ? 1 : 0);
}

static size_t put_perms(char *to)
{
    size_t len = 0;

    for (unsigned i = 1 + dice(4); i; i--)
        len += (size_t)sprintf(to + len, "%c%u", "nrwbx"[dice(40) ? dice(4) : 4],
                               dice(20) ? dice(4) : dice(70000)) +
               1;
    return len;
}

static size_t put_numbers(char *to)
{
    size_t len = 0;

    for (unsigned i = dice(4); i; i--)
        len += (size_t)sprintf(to + len, "%d",
                               dice(10) ? (int)dice(6) + (i == 2 ? 100 : 0) : (int)dice(1u << 31)) +
               1;
    return len;
}

static size_t put_control(char *to)
{
    static const char *const words[] = {"check",       "quota", "memreport", "help",  "quota-soft",
                                        "live-update", "log",   "set",       "nodes", "1"};
    size_t len = 0;

    for (unsigned i = 1 + dice(4); i; i--)
        len += (size_t)sprintf(to + len, "%s", words[dice(10)]) + 1;
    return len;
}

static size_t put_payload(unsigned type, char *to)
{
    size_t len;

    switch (type) {
    case XS_CONTROL:
        return put_control(to);
    case XS_INTRODUCE:
    case XS_RELEASE:
    case XS_RESUME:
    case XS_SET_TARGET:
    case XS_IS_DOMAIN_INTRODUCED:
    case XS_GET_DOMAIN_PATH:
    case XS_SET_FEATURE:
        return put_numbers(to);
    case XS_TRANSACTION_END:
        memcpy(to, dice(3) ? "T" : "F", 2);
        return 2;
    case XS_WRITE:
        len = put_path(to);
        return len + (dice(30) ? dice(40) : dice(900));
    case XS_SET_PERMS:
        len = put_path(to);
        return len + put_perms(to + len);
    case XS_WATCH:
    case XS_UNWATCH:
        len = put_path(to);
        return len + (size_t)sprintf(to + len, "t%u", dice(3)) + 1 +
               (dice(10) ? 0 : put_numbers(to + len + 3));
    case XS_DIRECTORY_PART:
        len = put_path(to);
        return len + (size_t)sprintf(to + len, "%u", dice(30)) + 1;
    default:
        return put_path(to);
    }
}

static size_t put_message(char *to)
{
    static char payload[8192];
    struct xsd_sockmsg header;
    size_t len;

    header.type = dice(100) ? dice(XS_TYPES) : dice(1u << 31);
    header.req_id = dice(1u << 31);
    header.tx_id = dice(3) ? 0 : dice(4) ? last_txn - dice(4) : dice(20);
    len = put_payload(header.type, payload);
    if (len > XENSTORE_PAYLOAD_MAX)
        len = XENSTORE_PAYLOAD_MAX;
    for (unsigned i = dice(30) ? 0 : 1 + dice(4); i && len; i--)
        payload[dice((unsigned)len)] = (char)dice(256);
    header.len = (uint32_t)(dice(100) ? len : dice((unsigned)len + 1));
    if (!dice(5000))
        header.len = XENSTORE_PAYLOAD_MAX + 1 + dice(1u << 30);
    memcpy(to, &header, sizeof(header));
    memcpy(to + sizeof(header), payload, len);
    return sizeof(header) + len;
}

/* --- Where they go --- */

static void to_socket(struct client *c, const char *data, size_t len)
{
    size_t piece;

    for (; len && c->conn; data += piece, len -= piece) {
        piece = dice(4) ? len : 1 + dice((unsigned)len);
        client_write(c, data, piece);
    }
}

static void to_ring(unsigned domid, const char *data, size_t len)
{
    struct xenstore_domain_interface *r = machine.ring[domid];
    struct domain *d;
    char sink[1024];
    size_t put;

    for (unsigned rounds = 0; len && rounds < 8; rounds++, data += put, len -= put) {
        put = ring_put(domid, data, len);
        d = domain_find(&store, domid);
        if (d)
            ring_input(d);
        if (!dice(3))
            conn_settle_all(&store);
        if (dice(8))
            ring_get(domid, sink, sizeof(sink));
    }
    if (!dice(3000))
        r->req_prod = dice(1u << 31);
    if (!dice(3000))
        r->rsp_cons = dice(1u << 31);
    if (!dice(1000))
        r->req[dice(XENSTORE_RING_SIZE)] = (char)dice(256);
    if (!dice(3000)) {
        r->req_prod = r->req_cons;
        r->rsp_cons = r->rsp_prod;
    }
}

static void keep_alive(void)
{
    static const char text[] = "/local/domain/1\0n1\0r2";
    struct client *c = &socket_client[dice(SOCKETS)];

    for (unsigned i = 0; i < SOCKETS; i++)
        if (!socket_client[i].conn) {
            client_close(&socket_client[i]);
            client_open(&socket_client[i], i == 2 ? 3 : 0);
        }
    if (!dice(50))
        client_send(c, XS_INTRODUCE, 0,
                    "1\0"
                    "101\0"
                    "3",
                    8);
    if (!dice(50))
        client_send(c, XS_INTRODUCE, 0,
                    "2\0"
                    "102\0"
                    "3",
                    8);
    if (!dice(50))
        client_send(c, XS_SET_PERMS, 0, text, sizeof(text));
    if (!dice(400)) {
        machine.state[1] = (enum domain_state)dice(3);
        domain_look_around(&store);
        machine.state[1] = DOMAIN_RUNNING;
    }
    /* Domain 0 may have any amount: it tidies up. */
    if (store.account[0]->nodes > 5000)
        client_send(c, XS_RM, 0, "/t", 3);
    if (store.account[0]->nodes > 5000)
        client_send(c, XS_RM, 0, "/local", 7);
    if (store.account[0]->nodes > 6000)
        for (char top[3] = "/a"; top[1] <= 'h'; top[1]++)
            client_send(c, XS_RM, 0, top, 3);
    if (store.account[0]->transactions > 100 || store.account[0]->watches > 1000)
        for (unsigned i = 0; i < 2; i++)
            client_send(&socket_client[i], XS_RESET_WATCHES, 0, "", 1);
}

static void look_at_replies(void)
{
    struct message m;

    for (unsigned i = 0; i < SOCKETS; i++) {
        if (!dice(100))
            socket_client[i].deaf = !socket_client[i].deaf;
        socket_client[i].limit = dice(3) ? 0 : 1 + dice(30);
        while (client_next(&socket_client[i], &m))
            if (m.type == XS_TRANSACTION_START)
                last_txn = (uint32_t)atoi(m.data);
    }
}

static size_t bytes_in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
    extern size_t __sanitizer_get_current_allocated_bytes(void);

    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

int main(void)
{
    const char *messages = getenv("MESSAGES"), *first = getenv("SEED");
    long n = messages ? atol(messages) : 200000;
    char data[XS_MESSAGE_MAX + 8192], file[] = "/tmp/xs-fuzz-XXXXXX";
    size_t len, most = 0, used;
    unsigned where;

    random_state = (first ? strtoull(first, NULL, 10) : 1) * 0x9e3779b97f4a7c15ull;
    close(mkstemp(file));
    harness_start();
    journal_start(&store, journal_open(file, "this boot"));
    keep_alive();
    for (long i = 0; i < n; i++) {
        store.now = (uint64_t)i / 16;
        len = put_message(data);
        where = dice(SOCKETS + 2);
        if (where < SOCKETS)
            to_socket(&socket_client[where], data, len);
        else
            to_ring(where - SOCKETS + 1, data, len);
        if (dice(2))
            conn_settle_all(&store);
        ring_kick_all(&store);
        look_at_replies();
        if (i % 4 == 0)
            keep_alive();
        if (i % 4096 == 0) {
            audit();
            used = bytes_in_use();
            most = used > most ? used : most;
            if (used > MEMORY) {
                printf("FAIL: %zu bytes are in use after %ld messages\n0 passed, 1 failed\n", used,
                       i);
                return 1;
            }
        }
    }
    journal_close(&store);
    for (unsigned i = 0; i < SOCKETS; i++)
        client_close(&socket_client[i]);
    harness_stop();
    unlink(file);
    printf("%ld messages, never more than %zu KiB in use\n1 passed, 0 failed\n", n, most >> 10);
    return 0;
}
