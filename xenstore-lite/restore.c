/* SPDX-License-Identifier: MIT */
/* Applying records, one after the other. They come from our own hand, but are checked for their
 * lengths. */
#include "restore.h"

#include <string.h>
#include <syslog.h>
#include "conn.h"
#include "domain.h"
#include "journal.h"
#include "mem.h"
#include "record.h"
#include "request.h"
#include "ring.h"
#include "tree.h"
#include "watch.h"

static struct conn *conn_by_id(struct store *s, uint32_t id)
{
    struct conn *c;

    TAILQ_FOREACH(c, &s->conns, link)
        if (c->id == id)
            return c;
    return NULL;
}

/* --- Nodes --- */

static bool apply_node(struct store *s, const char *data, size_t len)
{
    const struct record_node *r = (const void *)data;
    const struct perm *entry = (const void *)(r + 1);
    struct path p;
    const char *path;

    if (len < sizeof(*r) || !r->perms || !r->path_len || r->path_len > XENSTORE_ABS_PATH_MAX ||
        len != sizeof(*r) + r->perms * sizeof(*entry) + r->path_len + r->value_len)
        return false;
    path = (const char *)(entry + r->perms);
    path_set(&p, path, r->path_len);
    tree_put(s, &p, entry, r->perms, path + r->path_len, r->value_len);
    return true;
}

static bool apply_node_gone(struct store *s, const char *data, size_t len)
{
    struct path p;

    if (!len || len > XENSTORE_ABS_PATH_MAX)
        return false;
    path_set(&p, data, len);
    tree_drop(s, &p);
    return true;
}

static bool apply_died(struct store *s, const char *data, size_t len)
{
    uint32_t domid;

    if (len != sizeof(domid))
        return false;
    memcpy(&domid, data, sizeof(domid));
    if (domid >= DOMID_LIMIT)
        return false;
    account_get(s, domid)->died = ++s->generation;
    return true;
}

static bool apply_quotas(struct store *s, const char *data, size_t len)
{
    if (len != 2 * sizeof(s->quota))
        return false;
    memcpy(s->quota, data, sizeof(s->quota));
    memcpy(s->soft_quota, data + sizeof(s->quota), sizeof(s->quota));
    return true;
}

/* --- Connections --- */

/* The ring of a domain that may be gone; NULL if so. */
static struct conn *restore_ring(struct store *s, const struct record_conn *r)
{
    struct domain *d = domain_find(s, r->domid);

    if (!d && r->domid && s->xen)
        d = domain_reattach(s, r->domid, r->gfn, r->remote_port);
    if (!d)
        return NULL;
    d->shutdown_told = r->flags & CONN_SHUTDOWN_TOLD;
    return d->conn;
}

/* Where the former process was in a ring; it is told the ring when all records are applied. */
static void note_index(struct conn *c, const uint32_t *req_cons, const uint32_t *rsp_prod)
{
    struct domain *d = c->carrier;

    if (c->fd >= 0)
        return;
    if (req_cons)
        d->req_cons = *req_cons;
    if (rsp_prod)
        d->rsp_prod = *rsp_prod;
}

static bool apply_conn(struct store *s, restore_socket *socket, const char *data, size_t len)
{
    const struct record_conn *r = (const void *)data;
    struct conn *c;

    if (len < sizeof(*r) || r->domid >= DOMID_LIMIT || len != sizeof(*r) + r->in_len + r->out_len)
        return false;
    if (r->id > s->next_conn)
        s->next_conn = r->id;
    c = conn_by_id(s, r->id);
    if (!c)
        c = r->is_socket ? socket(s, r->id) : restore_ring(s, r);
    account_get(s, r->domid)->lost = !c && !r->is_socket;
    if (!c)
        return true;
    c->id = r->id;
    c->target = r->target;
    c->next_txn = r->next_txn;
    conn_restore(c, data + sizeof(*r), r->in_len, data + sizeof(*r) + r->in_len, r->out_len,
                 r->head_left);
    c->ignored = r->flags & CONN_IGNORED;
    note_index(c, &r->req_cons, &r->rsp_prod);
    return true;
}

static bool apply_watch(struct store *s, const char *data, size_t len, bool gone)
{
    const struct record_watch *r = (const void *)data;
    const char *path = data + sizeof(*r), *token;
    struct watch *w;
    struct conn *c;
    struct path p;

    if (len < sizeof(*r) || !r->path_len || r->path_len > XENSTORE_ABS_PATH_MAX + 1 ||
        !r->token_len || len != sizeof(*r) + r->path_len + r->token_len || data[len - 1])
        return false;
    token = path + r->path_len;
    c = conn_by_id(s, r->conn);
    path_set(&p, path, r->path_len - 1u);
    p.relative = r->relative;
    if (c && gone)
        watch_remove(c, &p, token);
    else if (c)
        watch_add(c, &p, token, r->depth, &w);
    return true;
}

