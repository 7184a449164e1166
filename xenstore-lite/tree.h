/* SPDX-License-Identifier: MIT */
/* The tree as connections see it: finding, making, changing and removing nodes, in the store or in
 * a transaction. */
#ifndef XSL_TREE_H
#define XSL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include "conn.h"
#include "node.h"
#include "path.h"
#include "store.h"
#include "transaction.h"

struct found {
    struct node *node;   /* the node, or the nearest one above that exists */
    struct node *parent; /* of node; NULL for the root */
    unsigned depth;      /* names of the path that were found */
    bool all;            /* depth is the path's */
    bool shared;         /* one of the nodes down to node is immutable */
};

void tree_find(struct node *root, const struct path *p, struct found *f);
struct node *tree_lookup(struct node *root, const struct path *p); /* NULL: none */
struct node *tree_special(struct store *s, const char *name);

/* Finds a node that the connection may access in the wanted way. 0, or what the client is told:
 * ENOENT only if it may see that there is none, EACCES otherwise. */
int tree_access(struct conn *c, struct txn *t, const struct path *p, unsigned wanted,
                struct found *f);

/* Makes the nodes on the path down to the first depth names changeable and returns the last of
 * them. */
struct node *tree_own(struct node **root, const struct path *p, unsigned depth);

/* These return 0 or an error, and fire watches unless in a transaction. */
int tree_write(struct conn *c, struct txn *t, const struct path *p, const char *data, size_t len);
int tree_mkdir(struct conn *c, struct txn *t, const struct path *p);
int tree_remove(struct conn *c, struct txn *t, const struct path *p);
int tree_set_perms(struct conn *c, struct txn *t, const struct path *p, const struct perm *entry,
                   unsigned n);

/* Takes the node out of the tree, which need not be the store's; the caller holds a reference to
 * what goes. */
void tree_unlink(struct store *s, struct node **root, const struct path *p, struct node *gone);

/* Visits the node and all below it, those above first. */
void tree_walk(struct node *top, void (*visit)(void *context, struct node *n, struct node *parent),
               void *context);

/* Removes all nodes of a domain, with what is below them. */
void tree_remove_owned(struct store *s, unsigned domid);

/* As the journal says: nobody is asked, nobody is told. */
void tree_put(struct store *s, const struct path *p, const struct perm *entry, unsigned n,
              const char *value, size_t len);
void tree_drop(struct store *s, const struct path *p);

/* Tells watches that a node, which is not in the store any more, went with all below it. */
void tree_fire_removal(struct conn *by, struct node *gone, const struct perms *above);

#endif
