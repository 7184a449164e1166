/* SPDX-License-Identifier: MIT */
/* The table of requests, and those that concern nodes, watches and transactions. */
#include "request.h"

#include <errno.h>
#include <string.h>
#include "journal.h"
#include "log.h"
#include "mem.h"
#include "perms.h"
#include "store.h"
#include "tree.h"
#include "watch.h"

char *request_reply(struct request *rq, size_t len)
{
    rq->answered = true;
    return conn_message(rq->conn, rq->type, rq->req_id, rq->tx_id, len);
}

int request_reply_text(struct request *rq, const char *text, bool with_nul)
{
    size_t len = strlen(text) + with_nul;

    if (len > XENSTORE_PAYLOAD_MAX)
        return E2BIG;
    memcpy(request_reply(rq, len), text, len);
    return 0;
}

int request_path_of(struct request *rq, const char *text, struct path *p)
{
    size_t limit = rq->conn->privileged ? XENSTORE_ABS_PATH_MAX : rq->store->quota[QUOTA_PATH];

    return path_parse(p, text, rq->conn->home, limit);
}

int request_path(struct request *rq, struct path *p)
{
    return wire_is_one_string(rq->data, rq->len) ? request_path_of(rq, rq->data, p) : EINVAL;
}

/* Finds a node to read a facet of, and has the transaction remember that it did. */
static int read_facet(struct request *rq, struct path *p, unsigned facet, struct found *f)
{
    int error = tree_access(rq->conn, rq->txn, p, PERM_READ, f);
    struct txn *t = rq->txn;
    int full;

    if (!t)
        return error;
    if (!f->all) {
        facet = FACET_EXISTS;
    } else {
        /* What it changed itself depends on nobody else. */
        if (((facet & FACET_VALUE) && f->node->value_set > t->began) ||
            ((facet & FACET_CHILDREN) && f->node->children_set > t->began) ||
            ((facet & FACET_PERMS) && f->node->perms_set > t->began))
            facet = 0;
        if (!rq->conn->privileged && f->node->perms_set <= t->began)
            facet |= FACET_PERMS;
    }
    full = facet ? txn_touch(t, p, facet, 0) : 0;
    return full ? full : error;
}

static int plain_path(struct request *rq, struct path *p)
{
    int error = request_path(rq, p);

    return error ? error : p->special ? EINVAL : 0;
}

static int do_read(struct request *rq)
{
    struct path p;
    struct found f;
    const char *value;
    size_t len;
    int error = plain_path(rq, &p);

    if (error || (error = read_facet(rq, &p, FACET_VALUE, &f)))
        return error;
    value = node_value(f.node, &len);
    memcpy(request_reply(rq, len), value, len);
    return 0;
}

static size_t names_length(const struct node *n)
{
    size_t len = 0;

    for (uint32_t i = 0; i < n->children; i++)
        len += n->child[i].node->place->len + 1u;
    return len;
}

static int do_directory(struct request *rq)
{
    struct place *place;
    struct found f;
    struct path p;
    size_t len;
    char *to;
    int error = plain_path(rq, &p);

    if (error || (error = read_facet(rq, &p, FACET_CHILDREN, &f)))
        return error;
    len = names_length(f.node);
    if (len > XENSTORE_PAYLOAD_MAX)
        return E2BIG;
    to = request_reply(rq, len);
    for (uint32_t i = 0; i < f.node->children; i++) {
        place = f.node->child[i].node->place;
        memcpy(to, place->name, place->len + 1u);
        to += place->len + 1u;
    }
    return 0;
}

static int do_directory_part(struct request *rq)
{
    char text[XENSTORE_PAYLOAD_MAX], *argv[2];
    struct place *place;
    size_t rest, len, at = 0;
    struct found f;
    struct path p;
    long long offset;
    uint32_t i;
    int error;

    if (wire_split(rq->data, rq->len, argv, 2, &rest) != 2 || rest ||
        !wire_number(argv[1], 0, UINT32_MAX, &offset))
        return EINVAL;
    error = request_path_of(rq, argv[0], &p);
    if (error || p.special)
        return EINVAL;
    if ((error = read_facet(rq, &p, FACET_CHILDREN, &f)))
        return error;
    len = wire_put_number(text, node_generation(f.node));
    text[len++] = 0;
    for (i = 0; i < f.node->children; i++) {
        place = f.node->child[i].node->place;
        if (at >= (size_t)offset) {
            if (len + place->len + 2u > sizeof(text))
                break;
            memcpy(text + len, place->name, place->len + 1u);
            len += place->len + 1u;
        }
        at += place->len + 1u;
    }
    if (i == f.node->children)
        text[len++] = 0;
    memcpy(request_reply(rq, len), text, len);
    return 0;
}