static bool apply_txn(struct store *s, const char *data, size_t len, bool gone)
{
    const struct record_txn *r = (const void *)data;
    struct conn *c;
    struct txn *t;

    if (len != sizeof(*r))
        return false;
    c = conn_by_id(s, r->conn);
    t = c ? txn_find(c, r->id) : NULL;
    if (t && gone)
        txn_end(t, false);
    else if (c && !gone)
        txn_restore(c, r->id, r->doomed);
    return true;
}

static void repeat_request(struct conn *c, const char *data, size_t len)
{
    char payload[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg header;

    if (len < sizeof(header))
        return;
    memcpy(&header, data, sizeof(header));
    len -= sizeof(header);
    if (len != header.len || len > sizeof(payload) || !txn_find(c, header.tx_id))
        return;
    memcpy(payload, data + sizeof(header), len);
    c->store->replaying = true;
    request_serve(c, &header, payload);
    c->store->replaying = false;
}

/* What concerns one connection. */
static bool apply_to_conn(struct store *s, uint32_t type, const char *data, size_t len)
{
    const struct record_id *r = (const void *)data;
    const char *bytes = data + sizeof(*r);
    struct conn *c;

    if (len < sizeof(*r))
        return false;
    c = conn_by_id(s, r->conn);
    if (!c)
        return true;
    if (type == RECORD_RECEIVED)
        note_index(c, &r->index, NULL);
    if (type == RECORD_SENT)
        note_index(c, NULL, &r->index);
    if (type == RECORD_CONN_GONE)
        conn_close(c, XENSTORE_ERROR_NONE);
    else if (type == RECORD_RECEIVED)
        conn_replay_input(c, bytes, len - sizeof(*r));
    else if (type == RECORD_SERVED)
        conn_replay_served(c, r->bytes);
    else if (type == RECORD_TXN_REQUEST)
        repeat_request(c, bytes, len - sizeof(*r));
    else if (type == RECORD_OUTPUT)
        conn_replay_output(c, bytes, len - sizeof(*r));
    else
        conn_replay_sent(c, r->bytes);
    return true;
}

static bool apply(struct store *s, restore_socket *socket, uint32_t type, const char *data,
                  size_t len)
{
    switch (type) {
    case RECORD_NODE:
        return apply_node(s, data, len);
    case RECORD_NODE_GONE:
        return apply_node_gone(s, data, len);
    case RECORD_DIED:
        return apply_died(s, data, len);
    case RECORD_QUOTAS:
        return apply_quotas(s, data, len);
    case RECORD_CONN:
        return apply_conn(s, socket, data, len);
    case RECORD_WATCH:
    case RECORD_WATCH_GONE:
        return apply_watch(s, data, len, type == RECORD_WATCH_GONE);
    case RECORD_TXN:
    case RECORD_TXN_GONE:
        return apply_txn(s, data, len, type == RECORD_TXN_GONE);
    case RECORD_CONN_GONE:
    case RECORD_RECEIVED:
    case RECORD_SERVED:
    case RECORD_OUTPUT:
    case RECORD_SENT:
    case RECORD_TXN_REQUEST:
        return apply_to_conn(s, type, data, len);
    default:
        return false;
    }
}

/* Domains that ended while no process was there to see it. */
static void bury(struct store *s)
{
    for (unsigned domid = 1; domid < DOMID_LIMIT; domid++)
        if (s->account[domid] && s->account[domid]->lost) {
            s->account[domid]->lost = false;
            domain_died(s, domid);
        }
}

bool restore_store(struct store *s, restore_socket *socket, const char *data, size_t len)
{
    struct domain *d;
    struct record r;
    struct path tool;
    size_t at = 0, full;

    if (len) { /* a new store has it, but it may have been removed meanwhile */
        path_set(&tool, "/tool", 5);
        tree_drop(s, &tool);
    }
    while (len - at >= sizeof(r)) {
        memcpy(&r, data + at, sizeof(r));
        full = (sizeof(r) + r.len + 7) & ~(size_t)7;
        if (r.len > len - at - sizeof(r) ||
            !apply(s, socket, r.type, data + at + sizeof(r), r.len)) {
            syslog(LOG_ERR, "the journal is bad at byte %zu of %zu: type %u, %u bytes", at, len,
                   r.type, r.len);
            return false;
        }
        at += full;
    }
    LIST_FOREACH(d, &s->domains, link)
        ring_resume(d, d->req_cons, d->rsp_prod);
    bury(s);
    return true;
}

void restore_io(struct store *s, const struct unfinished *u, uint64_t bytes_in, uint64_t bytes_out)
{
    struct conn *c = u->reading ? conn_by_id(s, u->reading) : NULL;

    if (c && bytes_in > u->in_before && bytes_in - u->in_before <= sizeof(u->inbox))
        conn_replay_input(c, u->inbox, bytes_in - u->in_before);
    c = u->writing ? conn_by_id(s, u->writing) : NULL;
    if (c && bytes_out > u->out_before)
        conn_replay_sent(c, bytes_out - u->out_before);
}
