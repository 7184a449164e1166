/* SPDX-License-Identifier: MIT */
/* The store in this process. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../xenstore-lite/ring.h"

/* Also outside of check's tests, whose own assertions need one. */
#define must_say(condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: FAIL: ", __FILE__, __LINE__);                                  \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define must(condition) must_say(condition, "%s", #condition)

struct store store;
struct machine machine;

/* --- Machine --- */

static struct xenstore_domain_interface *map(struct xen *x, unsigned domid, uint64_t gfn)
{
    (void)x;
    if (domid >= DOMAINS || gfn != 100 + domid || machine.unmappable)
        return NULL;
    machine.mapped[domid]++;
    return machine.ring[domid];
}

static void unmap(struct xen *x, unsigned domid, struct xenstore_domain_interface *ring)
{
    (void)x;
    must(ring == machine.ring[domid]);
    machine.mapped[domid]--;
}

static int bind_port(struct xen *x, unsigned domid, uint32_t remote_port)
{
    (void)x;
    if (domid >= DOMAINS || remote_port > 9)
        return -1;
    machine.bound[domid]++;
    return (int)(domid * 10 + remote_port);
}

static void unbind(struct xen *x, uint32_t port)
{
    (void)x;
    machine.bound[port / 10]--;
}

static void notify(struct xen *x, uint32_t port)
{
    (void)x;
    machine.notified[port / 10]++;
}

static enum domain_state state(struct xen *x, unsigned domid)
{
    (void)x;
    return domid < DOMAINS ? machine.state[domid] : DOMAIN_GONE;
}

void harness_start(void)
{
    store_init(&store);
    memset(&machine, 0, sizeof(machine));
    machine.ops = (struct xen){map, unmap, bind_port, unbind, notify, state};
    for (unsigned i = 0; i < DOMAINS; i++) {
        machine.ring[i] = calloc(1, 4096);
        machine.state[i] = DOMAIN_RUNNING;
    }
    store.xen = &machine.ops;
}

void harness_stop(void)
{
    audit();
    store_free(&store);
    must(store.places.used == 0);
    for (unsigned i = 0; i < DOMAINS; i++) {
        must(machine.bound[i] == 0);
        must(machine.mapped[i] == 0);
        free(machine.ring[i]);
    }
}

void audit(void)
{
    char text[300];

    must_say(store_audit(&store, text, sizeof(text)), "%s", text);
}

/* --- Clients --- */

static ssize_t take(struct conn *conn, const char *data, size_t len)
{
    struct client *c = conn->carrier;

    if (c->deaf)
        return 0;
    if (c->limit && len > c->limit)
        len = c->limit;
    if (c->len + len > c->room) {
        c->room = 2 * (c->len + len);
        c->got = realloc(c->got, c->room);
    }
    memcpy(c->got + c->len, data, len);
    c->len += len;
    return (ssize_t)len;
}

static void interest(struct conn *conn, bool in, bool out)
{
    (void)conn;
    (void)in;
    (void)out;
}

static void receive(struct conn *conn)
{
    (void)conn;
}

static bool closed(struct conn *conn, int xenstore_error)
{
    struct client *c = conn->carrier;

    (void)xenstore_error;
    c->conn = NULL;
    return true;
}

static const struct transport transport = {take, interest, receive, closed};

void client_open(struct client *c, unsigned domid)
{
    memset(c, 0, sizeof(*c));
    client_reopen(c, domid);
}

void client_reopen(struct client *c, unsigned domid)
{
    c->conn = conn_open(&store, domid, &transport, c);
    c->conn->fd = 1000; /* it is no ring */
}

void client_close(struct client *c)
{
    if (c->conn)
        conn_close(c->conn, XENSTORE_ERROR_NONE);
    conn_settle_all(&store);
    free(c->got);
    free(c->event);
    memset(c, 0, sizeof(*c));
}

void client_write(struct client *c, const void *data, size_t len)
{
    char *copy = malloc(len ? len : 1); /* exactly as long, so that ASan sees who reads on */

    memcpy(copy, data, len);
    if (c->conn)
        conn_input(c->conn, copy, len);
    free(copy);
}

void client_send(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len)
{
    static uint32_t req_id;
    struct xsd_sockmsg header = {type, ++req_id, tx, (uint32_t)len};
    char message[XS_MESSAGE_MAX];

    memcpy(message, &header, sizeof(header));
    memcpy(message + sizeof(header), data, len);
    client_write(c, message, sizeof(header) + len);
}