static int do_write(struct request *rq)
{
    struct path p;
    char *end = memchr(rq->data, 0, rq->len);
    int error;

    if (!end)
        return EINVAL;
    error = request_path_of(rq, rq->data, &p);
    if (error || p.special)
        return EINVAL;
    return tree_write(rq->conn, rq->txn, &p, end + 1, rq->len - (size_t)(end + 1 - rq->data));
}

static int do_mkdir(struct request *rq)
{
    struct path p;
    int error = plain_path(rq, &p);

    return error ? error : tree_mkdir(rq->conn, rq->txn, &p);
}

static int do_rm(struct request *rq)
{
    struct path p;
    int error = plain_path(rq, &p);

    return error ? error : tree_remove(rq->conn, rq->txn, &p);
}

static int do_get_perms(struct request *rq)
{
    struct path p;
    struct found f;
    size_t len;
    int error = request_path(rq, &p);

    if (error || (error = read_facet(rq, &p, FACET_PERMS, &f)))
        return error;
    len = perms_format(rq->store, f.node->perms, NULL);
    if (len > XENSTORE_PAYLOAD_MAX)
        return E2BIG;
    perms_format(rq->store, f.node->perms, request_reply(rq, len));
    return 0;
}

static int do_set_perms(struct request *rq)
{
    struct perm entry[XENSTORE_PAYLOAD_MAX / 3];
    char *list = memchr(rq->data, 0, rq->len);
    struct path p;
    unsigned n;

    if (!list++ || request_path_of(rq, rq->data, &p))
        return EINVAL;
    n = perms_parse(list, rq->len - (size_t)(list - rq->data), entry,
                    sizeof(entry) / sizeof(entry[0]));
    if (!n)
        return EINVAL;
    if (!rq->conn->privileged && n > rq->store->quota[QUOTA_PERMISSIONS])
        return ENOSPC;
    return tree_set_perms(rq->conn, rq->txn, &p, entry, n);
}

/* Special nodes can be watched, and with a domain's number below "@releaseDomain" and
 * "@introduceDomain" nothing. */
static int watch_path(struct request *rq, const char *text, struct path *p)
{
    int error = request_path_of(rq, text, p);

    if (error || !p->special)
        return error;
    return tree_lookup(rq->store->root, p) ? 0 : EINVAL;
}

static int do_watch(struct request *rq)
{
    long long depth = DEPTH_ANY;
    struct watch *w;
    char *argv[3];
    struct path p;
    size_t rest;
    unsigned n = wire_split(rq->data, rq->len, argv, 3, &rest);
    int error;

    if (n < 2 || rest || (n == 3 && !wire_number(argv[2], 0, UINT32_MAX - 1, &depth)))
        return EINVAL;
    if ((error = watch_path(rq, argv[0], &p)))
        return error;
    if ((error = watch_add(rq->conn, &p, argv[1], (uint32_t)depth, &w)))
        return error;
    error = request_reply_text(rq, "OK", true);
    watch_send_first(w);
    return error;
}

static int do_unwatch(struct request *rq)
{
    char *argv[2];
    struct path p;
    size_t rest;
    int error;

    if (wire_split(rq->data, rq->len, argv, 2, &rest) != 2 || rest)
        return EINVAL;
    error = watch_path(rq, argv[0], &p);
    return error ? error : watch_remove(rq->conn, &p, argv[1]);
}

static int do_transaction_start(struct request *rq)
{
    char text[24];
    struct txn *t;
    int error;

    if (rq->txn)
        return EBUSY;
    if ((error = txn_begin(rq->conn, &t)))
        return error;
    text[wire_put_number(text, t->id)] = 0;
    return request_reply_text(rq, text, true);
}

