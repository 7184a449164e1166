/* SPDX-License-Identifier: MIT */
/* Finding nodes and changing them. The store's own tree is changed in place where no transaction
 * sees it. */
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "journal.h"
#include "mem.h"
#include "perms.h"
#include "watch.h"

#define PINNED_MAX (16u << 20)
#define NEW_NODE   512u /* bytes charged to a transaction for a node it makes or copies */

void tree_find(struct node *root, const struct path *p, struct found *f)
{
    struct node *n = root, *child;
    const char *name;
    uint32_t at;
    size_t len;
    unsigned i;

    f->parent = NULL;
    f->shared = root->refs > 1;
    for (i = 0; i < p->depth; i++) {
        name = path_name(p, i, &len);
        child = node_child(n, name, len, &at);
        if (!child)
            break;
        f->parent = n;
        f->shared |= child->refs > 1;
        n = child;
    }
    f->node = n;
    f->depth = i;
    f->all = i == p->depth;
}

struct node *tree_lookup(struct node *root, const struct path *p)
{
    struct found f;

    tree_find(root, p, &f);
    return f.all ? f.node : NULL;
}

struct node *tree_special(struct store *s, const char *name)
{
    struct path p;

    path_set(&p, name, strlen(name));
    return tree_lookup(s->root, &p);
}

struct node *tree_own(struct node **root, const struct path *p, unsigned depth)
{
    struct node **slot = root, *n;
    const char *name;
    uint32_t at;
    size_t len;

    for (unsigned i = 0;; i++) {
        n = *slot;
        if (n->refs > 1) {
            *slot = node_copy(n);
            n->refs--;
            n = *slot;
        }
        if (i == depth)
            return n;
        name = path_name(p, i, &len);
        node_child(n, name, len, &at);
        slot = &n->child[at].node;
    }
}

int tree_access(struct conn *c, struct txn *t, const struct path *p, unsigned wanted,
                struct found *f)
{
    tree_find(t ? t->root : c->store->root, p, f);
    if (f->all)
        return perms_allow(c, f->node->perms, wanted) ? 0 : EACCES;
    return perms_allow(c, f->node->perms, PERM_READ) ? ENOENT : EACCES;
}

/* What stays in memory only for transactions; they are given up when it is too much. */
static void count_pinned(struct store *s, struct txn *t, const struct found *f)
{
    if (t || !f->shared || !s->snapshots)
        return;
    s->pinned += node_bytes(f->node);
    if (s->pinned > PINNED_MAX)
        txn_doom_all(s);
}

/* The node at f, changeable, its change recorded as the connection's. */
static struct node *change(struct conn *c, struct txn *t, const struct path *p, struct found *f)
{
    struct store *s = c->store;

    count_pinned(s, t, f);
    if (f->shared)
        f->node = tree_own(t ? &t->root : &s->root, p, f->depth);
    f->node->writer = c->domid;
    s->generation++;
    return f->node;
}

static void fire(struct conn *c, struct node *n, const struct perms *before,
                 const struct perms *above)
{
    struct change e = {c, n->place, before, n->perms, above};

    watch_fire(&e);
}

static int check_node_size(struct conn *c, size_t bytes)
{
    return !c->privileged && bytes > c->store->quota[QUOTA_NODE_SIZE] ? ENOSPC : 0;
}

static int set_value(struct conn *c, struct txn *t, const struct path *p, struct found *f,
                     const char *data, size_t len)
{
    struct store *s = c->store;
    struct account *owner = account_get(s, node_owner(f->node));
    size_t old_len, before;
    struct node *n;
    int error;

    node_value(f->node, &old_len);
    error = check_node_size(c, len + f->node->perms->n * sizeof(struct perm));
    if (!error && !c->privileged && len > old_len)
        error = account_check(s, owner, 0, (int64_t)(len - old_len));
    if (error)
        return error;
    n = change(c, t, p, f);
    n->value_set = s->generation;
    before = node_bytes(n);
    node_set_value(n, data, len);
    if (t)
        return 0;
    account_node_resized(s, n, before);
    journal_node(s, n);
    fire(c, n, n->perms, f->parent->perms);
    return 0;
}

/* Makes the nodes of the path below n, which is the one at depth names: empty but for the last,
 * which is returned. */
static struct node *add_nodes(struct store *s, struct txn *t, const struct path *p, unsigned depth,
                              struct node *n, struct perms *perms, const char *data, size_t size)
{
    struct node *child;
    const char *name;
    uint32_t at;
    size_t len;