/* Takes a message from the start of bytes. */
static bool parse(char *bytes, size_t *len, struct message *m)
{
    struct xsd_sockmsg header;

    if (*len < sizeof(header))
        return false;
    memcpy(&header, bytes, sizeof(header));
    must(header.len <= XENSTORE_PAYLOAD_MAX);
    if (*len < sizeof(header) + header.len)
        return false;
    *m = (struct message){.type = header.type, .req_id = header.req_id, .tx_id = header.tx_id};
    m->len = header.len;
    memcpy(m->data, bytes + sizeof(header), header.len);
    m->data[header.len] = 0;
    *len -= sizeof(header) + header.len;
    memmove(bytes, bytes + sizeof(header) + header.len, *len);
    return true;
}

bool client_next(struct client *c, struct message *m)
{
    return parse(c->got, &c->len, m);
}

static void keep_event(struct client *c, const struct message *m)
{
    struct xsd_sockmsg header = {m->type, 0, 0, (uint32_t)m->len};

    c->event = realloc(c->event, c->event_len + sizeof(header) + m->len);
    memcpy(c->event + c->event_len, &header, sizeof(header));
    memcpy(c->event + c->event_len + sizeof(header), m->data, m->len);
    c->event_len += sizeof(header) + m->len;
}

void ask(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len,
         struct message *reply)
{
    client_send(c, type, tx, data, len);
    conn_settle_all(&store);
    for (;;) {
        must_say(client_next(c, reply), "no reply to a request of type %u", type);
        if (reply->type != XS_WATCH_EVENT)
            break;
        keep_event(c, reply);
    }
    must(reply->type == type || reply->type == XS_ERROR);
    must(reply->tx_id == tx);
}

void expect_bytes(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len,
                  const char *answer)
{
    struct message m;
    bool error = answer[0] == 'E' && strlen(answer) > 4;

    ask(c, type, tx, data, len, &m);
    must_say(error == (m.type == XS_ERROR), "type %u '%s': '%s' instead of '%s'", type,
             (const char *)data, m.data, answer);
    must_say(!strcmp(m.data, answer), "type %u '%s': '%s' instead of '%s'", type,
             (const char *)data, m.data, answer);
}

void expect(struct client *c, uint32_t type, uint32_t tx, const char *text, const char *answer)
{
    expect_bytes(c, type, tx, text, strlen(text) + 1, answer);
}

uint32_t begin(struct client *c)
{
    struct message m;

    ask(c, XS_TRANSACTION_START, 0, "", 1, &m);
    must(m.type == XS_TRANSACTION_START);
    return (uint32_t)strtoul(m.data, NULL, 10);
}

bool client_event(struct client *c, struct message *m)
{
    return parse(c->event, &c->event_len, m) || client_next(c, m);
}

void expect_event(struct client *c, const char *path, const char *token)
{
    struct message m;
    bool there;

    conn_settle_all(&store);
    there = client_event(c, &m);
    must_say(there == (path != NULL), "%s: %s", path ? path : "no event wanted",
             there ? m.data : "none came");
    if (!path)
        return;
    must(m.type == XS_WATCH_EVENT);
    must_say(!strcmp(m.data, path), "%s instead of %s", m.data, path);
    must_say(!strcmp(m.data + strlen(path) + 1, token), "%s: token %s instead of %s", path,
             m.data + strlen(path) + 1, token);
}

/* --- The domain's side of a ring --- */

size_t ring_put(unsigned domid, const void *data, size_t len)
{
    struct xenstore_domain_interface *r = machine.ring[domid];
    size_t n = 0;

    for (; n < len && r->req_prod - r->req_cons < XENSTORE_RING_SIZE; n++)
        r->req[MASK_XENSTORE_IDX(r->req_prod++)] = ((const char *)data)[n];
    return n;
}

size_t ring_get(unsigned domid, void *data, size_t len)
{
    struct xenstore_domain_interface *r = machine.ring[domid];
    size_t n = 0;

    for (; n < len && r->rsp_cons != r->rsp_prod; n++)
        ((char *)data)[n] = r->rsp[MASK_XENSTORE_IDX(r->rsp_cons++)];
    return n;
}
