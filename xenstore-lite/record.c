/* SPDX-License-Identifier: MIT */
/* Writing of records: each change as it happens, and all of a store. */
#include "record.h"

#include <string.h>
#include "domain.h"
#include "journal.h"
#include "perms.h"
#include "ring.h"
#include "tree.h"
#include "watch.h"

#define ADD(store, type, ...)                                                                      \
    do {                                                                                           \
        const struct part parts[] = {__VA_ARGS__};                                                 \
        journal_add(store, type, parts, sizeof(parts) / sizeof(parts[0]));                         \
    } while (0)

void record_node(struct store *s, const struct node *n)
{
    struct perm entry[XENSTORE_PAYLOAD_MAX / 3];
    char path[XENSTORE_ABS_PATH_MAX + 16];
    struct record_node r = {0};
    const char *value;
    size_t len;

    for (unsigned i = 0; i < n->perms->n; i++)
        if (!i || perms_entry_valid(s, n->perms, i))
            entry[r.perms++] = n->perms->entry[i];
    value = node_value(n, &len);
    r.value_len = (uint32_t)len;
    r.path_len = (uint16_t)place_path(n->place, path);
    ADD(s, RECORD_NODE, {&r, sizeof(r)}, {entry, r.perms * sizeof(*entry)}, {path, r.path_len},
        {value, len});
}

void record_removed(struct store *s, const struct node *n)
{
    char path[XENSTORE_ABS_PATH_MAX + 16];

    ADD(s, RECORD_NODE_GONE, {path, place_path(n->place, path)});
}

void record_died(struct store *s, unsigned domid)
{
    uint32_t id = domid;

    ADD(s, RECORD_DIED, {&id, sizeof(id)});
}

void record_txn_request(struct conn *c, const struct xsd_sockmsg *header, const char *data)
{
    struct record_id r = {.conn = c->id};

    ADD(c->store, RECORD_TXN_REQUEST, {&r, sizeof(r)}, {header, sizeof(*header)},
        {data, header->len});
}

void record_quotas(struct store *s)
{
    ADD(s, RECORD_QUOTAS, {s->quota, sizeof(s->quota)}, {s->soft_quota, sizeof(s->soft_quota)});
}

void record_conn(struct conn *c)
{
    struct record_conn r = {
        .id = c->id,
        .is_socket = c->fd >= 0,
        .domid = c->domid,
        .target = c->target,
        .flags = c->ignored ? CONN_IGNORED : 0,
        .in_len = c->in.end - c->in.start,
        .out_len = conn_pending(c),
        .head_left = c->head_left,
        .next_txn = c->next_txn,
    };

    if (c->fd < 0) {
        const struct domain *d = c->carrier;

        r.remote_port = d->remote_port;
        r.gfn = d->gfn;
        r.req_cons = d->req_cons;
        r.rsp_prod = d->rsp_prod;
        r.flags |= d->shutdown_told ? CONN_SHUTDOWN_TOLD : 0;
    }
    ADD(c->store, RECORD_CONN, {&r, sizeof(r)}, {c->in.data + c->in.start, r.in_len},
        {c->out.data + c->out.start, r.out_len});
    c->logged_in = r.in_len;
    c->logged_out = r.out_len;
}

static void add_id(struct conn *c, uint32_t type, size_t bytes, const void *data, size_t len)
{
    struct record_id r = {c->id, (uint32_t)bytes, 0, 0};

    if (c->fd < 0) {
        const struct domain *d = c->carrier;

        r.index = type == RECORD_RECEIVED ? d->req_cons : d->rsp_prod;
    }
    ADD(c->store, type, {&r, sizeof(r)}, {data, len});
}

void record_conn_gone(struct conn *c)
{
    add_id(c, RECORD_CONN_GONE, 0, "", 0);
}

void record_watch(const struct watch *w, bool gone)
{
    char path[XENSTORE_ABS_PATH_MAX + 16];
    struct record_watch r = {w->conn->id, w->depth, 0, w->len, w->relative};

    r.path_len = (uint16_t)place_path(w->place, path);
    path[r.path_len++] = 0;
    ADD(w->conn->store, gone ? RECORD_WATCH_GONE : RECORD_WATCH, {&r, sizeof(r)},
        {path, r.path_len}, {w->token, w->len});
}

void record_txn(const struct txn *t, bool gone)
{
    struct record_txn r = {t->conn->id, t->id, t->doomed, 0};

    ADD(t->conn->store, gone ? RECORD_TXN_GONE : RECORD_TXN, {&r, sizeof(r)});
}

void record_output(struct conn *c)
{
    uint32_t fresh = conn_pending(c) - c->logged_out;

    if (!fresh)
        return;
    add_id(c, RECORD_OUTPUT, fresh, c->out.data + c->out.end - fresh, fresh);
    c->logged_out += fresh;
}

void record_sent(struct conn *c, size_t len)
{
    add_id(c, RECORD_SENT, len, "", 0);
    c->logged_out -= (uint32_t)len;
    journal_publish(c->store);
}

void record_served(struct conn *c)
{
    uint32_t left = c->in.end - c->in.start;

    if (left == c->logged_in)
        return;
    add_id(c, RECORD_SERVED, c->logged_in - left, "", 0);
    c->logged_in = left;
}

/* Committed at once, as the bytes are nowhere else from now on. */
void record_received(struct conn *c, const char *data, size_t len)
{
    add_id(c, RECORD_RECEIVED, len, data, len);
    c->logged_in += (uint32_t)len;
    journal_commit_now(c->store);
}

static void node_of_store(void *store, struct node *n, struct node *parent)
{
    if (parent)
        record_node(store, n);
}

/* Goes on in this process, but its snapshot is in no record any more. */
static void record_lost_txn(const struct txn *t)
{
    struct record_txn r = {t->conn->id, t->id, true, 0};

    ADD(t->conn->store, RECORD_TXN, {&r, sizeof(r)});
}

void record_store(struct store *s)
{
    struct watch *w;
    struct conn *c;
    struct txn *t;

    record_quotas(s);
    tree_walk(s->root, node_of_store, s);
    TAILQ_FOREACH(c, &s->conns, link) {
        record_conn(c);
        LIST_FOREACH(w, &c->watches, of_conn)
            record_watch(w, false);
        LIST_FOREACH(t, &c->txns, link)
            record_lost_txn(t);
    }
}
