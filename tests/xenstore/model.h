/* SPDX-License-Identifier: MIT */
/* What test_model.c compares the store with: a fixed table of paths, transactions that are copies
 * of the table, events found by asking every watch. */
#ifndef XS_MODEL_H
#define XS_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "harness.h"

#define PATHS                                                                                      \
    40 /* "/t" and three levels of three names below: the parent of path i is (i - 1) / 3 */
#define CLIENTS 3
#define WATCHES 6
#define TXNS    2
#define VALUE   12 /* bytes, with NUL */

struct entry {
    bool exists;
    char value[VALUE];
    struct perm perm[3];
    unsigned perms;
    uint64_t born, value_set, perms_set, children_set; /* when */
};

struct touched {
    bool read_value, read_perms, read_children, read_exists, wrote, created, set_perms, removed;
};

struct model_txn {
    uint32_t id; /* 0: none */
    bool doomed;
    bool resumed; /* by another process, which does not see that a value was replaced by the same
                     one */
    struct entry base[PATHS], now[PATHS];
    struct touched touched[PATHS];
};

struct model_watch {
    bool used;
    unsigned path;
};

struct model_client {
    struct client link;
    struct model_txn txn[TXNS];
    struct model_watch watch[WATCHES];
};

extern struct model_client client[CLIENTS];
extern struct entry table[PATHS];
extern uint64_t now; /* number of the last change */

/* Events that are due, each client's as a multiset: client, watch, path. */
extern unsigned wanted[CLIENTS][WATCHES][PATHS];

int model_parent(unsigned p);
int model_nearest(const struct entry *t, unsigned p);
bool model_allowed(unsigned domid, const struct entry *e, unsigned access);
const char *model_judge(const struct entry *t, unsigned domid, unsigned p, unsigned access);
void model_want(const struct entry *before, const struct entry *after, unsigned p, bool exact);
void model_want_removal(const struct entry *before, const struct entry *after, unsigned p);
void model_remove(struct entry *t, unsigned p);
void model_create(struct entry *t, unsigned domid, unsigned p);
bool model_conflict(const struct model_txn *t);
const char *model_commit(struct model_txn *t, unsigned domid);

#endif
