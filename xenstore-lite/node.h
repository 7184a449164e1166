/* SPDX-License-Identifier: MIT */
/* Nodes of the tree and what they are made of.
 *
 * A node that more than one parent (or root) points at is immutable; who wants to change it copies
 * it first, and with it the nodes above. So a transaction is one more reference to the root. Values
 * and permissions are shared by the copies in the same way. A place is the name of a node: it stays
 * when the node is copied, replaced or gone, as long as a node or a watch is at it or below it. */
#ifndef XSL_NODE_H
#define XSL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct watch;

struct place {
    struct place *parent;
    struct place *next;         /* in its hash bucket */
    LIST_ENTRY(place) of_owner; /* while it has a node in the store's tree: account.places */
    LIST_HEAD(, watch) watches;
    uint32_t refs, hash;
    uint16_t len;
    char name[];
};

struct value {
    uint32_t refs;
    uint32_t len, room;
    char data[];
};

enum { PERM_NONE = 0, PERM_READ = 1, PERM_WRITE = 2, PERM_OWNER = 4 };

struct perm {
    uint16_t domid;
    uint16_t access; /* PERM_READ | PERM_WRITE */
};

struct perms {
    uint64_t set; /* generation: entries for domains that died later mean nobody */
    uint32_t refs;
    uint32_t n;
    struct perm entry[]; /* the first is the owner, and what all others may do */
};

struct child {
    uint64_t key; /* the first 8 characters of the name, so that most comparisons are of numbers */
    struct node *node;
};

struct node {
    uint32_t refs;
    uint32_t children, room;
    uint16_t writer; /* the domain that changed it last */
    struct place *place;
    struct value *value; /* NULL: empty */
    struct perms *perms;
    struct child *child; /* sorted by name */
    /* When the node was made, and when each facet of it changed. Numbers are never used twice. */
    uint64_t born, value_set, perms_set, children_set;
};

struct places {
    struct place **bucket;
    uint32_t mask, used;
};

struct place *place_get(struct places *t, struct place *parent, const char *name, size_t len);
struct place *place_find(struct places *t, struct place *parent, const char *name, size_t len);
void place_put(struct places *t, struct place *p);
size_t place_path(const struct place *p, char *text); /* without NUL; text has room for any path */

struct value *value_make(const void *data, size_t len);
void value_put(struct value *v);
struct perms *perms_make(const struct perm *entry, unsigned n, uint64_t gen);
void perms_put(struct perms *p);

struct node *node_make(struct place *place, struct perms *perms,
                       uint64_t gen); /* takes both references */
struct node *node_copy(struct node *n);
void node_put(struct places *t, struct node *n);
size_t node_bytes(const struct node *n); /* what it is charged with */

/* The child of that name; if there is none, NULL, and *at says where it belongs. */
struct node *node_child(const struct node *n, const char *name, size_t len, uint32_t *at);
void node_insert(struct node *n, uint32_t at, struct node *child);
void node_remove(struct node *n, uint32_t at);
void node_set_value(struct node *n, const void *data, size_t len);
void node_set_perms(struct node *n, struct perms *p); /* takes the reference */

static inline unsigned node_owner(const struct node *n)
{
    return n->perms->entry[0].domid;
}

static inline const char *node_value(const struct node *n, size_t *len)
{
    *len = n->value ? n->value->len : 0;
    return n->value ? n->value->data : "";
}

static inline uint64_t node_generation(const struct node *n)
{
    uint64_t gen = n->value_set > n->perms_set ? n->value_set : n->perms_set;

    return gen > n->children_set ? gen : n->children_set;
}

#endif
