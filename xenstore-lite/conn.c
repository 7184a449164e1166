/* SPDX-License-Identifier: MIT */
/* Buffers of connections: framing of what comes in, sending of what goes out, waiting, and being
 * closed. */
#include "conn.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "journal.h"
#include "mem.h"
#include "request.h"
#include "store.h"
#include "transaction.h"
#include "watch.h"

#define OUT_PAUSE   (64u << 10) /* with so much unread, no more requests are served */
#define OUT_LIMIT   (64u << 20) /* a client of the socket that has so much unread is thrown out */
#define WAIT_SHORT  1           /* ms, when there is input that could be served */
#define WAIT_LONG   50          /* ms, when there is somebody who does not read */
#define BUFFER_KEEP 1024u       /* larger buffers are freed when empty */

static void buffer_add(struct buffer *b, const void *data, size_t len)
{
    uint32_t used = b->end - b->start;

    if (!len)
        return;
    if (len > b->room - b->end) {
        if (used && b->start)
            memmove(b->data, b->data + b->start, used);
        b->start = 0;
        b->end = used;
        if (len > b->room - used) {
            b->room = used + (uint32_t)len > 2 * b->room ? used + (uint32_t)len : 2 * b->room;
            if (b->room < 256)
                b->room = 256;
            b->data = mem_realloc(b->data, b->room);
        }
    }
    if (data)
        memcpy(b->data + b->end, data, len);
    b->end += (uint32_t)len;
}

static void buffer_take(struct buffer *b, size_t len)
{
    b->start += (uint32_t)len;
    if (b->start < b->end)
        return;
    b->start = b->end = 0;
    if (b->room > BUFFER_KEEP) {
        free(b->data);
        *b = (struct buffer){0};
    }
}

static void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

struct conn *conn_open(struct store *s, unsigned domid, const struct transport *t, void *carrier)
{
    struct conn *c = mem_zalloc(sizeof(*c));

    c->store = s;
    c->account = account_get(s, domid);
    c->transport = t;
    c->carrier = carrier;
    c->fd = -1;
    c->id = ++s->next_conn;
    c->domid = (uint16_t)domid;
    c->target = DOMID_NONE;
    c->privileged = domid == 0;
    c->wants_in = true;
    c->sent_time = s->now;
    snprintf(c->home, sizeof(c->home), "/local/domain/%u", domid);
    TAILQ_INIT(&c->debts);
    LIST_INIT(&c->watches);
    LIST_INIT(&c->txns);
    TAILQ_INSERT_TAIL(&s->conns, c, link);
    account_charge(s, c->account, sizeof(*c));
    return c;
}

static void settle_debts(struct conn *c, uint64_t until)
{
    struct debt *d;

    while ((d = TAILQ_FIRST(&c->debts)) && d->until <= until) {
        TAILQ_REMOVE(&c->debts, d, link);
        d->account->outstanding--;
        free(d);
    }
}

void conn_reset(struct conn *c)
{
    txn_end_all(c);
    watch_remove_all(c);
    account_charge(c->store, c->account, -(int64_t)conn_pending(c));
    c->sent += conn_pending(c);
    settle_debts(c, c->sent);
    buffer_free(&c->in);
    buffer_free(&c->out);
    c->head_left = 0;
    c->ignored = false;
    journal_conn(c);
}

static void unlink_lists(struct conn *c)
{
    if (c->is_dirty)
        TAILQ_REMOVE(&c->store->dirty, c, dirty);
    if (c->is_stalled)
        TAILQ_REMOVE(&c->store->stalled, c, stall);
    c->is_dirty = c->is_stalled = false;
}

void conn_close(struct conn *c, int xenstore_error)
{
    struct store *s = c->store;

    if (c->is_closed)
        return;
    conn_reset(c);
    unlink_lists(c);
    if (!c->transport->close(c, xenstore_error)) {
        c->ignored = true;
        journal_conn(c);
        return;
    }
    c->is_closed = true;
    journal_conn_gone(c);
    account_charge(s, c->account, -(int64_t)sizeof(*c));
    TAILQ_REMOVE(&s->conns, c, link);
    TAILQ_INSERT_TAIL(&s->closed, c, link);
}

bool conn_must_wait(struct conn *c)
{
    struct store *s = c->store;

    if (conn_pending(c) > OUT_PAUSE)
        return true;
    if (c->privileged)
        return false;
    return c->account->outstanding >= s->quota[QUOTA_OUTSTANDING] || account_paused(s, c->account);
}

