/* SPDX-License-Identifier: MIT */
/* Transactions. A transaction keeps the root it began with and a root of its own, which are the
 * same until it writes; and a record of each path it touched: what it read there (facets), and what
 * it did.
 *
 * Commit: if the store has the root the transaction began with, its own root takes the place.
 * Otherwise each facet read must be as it was, and what was done is done again on the store's
 * present tree. Either way the new tree is judged as a whole (quotas) before it becomes the
 * store's, so a commit happens completely or not at all. */
#ifndef XSL_TRANSACTION_H
#define XSL_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "conn.h"
#include "node.h"
#include "path.h"

enum {
    FACET_EXISTS = 1,
    FACET_VALUE = 2,
    FACET_PERMS = 4,
    FACET_CHILDREN = 8,
    DID_REMOVE = 16,
    DID_CREATE = 32,
    DID_VALUE = 64,
    DID_PERMS = 128,
    FACETS = FACET_EXISTS | FACET_VALUE | FACET_PERMS | FACET_CHILDREN,
};

struct touch {
    TAILQ_ENTRY(touch) link; /* in the order of the first touch */
    struct touch *next;      /* in its hash bucket */
    uint32_t hash;
    uint8_t what; /* FACET_*, DID_* */
    uint16_t len;
    uint32_t bytes; /* that were put there, at most */
    char path[];
};

struct txn {
    LIST_ENTRY(txn) link;
    struct conn *conn;
    uint32_t id;
    bool doomed; /* its snapshot is gone: it can only fail */
    bool wrote;
    struct node *base, *root;
    uint64_t began; /* generations above are its own changes */
    uint32_t touches, size;
    int64_t charged;
    TAILQ_HEAD(touch_list, touch) order;
    struct touch **bucket;
};

struct txn *txn_find(struct conn *c, uint32_t id);
int txn_begin(struct conn *c, struct txn **t);
int txn_end(struct txn *t,
            bool commit); /* 0, EAGAIN, ENOSPC; the transaction is gone in any case */
void txn_end_all(struct conn *c);

/* Makes one of a former process; if it is doomed, its snapshot is not known any more. */
void txn_restore(struct conn *c, uint32_t id, bool doomed);

/* Records, also that so many bytes are put there. ENOSPC if the transaction has touched too many
 * paths. */
int txn_touch(struct txn *t, const struct path *p, unsigned what, size_t bytes);

/* Lets go of all snapshots that domains hold, as they keep too much memory: those transactions have
 * to be repeated. */
void txn_doom_all(struct store *s);

#endif
