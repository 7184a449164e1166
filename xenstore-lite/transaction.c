/* SPDX-License-Identifier: MIT */
/* What transactions remember, and whether what they read still holds when they end. */
#include "transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "commit.h"
#include "journal.h"
#include "mem.h"
#include "store.h"
#include "tree.h"

#define TXN_BYTES                                                                                  \
    4096 /* charged for a transaction, besides what it touches: copies of the nodes above */

struct txn *txn_find(struct conn *c, uint32_t id)
{
    struct txn *t;

    LIST_FOREACH(t, &c->txns, link)
        if (t->id == id)
            return t;
    return NULL;
}

static void take_snapshot(struct txn *t)
{
    struct store *s = t->conn->store;

    t->base = t->root = s->root;
    s->root->refs += 2;
    t->began = s->generation;
    s->snapshots++;
}

static void drop_snapshot(struct txn *t)
{
    struct store *s = t->conn->store;

    node_put(&s->places, t->base);
    node_put(&s->places, t->root);
    if (!--s->snapshots)
        s->pinned = 0;
}

static void charge(struct txn *t, int64_t bytes)
{
    t->charged += bytes;
    account_charge(t->conn->store, t->conn->account, bytes);
}

static struct txn *make(struct conn *c, uint32_t id)
{
    struct txn *t = mem_zalloc(sizeof(*t));

    t->conn = c;
    t->id = id;
    TAILQ_INIT(&t->order);
    LIST_INSERT_HEAD(&c->txns, t, link);
    c->account->transactions++;
    charge(t, sizeof(*t) + TXN_BYTES);
    take_snapshot(t);
    return t;
}

int txn_begin(struct conn *c, struct txn **t)
{
    struct store *s = c->store;

    if (!c->privileged && (c->account->transactions >= s->quota[QUOTA_TRANSACTIONS] ||
                           account_check(s, c->account, 0, sizeof(**t) + TXN_BYTES)))
        return ENOSPC;
    do {
        c->next_txn = c->next_txn == UINT32_MAX ? 1 : c->next_txn + 1;
    } while (txn_find(c, c->next_txn));
    *t = make(c, c->next_txn);
    journal_txn(*t);
    return 0;
}

void txn_restore(struct conn *c, uint32_t id, bool doomed)
{
    struct txn *t = txn_find(c, id);

    if (!t)
        t = make(c, id);
    if (id > c->next_txn)
        c->next_txn = id;
    t->doomed |= doomed;
}

static void discard(struct txn *t)
{
    struct touch *u;

    while ((u = TAILQ_FIRST(&t->order))) {
        TAILQ_REMOVE(&t->order, u, link);
        free(u);
    }
    free(t->bucket);
    drop_snapshot(t);
    journal_txn_gone(t);
    t->conn->account->transactions--;
    charge(t, -t->charged);
    LIST_REMOVE(t, link);
    free(t);
}

void txn_end_all(struct conn *c)
{
    while (!LIST_EMPTY(&c->txns))
        discard(LIST_FIRST(&c->txns));
}

void txn_doom_all(struct store *s)
{
    struct conn *c;
    struct txn *t;

    TAILQ_FOREACH(c, &s->conns, link) {
        LIST_FOREACH(t, &c->txns, link) {
            if (c->privileged)
                continue;
            drop_snapshot(t);
            take_snapshot(t);
            t->doomed = true;
            journal_txn(t);
        }
    }
    s->pinned = 0;
}

static uint32_t hash_path(const struct path *p)
{
    uint64_t h = p->len, part;

    for (size_t i = 0; i < p->len; i += sizeof(part)) { /* the text is followed by zeros */
        memcpy(&part, p->text + i, sizeof(part));
        h = (h ^ part) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return (uint32_t)(h ^ h >> 29);
}

static void grow(struct txn *t)
{
    struct touch *u;

    t->size = t->size ? t->size * 4 : 8;
    t->bucket = mem_realloc(t->bucket, t->size * sizeof(*t->bucket));
    memset(t->bucket, 0, t->size * sizeof(*t->bucket));
    TAILQ_FOREACH(u, &t->order, link) {
        u->next = t->bucket[u->hash & (t->size - 1)];
        t->bucket[u->hash & (t->size - 1)] = u;
    }
}

static int charge_checked(struct txn *t, size_t bytes)
{
    int error = t->conn->privileged
                    ? 0
                    : account_check(t->conn->store, t->conn->account, 0, (int64_t)bytes);

    if (!error)
        charge(t, (int64_t)bytes);
    return error;
}

static int touch_again(struct txn *t, struct touch *u, unsigned what, size_t bytes)
{
    u->what |= (uint8_t)what;
    if (bytes <= u->bytes)
        return 0;
    if (charge_checked(t, bytes - u->bytes))
        return ENOSPC;
    u->bytes = (uint32_t)bytes;
    return 0;
}

int txn_touch(struct txn *t, const struct path *p, unsigned what, size_t bytes)
{
    uint32_t hash = hash_path(p);
    struct store *s = t->conn->store;
    struct touch *u;

    if (what & ~FACETS)
        t->wrote = true;
    for (u = t->size ? t->bucket[hash & (t->size - 1)] : NULL; u; u = u->next)
        if (u->hash == hash && u->len == p->len && !memcmp(u->path, p->text, p->len))
            return touch_again(t, u, what, bytes);
    if ((!t->conn->privileged && t->touches >= s->quota[QUOTA_TRANSACTION_NODES]) ||
        charge_checked(t, sizeof(*u) + p->len + bytes))
        return ENOSPC;
    if (t->touches >= t->size)
        grow(t);
    u = mem_alloc(sizeof(*u) + p->len);
    u->hash = hash;
    u->what = (uint8_t)what;
    u->len = p->len;
    u->bytes = (uint32_t)bytes;
    memcpy(u->path, p->text, p->len);
    u->next = t->bucket[hash & (t->size - 1)];
    t->bucket[hash & (t->size - 1)] = u;
    TAILQ_INSERT_TAIL(&t->order, u, link);
    t->touches++;
    return 0;
}

int txn_end(struct txn *t, bool commit)
{
    int error = 0;

    if (commit && t->wrote)
        error = t->doomed ? EAGAIN : commit_txn(t);
    discard(t);
    return error;
}
