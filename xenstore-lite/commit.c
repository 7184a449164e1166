/* SPDX-License-Identifier: MIT */
/* Committing: judge the facets read, repeat what was done if the store has moved on, judge the
 * accounts, put the new tree in place, tell watches. */
#include "commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "journal.h"
#include "mem.h"
#include "perms.h"
#include "store.h"
#include "tree.h"
#include "watch.h"

static bool facets_equal(const struct node *then, const struct node *now, unsigned what)
{
    if (!then || !now)
        return then == now;
    return then->born == now->born &&
           (!(what & FACET_VALUE) || then->value_set == now->value_set) &&
           (!(what & FACET_PERMS) || then->perms_set == now->perms_set) &&
           (!(what & FACET_CHILDREN) || then->children_set == now->children_set);
}

/* Whether everything read is as it was. Who changed it is blamed. */
static bool still_true(struct txn *t)
{
    struct store *s = t->conn->store;
    struct found now;
    struct touch *u;
    struct path p;

    TAILQ_FOREACH(u, &t->order, link) {
        if (!(u->what & FACETS))
            continue;
        path_set(&p, u->path, u->len);
        tree_find(s->root, &p, &now);
        if (facets_equal(tree_lookup(t->base, &p), now.all ? now.node : NULL, u->what))
            continue;
        if (now.node->writer != t->conn->domid)
            account_blame(s, account_get(s, now.node->writer));
        return false;
    }
    return true;
}

/* --- Doing it again on another tree --- */

static bool remove_again(struct txn *t, struct node **root, const struct path *p)
{
    struct found f;

    tree_find(*root, p, &f);
    if (!f.all)
        return true;
    if (!perms_allow(t->conn, f.node->perms, PERM_WRITE))
        return false;
    t->conn->store->generation++;
    tree_unlink(t->conn->store, root, p, f.node);
    return true;
}

/* Makes the nodes that are missing on the path, like those the transaction made. */
static void create_again(struct txn *t, struct node **root, const struct path *p, struct found *f)
{
    struct store *s = t->conn->store;
    struct node *n = tree_own(root, p, f->depth), *own, *child;
    struct found mine;
    struct path above = *p;
    const char *name;
    uint32_t at;
    size_t len;

    n->children_set = s->generation;
    for (unsigned i = f->depth; i < p->depth; i++) {
        above.depth = (uint16_t)(i + 1);
        tree_find(t->root, &above, &mine);
        own = mine.node;
        own->place->refs++;
        own->perms->refs++;
        child = node_make(own->place, own->perms, s->generation);
        child->writer = t->conn->domid;
        if (own->value) {
            own->value->refs++;
            child->value = own->value;
        }
        name = path_name(p, i, &len);
        node_child(n, name, len, &at);
        node_insert(n, at, child);
        n = child;
    }
}

static bool write_again(struct txn *t, struct node **root, const struct path *p, unsigned what)
{
    struct store *s = t->conn->store;
    struct node *own = tree_lookup(t->root, p), *n;
    unsigned wanted = what & DID_PERMS ? PERM_WRITE | PERM_OWNER : PERM_WRITE;
    struct found f;

    if (!own)
        return true; /* it removed it itself afterwards */
    tree_find(*root, p, &f);
    if (!perms_allow(t->conn, f.node->perms, f.all ? wanted : PERM_WRITE))
        return false;
    s->generation++;
    if (!f.all) {
        create_again(t, root, p, &f);
        return true;
    }
    n = tree_own(root, p, p->depth);
    n->writer = t->conn->domid;
    if (what & DID_VALUE) {
        value_put(n->value);
        n->value = own->value;
        if (own->value)
            own->value->refs++;
        n->value_set = s->generation;
    }
    if (what & DID_PERMS) {
        own->perms->refs++;
        node_set_perms(n, own->perms);
        n->perms_set = s->generation;
    }
    return true;
}

/* The store's tree with the transaction's changes, or NULL if they cannot be made any more. */
static struct node *repeat(struct txn *t)
{
    struct store *s = t->conn->store;
    struct node *root = s->root;
    struct touch *u;
    struct path p;
    bool good = true;

    root->refs++;
    TAILQ_FOREACH(u, &t->order, link) {
        if (!good || !(u->what & DID_REMOVE))
            continue;
        path_set(&p, u->path, u->len);
        good = remove_again(t, &root, &p);
    }
    TAILQ_FOREACH(u, &t->order, link) {
        if (!good || !(u->what & (DID_CREATE | DID_VALUE | DID_PERMS)))
            continue;
        path_set(&p, u->path, u->len);
        good = write_again(t, &root, &p, u->what);
    }
    if (good)
        return root;
    node_put(&s->places, root);
    return NULL;
}

/* --- What differs between two trees --- */

struct difference {
    struct node *old, *new; /* NULL: there is none */
};

struct differences {
    struct difference *list;
    uint32_t n, room;
};