    n->children_set = s->generation;
    for (; depth < p->depth; depth++) {
        name = path_name(p, depth, &len);
        perms->refs++;
        child = node_make(place_get(&s->places, n->place, name, len), perms, s->generation);
        child->writer = n->writer;
        node_child(n, name, len, &at);
        node_insert(n, at, child);
        if (depth + 1u == p->depth)
            node_set_value(child, data, size);
        if (!t) {
            account_node_added(s, child);
            journal_node(s, child);
        }
        n = child;
    }
    return n;
}

static int create(struct conn *c, struct txn *t, const struct path *p, struct found *f,
                  const char *data, size_t len)
{
    struct account *owner = c->privileged ? account_get(c->store, node_owner(f->node)) : c->account;
    unsigned missing = p->depth - f->depth;
    struct store *s = c->store;
    struct perms *perms, *above;
    struct node *n;
    int error;

    error = check_node_size(c, len + f->node->perms->n * sizeof(struct perm));
    if (!error && !c->privileged)
        error = account_check(s, owner, (int32_t)missing,
                              (int64_t)(missing * (node_bytes(f->node) + 64) + len));
    if (error)
        return error;
    n = change(c, t, p, f);
    perms = perms_inherit(s, c, n->perms);
    above = missing > 1 ? perms : n->perms;
    n = add_nodes(s, t, p, f->depth, n, perms, data, len);
    if (!t)
        fire(c, n, NULL, above);
    perms_put(perms);
    return 0;
}

int tree_write(struct conn *c, struct txn *t, const struct path *p, const char *data, size_t len)
{
    struct found f;
    int error = tree_access(c, t, p, PERM_WRITE, &f);

    if (f.all ? error : !perms_allow(c, f.node->perms, PERM_WRITE))
        return EACCES;
    if (t && (error = txn_touch(t, p, f.all ? DID_VALUE : DID_VALUE | DID_CREATE, len + NEW_NODE)))
        return error;
    return f.all ? set_value(c, t, p, &f, data, len) : create(c, t, p, &f, data, len);
}

int tree_mkdir(struct conn *c, struct txn *t, const struct path *p)
{
    struct found f;
    int error;

    tree_find(t ? t->root : c->store->root, p, &f);
    if (!perms_allow(c, f.node->perms, PERM_WRITE))
        return EACCES;
    if (f.all)
        return 0;
    if (t && (error = txn_touch(t, p, DID_CREATE, NEW_NODE)))
        return error;
    return create(c, t, p, &f, "", 0);
}

void tree_walk(struct node *top, void (*visit)(void *context, struct node *n, struct node *parent),
               void *context)
{
    struct {
        struct node *node;
        uint32_t next;
    } stack[PATH_NAMES];
    struct node *child;
    unsigned depth = 0;

    visit(context, top, NULL);
    stack[0].node = top;
    stack[0].next = 0;
    for (;;) {
        if (stack[depth].next < stack[depth].node->children) {
            child = stack[depth].node->child[stack[depth].next++].node;
            visit(context, child, stack[depth].node);
            if (child->children) {
                stack[++depth].node = child;
                stack[depth].next = 0;
            }
        } else if (!depth--) {
            return;
        }
    }
}

void tree_unlink(struct store *s, struct node **root, const struct path *p, struct node *gone)
{
    struct node *parent = tree_own(root, p, p->depth - 1u);
    const char *name;
    uint32_t at;
    size_t len;

    name = path_name(p, p->depth - 1u, &len);
    node_child(parent, name, len, &at);
    node_remove(parent, at);
    parent->children_set = s->generation;
    node_put(&s->places, gone);
}

static void count_gone(void *store, struct node *n, struct node *parent)
{
    (void)parent;
    account_node_gone(store, n);
}

void tree_drop(struct store *s, const struct path *p)
{
    struct node *gone = tree_lookup(s->root, p);

    if (!gone)
        return;
    s->generation++;
    tree_walk(gone, count_gone, s);
    tree_unlink(s, &s->root, p, gone);
}

struct removal {
    struct conn *by;
    struct node *top;
};

static void fire_below(void *context, struct node *n, struct node *parent)
{
    struct removal *r = context;
    struct change e = {r->by, n->place, n->perms, NULL, parent ? parent->perms : NULL};

    if (n != r->top)
        watch_fire_exact(&e);
}

void tree_fire_removal(struct conn *by, struct node *gone, const struct perms *above)
{
    struct change e = {by, gone->place, gone->perms, NULL, above};
    struct removal r = {by, gone};

    watch_fire(&e);
    tree_walk(gone, fire_below, &r);
}