static void interest(struct conn *c, bool in, bool out)
{
    if (in == c->wants_in && out == c->wants_out)
        return;
    c->wants_in = in;
    c->wants_out = out;
    c->transport->interest(c, in, out);
}

void conn_stall(struct conn *c)
{
    if (!c->is_stalled) {
        c->is_stalled = true;
        TAILQ_INSERT_TAIL(&c->store->stalled, c, stall);
        interest(c, false, c->wants_out);
    }
}

/* Serves messages from the start of data and returns how many bytes they had. */
static size_t serve(struct conn *c, char *data, size_t len)
{
    struct xsd_sockmsg header;
    size_t at = 0;

    while (len - at >= XS_HEADER && !c->is_closed && !c->ignored) {
        memcpy(&header, data + at, XS_HEADER);
        if (header.len > XENSTORE_PAYLOAD_MAX) {
            conn_close(c, XENSTORE_ERROR_PROTO);
            return len;
        }
        if (len - at - XS_HEADER < header.len)
            break;
        if (conn_must_wait(c)) {
            conn_stall(c);
            break;
        }
        at += XS_HEADER + header.len;
        request_serve(c, &header, data + at - header.len);
    }
    return c->is_closed || c->ignored ? len : at;
}

void conn_input(struct conn *c, const char *data, size_t len)
{
    size_t done;

    if (c->is_closed || c->ignored)
        return;
    if (c->in.start == c->in.end) {
        done = serve(c, (char *)(uintptr_t)data,
                     len); /* the transport's own copy, which may be cut up */
        if (done < len)
            buffer_add(&c->in, data + done, len - done);
    } else {
        buffer_add(&c->in, data, len);
        done = serve(c, c->in.data + c->in.start, c->in.end - c->in.start);
        if (done && c->in.data)
            buffer_take(&c->in, done);
    }
    journal_served(c);
}

static void make_dirty(struct conn *c)
{
    if (c->is_dirty)
        return;
    c->is_dirty = true;
    TAILQ_INSERT_TAIL(&c->store->dirty, c, dirty);
}

char *conn_message(struct conn *c, uint32_t type, uint32_t req_id, uint32_t tx_id, size_t len)
{
    struct xsd_sockmsg header = {type, req_id, tx_id, (uint32_t)len};
    static char unwanted[XENSTORE_PAYLOAD_MAX];

    if (c->store->replaying)
        return unwanted;
    make_dirty(c);
    buffer_add(&c->out, &header, XS_HEADER);
    buffer_add(&c->out, NULL, len);
    account_charge(c->store, c->account, (int64_t)(XS_HEADER + len));
    return c->out.data + c->out.end - len;
}

void conn_owe(struct conn *c, struct account *a)
{
    struct debt *last = TAILQ_LAST(&c->debts, debt_list), *d;

    if (last && last->request == c->store->request) {
        last->until = c->sent + conn_pending(c);
        return;
    }
    d = mem_alloc(sizeof(*d));
    d->account = a;
    d->request = c->store->request;
    d->until = c->sent + conn_pending(c);
    a->outstanding++;
    TAILQ_INSERT_TAIL(&c->debts, d, link);
}

/* n bytes left: where, in the message now first, is the start of what remains? */
static void advance_head(struct conn *c, size_t n)
{
    size_t at = c->head_left;
    struct xsd_sockmsg header;

    while (at < n) {
        memcpy(&header, c->out.data + c->out.start + at, XS_HEADER);
        at += XS_HEADER + header.len;
    }
    c->head_left = (uint32_t)(at - n);
}

/* n bytes of out are sent. */
static void took(struct conn *c, size_t n)
{
    if (n < conn_pending(c))
        advance_head(c, n);
    else
        c->head_left = 0;
    c->sent += n;
    account_charge(c->store, c->account, -(int64_t)n);
    if (n)
        buffer_take(&c->out, n);
}

static void flush(struct conn *c)
{
    uint32_t before = conn_pending(c);
    ssize_t n = 0;

    while (conn_pending(c) && !c->ignored) {
        n = c->transport->send(c, c->out.data + c->out.start, conn_pending(c));
        if (n <= 0)
            break;
        took(c, (size_t)n);
        journal_sent(c, (size_t)n);
    }
    if (conn_pending(c) != before) {
        c->sent_time = c->store->now;
        settle_debts(c, c->sent);
    }
    if (n < 0 || (conn_pending(c) > OUT_LIMIT && c->privileged))
        conn_close(c, XENSTORE_ERROR_COMM);
    else
        interest(c, c->wants_in, conn_pending(c) > 0);
}