static void add(struct differences *d, struct node *old, struct node *new)
{
    if (d->n == d->room) {
        d->room = d->room ? d->room * 2 : 32;
        d->list = mem_realloc(d->list, d->room * sizeof(*d->list));
    }
    d->list[d->n++] = (struct difference){old, new};
}

static void add_children(struct differences *d, struct node *old, struct node *new)
{
    uint32_t i = 0, j = 0, olds = old ? old->children : 0, news = new ? new->children : 0;
    struct node *a, *b;

    while (i < olds || j < news) {
        a = i < olds ? old->child[i].node : NULL;
        b = j < news ? new->child[j].node : NULL;
        if (a && b && a->place == b->place) {
            i++;
            j++;
            if (a != b)
                add(d, a, b);
            continue;
        }
        /* Names are in order: the lesser one is missing on the other side. */
        if (b && (!a || new->child[j].key < old->child[i].key ||
                  (new->child[j].key ==
                   old->child[i].key &&strcmp(b->place->name, a->place->name) < 0))) {
            add(d, NULL, b);
            j++;
        } else {
            add(d, a, NULL);
            i++;
        }
    }
}

/* All nodes that are not the same; those above come before those below. The list is the queue of
 * the walk. */
static void find_differences(struct differences *d, struct node *old, struct node *new)
{
    add(d, old, new);
    for (uint32_t i = 0; i < d->n; i++)
        add_children(d, d->list[i].old, d->list[i].new);
}

/* --- Accounts --- */

static void forecast(struct store *s, struct node *n, int sign)
{
    struct account *a = account_get(s, node_owner(n));

    a->delta_nodes += sign;
    a->delta_memory += sign * (int64_t)node_bytes(n);
}

static int check_accounts(struct conn *c, const struct differences *d)
{
    struct store *s = c->store;
    struct node *n;
    struct account *a;
    int error = 0;

    for (uint32_t i = 1; i < d->n; i++) {
        if (d->list[i].old)
            forecast(s, d->list[i].old, -1);
        if (d->list[i].new)
            forecast(s, d->list[i].new, 1);
    }
    for (uint32_t i = 1; i < d->n; i++) {
        for (int side = 0; side < 2; side++) {
            n = side ? d->list[i].new : d->list[i].old;
            if (!n)
                continue;
            a = account_get(s, node_owner(n));
            if (!error && !c->privileged)
                error = account_check(s, a, a->delta_nodes, a->delta_memory);
            a->delta_nodes = 0;
            a->delta_memory = 0;
        }
    }
    return error;
}

/* Copied only because of what is below. */
static bool is_same(const struct difference *d)
{
    return d->old && d->new && d->old->value_set == d->new->value_set &&
           d->old->perms_set == d->new->perms_set && d->old->born == d->new->born;
}

static void settle_accounts(struct store *s, const struct differences *d)
{
    for (uint32_t i = 1; i < d->n; i++)
        if (d->list[i].old && !is_same(&d->list[i])) {
            account_node_gone(s, d->list[i].old);
            if (!d->list[i].new)
                journal_removed(s, d->list[i].old);
        }
    for (uint32_t i = 1; i < d->n; i++)
        if (d->list[i].new && !is_same(&d->list[i])) {
            account_node_added(s, d->list[i].new);
            journal_node(s, d->list[i].new);
        }
}

/* --- Events: one for each path, as it is now --- */

static void fire_touch(struct txn *t, struct node *before, const struct touch *u)
{
    struct store *s = t->conn->store;
    struct change e = {.by = t->conn};
    struct found old, now;
    struct path p;

    path_set(&p, u->path, u->len);
    tree_find(before, &p, &old);
    tree_find(s->root, &p, &now);
    if (now.all)
        e.above = now.parent->perms;
    else if (now.depth + 1u == p.depth)
        e.above = now.node->perms;
    if (old.all && !now.all) {
        if (u->what & DID_REMOVE)
            tree_fire_removal(t->conn, old.node, e.above);
    } else if (now.all && u->what & ~(FACETS | DID_REMOVE)) {
        e.place = now.node->place;
        e.before = old.all ? old.node->perms : NULL;
        e.after = now.node->perms;
        watch_fire(&e);
    }
}

int commit_txn(struct txn *t)
{
    struct store *s = t->conn->store;
    struct node *old = s->root, *new = t->root;
    struct differences d = {0};
    struct touch *u;
    int error;

    if (old == t->base) {
        new->refs++;
    } else {
        if (!still_true(t))
            return EAGAIN;
        new = repeat(t);
        if (!new)
            return EAGAIN;
    }
    find_differences(&d, old, new);
    error = check_accounts(t->conn, &d);
    if (error) {
        node_put(&s->places, new);
    } else {
        settle_accounts(s, &d);
        s->root = new;
        TAILQ_FOREACH(u, &t->order, link)
            if (u->what & ~FACETS)
                fire_touch(t, old, u);
        node_put(&s->places, old);
    }
    free(d.list);
    return error;
}