/* From the store's tree. */
static void remove_live(struct store *s, struct conn *by, const struct path *p, struct found *f)
{
    struct node *gone = f->node;
    struct perms *above = f->parent->perms;

    count_pinned(s, NULL, f);
    above->refs++;
    gone->refs++;
    tree_drop(s, p);
    journal_removed(s, gone);
    tree_fire_removal(by, gone, above);
    perms_put(above);
    node_put(&s->places, gone);
}

int tree_remove(struct conn *c, struct txn *t, const struct path *p)
{
    struct found f;
    int error;

    if (p->depth < 2)
        return EINVAL;
    error = tree_access(c, t, p, PERM_WRITE, &f);
    if (error == ENOENT && f.depth + 1 == p->depth)
        return 0;
    if (error)
        return error;
    if (t && (error = txn_touch(t, p, DID_REMOVE, 0)))
        return error;
    if (t) {
        c->store->generation++;
        tree_unlink(c->store, &t->root, p, f.node);
    } else {
        remove_live(c->store, c, p, &f);
    }
    return 0;
}

/* In the store's tree. */
static void replace_perms(struct store *s, struct node *n, struct perms *perms)
{
    account_node_gone(s, n);
    node_set_perms(n, perms);
    n->perms_set = s->generation;
    account_node_added(s, n);
    journal_node(s, n);
}

void tree_remove_owned(struct store *s, unsigned domid)
{
    static const struct perm nobody = {0, PERM_NONE};
    struct account *a = s->account[domid];
    char text[XENSTORE_ABS_PATH_MAX + 16];
    struct found f;
    struct path p;

    while (a && !LIST_EMPTY(&a->places)) {
        path_set(&p, text, place_path(LIST_FIRST(&a->places), text));
        tree_find(s->root, &p, &f);
        if (p.depth > 1) {
            remove_live(s, NULL, &p, &f);
            continue;
        }
        s->generation++;
        replace_perms(s, tree_own(&s->root, &p, 1), perms_make(&nobody, 1, s->generation));
    }
}

static bool perms_are(const struct store *s, const struct perms *p, const struct perm *entry,
                      unsigned n)
{
    if (p->n != n || memcmp(p->entry, entry, n * sizeof(*entry)))
        return false;
    for (unsigned i = 1; i < n; i++)
        if (!perms_entry_valid(s, p, i))
            return false;
    return true;
}

void tree_put(struct store *s, const struct path *p, const struct perm *entry, unsigned n,
              const char *value, size_t len)
{
    struct found f;
    struct node *node;
    const char *old;
    size_t before, old_len;

    tree_find(s->root, p, &f);
    node = tree_own(&s->root, p, f.depth);
    s->generation++;
    if (!f.all)
        node = add_nodes(s, NULL, p, f.depth, node, node->perms, "", 0);
    if (!perms_are(s, node->perms, entry, n))
        replace_perms(s, node, perms_make(entry, n, s->generation));
    old = node_value(node, &old_len);
    if (old_len == len && !memcmp(old, value, len))
        return;
    before = node_bytes(node);
    node_set_value(node, value, len);
    node->value_set = s->generation;
    account_node_resized(s, node, before);
}

int tree_set_perms(struct conn *c, struct txn *t, const struct path *p, const struct perm *entry,
                   unsigned n)
{
    struct store *s = c->store;
    struct perms *before;
    struct node *node;
    struct found f;
    size_t value;
    int error = tree_access(c, t, p, PERM_WRITE | PERM_OWNER, &f);

    if (error)
        return error;
    if (!c->privileged && entry[0].domid != node_owner(f.node))
        return EPERM;
    node_value(f.node, &value);
    if ((error = check_node_size(c, value + n * sizeof(*entry))))
        return error;
    if (!c->privileged && (error = account_check(s, c->account, 0, (int64_t)(n * sizeof(*entry)))))
        return error;
    if (t && (error = txn_touch(t, p, DID_PERMS, n * sizeof(*entry))))
        return error;
    node = change(c, t, p, &f);
    before = node->perms;
    before->refs++;
    if (t) {
        node_set_perms(node, perms_make(entry, n, s->generation));
        node->perms_set = s->generation;
    } else {
        replace_perms(s, node, perms_make(entry, n, s->generation));
        fire(c, node, before, f.parent->perms);
    }
    perms_put(before);
    return 0;
}