/* A domain that does not read loses its events, but no reply, and others need not wait for it any
 * longer. */
static void drop_events(struct conn *c)
{
    struct buffer *b = &c->out, kept = {0};
    struct xsd_sockmsg header;
    uint32_t at = b->start + c->head_left, dropped;

    buffer_add(&kept, b->data + b->start, c->head_left);
    for (; at < b->end; at += (uint32_t)(XS_HEADER + header.len)) {
        memcpy(&header, b->data + at, XS_HEADER);
        if (header.type != XS_WATCH_EVENT)
            buffer_add(&kept, b->data + at, XS_HEADER + header.len);
    }
    dropped = b->end - b->start - kept.end;
    if (dropped)
        account_charge(c->store, c->account, -(int64_t)dropped);
    buffer_free(b);
    *b = kept;
    c->sent += dropped;
    settle_debts(c, c->sent + conn_pending(c));
    journal_conn(c);
}

static void retry_output(struct store *s, unsigned *wait)
{
    struct conn *c, *next;

    journal_commit(s); /* what was done is safe, with its replies, before anybody hears of it */
    for (c = TAILQ_FIRST(&s->dirty); c; c = next) {
        next = TAILQ_NEXT(c, dirty);
        flush(c);
        if (!c->is_dirty)
            continue; /* it was closed */
        if (!conn_pending(c)) {
            TAILQ_REMOVE(&s->dirty, c, dirty);
            c->is_dirty = false;
            continue;
        }
        if (!c->privileged && s->event_timeout && s->now - c->sent_time > s->event_timeout) {
            drop_events(c);
            c->sent_time = s->now;
        }
        *wait = WAIT_LONG;
    }
}

static void retry_input(struct store *s)
{
    struct conn *c, *last = TAILQ_LAST(&s->stalled, conn_list);
    bool more = true;

    /* Those that stall again go behind the one that is last now. Serving c may close others, that
     * one too. */
    while (more && (c = TAILQ_FIRST(&s->stalled))) {
        more = c != last;
        TAILQ_REMOVE(&s->stalled, c, stall);
        c->is_stalled = false;
        if (conn_must_wait(c)) {
            conn_stall(c);
            continue;
        }
        conn_input(c, "", 0);
        if (c->is_stalled || c->is_closed || c->ignored)
            continue;
        interest(c, true, c->wants_out);
        c->transport->receive(c);
        if (last->is_closed)
            break;
    }
}

unsigned conn_settle_all(struct store *s)
{
    unsigned wait = 0;
    struct conn *c;

    if (!TAILQ_EMPTY(&s->dirty))
        retry_output(s, &wait);
    if (!TAILQ_EMPTY(&s->stalled)) {
        retry_input(s);
        if (!TAILQ_EMPTY(&s->dirty))
            retry_output(s, &wait);
    }
    TAILQ_FOREACH(c, &s->stalled, stall)
        wait = !wait || !conn_must_wait(c) ? WAIT_SHORT : wait;
    while ((c = TAILQ_FIRST(&s->closed))) {
        TAILQ_REMOVE(&s->closed, c, link);
        free(c);
    }
    journal_commit(s);
    return wait;
}

/* --- What a former process left --- */

void conn_restore(struct conn *c, const char *in, size_t in_len, const char *out, size_t out_len,
                  uint32_t head_left)
{
    conn_reset(c);
    conn_replay_input(c, in, in_len);
    conn_replay_output(c, out, out_len);
    c->head_left = head_left;
}

void conn_replay_output(struct conn *c, const char *data, size_t len)
{
    buffer_add(&c->out, data, len);
    account_charge(c->store, c->account, (int64_t)len);
    c->logged_out = conn_pending(c);
    make_dirty(c);
}

void conn_replay_sent(struct conn *c, size_t len)
{
    if (len > conn_pending(c))
        len = conn_pending(c);
    took(c, len);
    c->logged_out = conn_pending(c);
}

void conn_replay_input(struct conn *c, const char *data, size_t len)
{
    buffer_add(&c->in, data, len);
    c->logged_in = c->in.end - c->in.start;
    conn_stall(c);
}

void conn_replay_served(struct conn *c, size_t len)
{
    if (len > c->logged_in)
        len = c->logged_in;
    if (c->in.data)
        buffer_take(&c->in, len);
    c->logged_in -= (uint32_t)len;
}
