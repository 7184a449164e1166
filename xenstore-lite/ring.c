/* SPDX-License-Identifier: MIT */
/* Reading and writing a ring. Our own indexes are never read from it; the other side's are read
 * once, bounded, then used; a bad one ends the conversation. */
#include "ring.h"

#include <string.h>
#include "journal.h"

#define READS_AT_ONCE 4 /* fills of the ring, before others have their turn */

#define LOAD(field)         __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELEASE)

static void kick(struct domain *d)
{
    if (d->kicked)
        return;
    d->kicked = true;
    TAILQ_INSERT_TAIL(&d->store->kicks, d, kick);
}

void ring_kick_all(struct store *s)
{
    struct domain *d;

    while ((d = TAILQ_FIRST(&s->kicks))) {
        TAILQ_REMOVE(&s->kicks, d, kick);
        d->kicked = false;
        s->xen->notify(s->xen, d->port);
    }
}

static void announce(struct domain *d)
{
    STORE(d->ring->server_features, XENSTORE_SERVER_FEATURE_ERROR | XS_FEATURE_WATCH_DEPTH);
    STORE(d->ring->connection, XENSTORE_CONNECTED);
    STORE(d->ring->error, XENSTORE_ERROR_NONE);
    kick(d);
}

void ring_attach(struct domain *d)
{
    d->req_cons = LOAD(d->ring->req_cons);
    d->rsp_prod = LOAD(d->ring->rsp_prod);
    announce(d);
}

void ring_resume(struct domain *d, uint32_t req_cons, uint32_t rsp_prod)
{
    uint32_t more = LOAD(d->ring->rsp_prod) - rsp_prod;

    d->req_cons = req_cons;
    STORE(d->ring->req_cons, req_cons);
    if (more <= conn_pending(d->conn)) {
        conn_replay_sent(d->conn, more);
        rsp_prod += more;
    }
    d->rsp_prod = rsp_prod;
    STORE(d->ring->rsp_prod, rsp_prod);
    kick(d);
}

void ring_reset(struct domain *d)
{
    d->req_cons = d->rsp_prod = 0;
    STORE(d->ring->req_cons, 0);
    STORE(d->ring->req_prod, 0);
    STORE(d->ring->rsp_cons, 0);
    STORE(d->ring->rsp_prod, 0);
    announce(d);
}

/* Copies len bytes that start at that index of a ring of 1024. */
static void copy_out(char *to, const char *ring, uint32_t index, uint32_t len)
{
    uint32_t at = MASK_XENSTORE_IDX(index), first = XENSTORE_RING_SIZE - at;

    if (first > len)
        first = len;
    memcpy(to, ring + at, first);
    memcpy(to + first, ring, len - first);
}

static void copy_in(char *ring, uint32_t index, const char *from, uint32_t len)
{
    uint32_t at = MASK_XENSTORE_IDX(index), first = XENSTORE_RING_SIZE - at;

    if (first > len)
        first = len;
    memcpy(ring + at, from, first);
    memcpy(ring, from + first, len - first);
}

void ring_input(struct domain *d)
{
    struct conn *c = d->conn;
    char data[XENSTORE_RING_SIZE];
    uint32_t len;

    for (unsigned i = 0; c->wants_in && !c->ignored; i++) {
        len = LOAD(d->ring->req_prod) - d->req_cons;
        if (!len)
            return;
        if (len > XENSTORE_RING_SIZE) {
            conn_close(c, XENSTORE_ERROR_RINGIDX);
            return;
        }
        if (i == READS_AT_ONCE) {
            conn_stall(c);
            return;
        }
        copy_out(data, d->ring->req, d->req_cons, len);
        d->req_cons += len;
        journal_received(c, data, len);
        STORE(d->ring->req_cons, d->req_cons);
        kick(d);
        conn_input(c, data, len);
    }
}

static void receive(struct conn *c)
{
    ring_input(c->carrier);
}

static ssize_t send(struct conn *c, const char *data, size_t len)
{
    struct domain *d = c->carrier;
    uint32_t used = d->rsp_prod - LOAD(d->ring->rsp_cons), room;

    if (used > XENSTORE_RING_SIZE) {
        STORE(d->ring->error, XENSTORE_ERROR_RINGIDX);
        return -1;
    }
    room = XENSTORE_RING_SIZE - used;
    if (len > room)
        len = room;
    if (!len)
        return 0;
    copy_in(d->ring->rsp, d->rsp_prod, data, (uint32_t)len);
    d->rsp_prod += (uint32_t)len;
    STORE(d->ring->rsp_prod, d->rsp_prod);
    kick(d);
    return (ssize_t)len;
}

/* The domain notifies us when it writes and when it has read, whatever we are interested in. */
static void interest(struct conn *c, bool in, bool out)
{
    (void)c;
    (void)in;
    (void)out;
}

static bool close_ring(struct conn *c, int xenstore_error)
{
    struct domain *d = c->carrier;

    if (d->leaving)
        return true;
    STORE(d->ring->error, (uint32_t)xenstore_error);
    kick(d);
    return false;
}

const struct transport ring_transport = {
    .send = send,
    .interest = interest,
    .receive = receive,
    .close = close_ring,
};