static int do_transaction_end(struct request *rq)
{
    if (!rq->txn)
        return ENOENT;
    if (rq->len != 2 || rq->data[1] || (rq->data[0] != 'T' && rq->data[0] != 'F'))
        return EINVAL;
    return txn_end(rq->txn, rq->data[0] == 'T');
}

static int do_reset_watches(struct request *rq)
{
    watch_remove_all(rq->conn);
    txn_end_all(rq->conn);
    return 0;
}

enum { PRIVILEGED = 1, NO_TRANSACTION = 2, GROWS = 4 };

static const struct op {
    const char *name;
    int (*serve)(struct request *rq);
    unsigned flags;
} ops[XS_TYPES] = {
    [XS_CONTROL] = {"CONTROL", request_control, PRIVILEGED},
    [XS_DIRECTORY] = {"DIRECTORY", do_directory, 0},
    [XS_READ] = {"READ", do_read, 0},
    [XS_GET_PERMS] = {"GET_PERMS", do_get_perms, 0},
    [XS_WATCH] = {"WATCH", do_watch, NO_TRANSACTION | GROWS},
    [XS_UNWATCH] = {"UNWATCH", do_unwatch, NO_TRANSACTION},
    [XS_TRANSACTION_START] = {"TRANSACTION_START", do_transaction_start, GROWS},
    [XS_TRANSACTION_END] = {"TRANSACTION_END", do_transaction_end, 0},
    [XS_INTRODUCE] = {"INTRODUCE", request_introduce, PRIVILEGED},
    [XS_RELEASE] = {"RELEASE", request_release, PRIVILEGED},
    [XS_GET_DOMAIN_PATH] = {"GET_DOMAIN_PATH", request_get_domain_path, 0},
    [XS_WRITE] = {"WRITE", do_write, GROWS},
    [XS_MKDIR] = {"MKDIR", do_mkdir, GROWS},
    [XS_RM] = {"RM", do_rm, 0},
    [XS_SET_PERMS] = {"SET_PERMS", do_set_perms, GROWS},
    [XS_IS_DOMAIN_INTRODUCED] = {"IS_DOMAIN_INTRODUCED", request_is_introduced, PRIVILEGED},
    [XS_RESUME] = {"RESUME", request_resume, PRIVILEGED},
    [XS_SET_TARGET] = {"SET_TARGET", request_set_target, PRIVILEGED},
    [XS_RESET_WATCHES] = {"RESET_WATCHES", do_reset_watches, 0},
    [XS_DIRECTORY_PART] = {"DIRECTORY_PART", do_directory_part, 0},
    [XS_GET_FEATURE] = {"GET_FEATURE", request_get_feature, 0},
    [XS_SET_FEATURE] = {"SET_FEATURE", request_set_feature, PRIVILEGED},
    [XS_GET_QUOTA] = {"GET_QUOTA", request_get_quota, 0},
    [XS_SET_QUOTA] = {"SET_QUOTA", request_set_quota, PRIVILEGED},
};

static int run(struct request *rq, const struct op *op)
{
    if (!op)
        return ENOSYS;
    if ((op->flags & PRIVILEGED) && !rq->conn->privileged)
        return EACCES;
    if (rq->tx_id && !(op->flags & NO_TRANSACTION) && !(rq->txn = txn_find(rq->conn, rq->tx_id)))
        return ENOENT;
    if ((op->flags & GROWS) && mem_low())
        return ENOMEM;
    return op->serve(rq);
}

void request_serve(struct conn *c, const struct xsd_sockmsg *header, char *data)
{
    struct request rq = {
        .conn = c,
        .store = c->store,
        .type = header->type,
        .req_id = header->req_id,
        .tx_id = header->tx_id,
        .data = data,
        .len = header->len,
    };
    const struct op *op = rq.type < XS_TYPES && ops[rq.type].serve ? &ops[rq.type] : NULL;
    const char *name;
    int error;

    c->store->request++;
    if (log_requests)
        log_request(c, op ? op->name : "?", &rq);
    error = run(&rq, op);
    if (rq.txn && rq.type != XS_TRANSACTION_END)
        journal_txn_request(c, header, data);
    if (rq.answered)
        return;
    name = error ? wire_error_name(error) : "OK";
    if (error)
        rq.type = XS_ERROR;
    request_reply_text(&rq, name, true);
    if (log_requests && error)
        log_text("  %s", name);
}
