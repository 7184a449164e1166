/* SPDX-License-Identifier: MIT */
/* A store from its beginning to its end, and its audit. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include "domain.h"
#include "mem.h"
#include "tree.h"
#include "watch.h"

static struct node *make_root(struct store *s)
{
    static const struct perm nobody = {0, PERM_NONE};
    struct perms *perms = perms_make(&nobody, 1, ++s->generation);

    return node_make(place_get(&s->places, NULL, "", 0), perms, s->generation);
}

static void add_initial(struct store *s, const char *text)
{
    static const struct perm nobody = {0, PERM_NONE};
    struct path p;

    path_set(&p, text, strlen(text));
    tree_put(s, &p, &nobody, 1, "", 0);
}

void store_init(struct store *s)
{
    memset(s, 0, sizeof(*s));
    mem_init();
    quota_init(s);
    TAILQ_INIT(&s->conns);
    TAILQ_INIT(&s->dirty);
    TAILQ_INIT(&s->stalled);
    TAILQ_INIT(&s->closed);
    LIST_INIT(&s->domains);
    TAILQ_INIT(&s->kicks);
    s->event_timeout = 20000;
    s->root = make_root(s);
    add_initial(s, "/");
    add_initial(s, "@introduceDomain");
    add_initial(s, "@releaseDomain");
    add_initial(s, "/tool/xenstored");
}

void store_free(struct store *s)
{
    struct conn *c, *next;

    while (!LIST_EMPTY(&s->domains))
        domain_drop(LIST_FIRST(&s->domains));
    for (c = TAILQ_FIRST(&s->conns); c; c = next) {
        next = TAILQ_NEXT(c, link);
        conn_close(c, XENSTORE_ERROR_COMM);
    }
    conn_settle_all(s);
    node_put(&s->places, s->root);
    free(s->places.bucket);
    for (unsigned i = 0; i < DOMID_LIMIT; i++)
        free(s->account[i]);
}

/* --- Audit: the accounts, counted again --- */

struct count {
    uint32_t nodes, watches, transactions;
    int64_t bytes;
};

static void count_node(void *context, struct node *n, struct node *parent)
{
    struct count *count = context;

    if (!parent)
        return; /* the node above "/" is nobody's */
    count[node_owner(n)].nodes++;
    count[node_owner(n)].bytes += (int64_t)node_bytes(n);
}

static void count_conns(struct store *s, struct count *count)
{
    struct watch *w;
    struct conn *c;
    struct txn *t;

    TAILQ_FOREACH(c, &s->conns, link) {
        count[c->domid].bytes += (int64_t)sizeof(*c) + conn_pending(c);
        LIST_FOREACH(w, &c->watches, of_conn) {
            count[c->domid].watches++;
            count[c->domid].bytes += watch_bytes(w);
        }
        LIST_FOREACH(t, &c->txns, link) {
            count[c->domid].transactions++;
            count[c->domid].bytes += t->charged;
        }
    }
}

static bool audit_account(struct store *s, unsigned domid, const struct count *count, char *text,
                          size_t size)
{
    static const struct account none;
    const struct account *a = s->account[domid] ? s->account[domid] : &none;
    struct place *p;
    uint32_t listed = 0;

    LIST_FOREACH(p, &a->places, of_owner)
        listed++;
    if (a->nodes == count->nodes && listed == count->nodes && a->memory == count->bytes &&
        a->watches == count->watches && a->transactions == count->transactions)
        return true;
    snprintf(
        text, size,
        "domain %u: account has %u nodes (%u listed), %lld bytes, %u watches, %u transactions; "
        "counted are %u, %lld, %u, %u",
        domid, a->nodes, listed, (long long)a->memory, a->watches, a->transactions, count->nodes,
        (long long)count->bytes, count->watches, count->transactions);
    return false;
}

bool store_audit(struct store *s, char *text, size_t size)
{
    struct count *count = mem_zalloc(DOMID_LIMIT * sizeof(*count));
    bool good = true;

    tree_walk(s->root, count_node, count);
    count_conns(s, count);
    for (unsigned i = 0; i < DOMID_LIMIT && good; i++)
        good = audit_account(s, i, &count[i], text, size);
    free(count);
    return good;
}
