/* SPDX-License-Identifier: MIT */
/* The model: as simple as can be. */
#include "model.h"

#include <string.h>

struct model_client client[CLIENTS];
struct entry table[PATHS];
uint64_t now;
unsigned wanted[CLIENTS][WATCHES][PATHS];

int model_parent(unsigned p)
{
    return p ? (int)(p - 1) / 3 : -1;
}

static bool is_below(unsigned p, unsigned top)
{
    for (int i = (int)p; i >= 0; i = model_parent((unsigned)i))
        if (i == (int)top)
            return true;
    return false;
}

bool model_allowed(unsigned domid, const struct entry *e, unsigned access)
{
    if (!domid || e->perm[0].domid == domid)
        return true;
    for (unsigned i = 1; i < e->perms; i++)
        if (e->perm[i].domid == domid)
            return (e->perm[i].access & access) == access;
    return (e->perm[0].access & access) == access;
}

/* The path, or the nearest above that exists; -1: only "/" does. */
int model_nearest(const struct entry *t, unsigned p)
{
    int i = (int)p;

    while (i >= 0 && !t[i].exists)
        i = model_parent((unsigned)i);
    return i;
}

/* 0 or the error of an access to a path that may not exist. */
const char *model_judge(const struct entry *t, unsigned domid, unsigned p, unsigned access)
{
    int n = model_nearest(t, p);

    if (n == (int)p)
        return model_allowed(domid, &t[p], access) ? NULL : "EACCES";
    return n < 0                                    ? (domid ? "EACCES" : "ENOENT")
           : model_allowed(domid, &t[n], PERM_READ) ? "ENOENT"
                                                    : "EACCES";
}

static bool readable(unsigned domid, const struct entry *t, int p)
{
    return p >= 0 ? t[p].exists && model_allowed(domid, &t[p], PERM_READ) : !domid;
}

/* Something happened at a path: who is told? exact: only watches of that path itself. */
void model_want(const struct entry *before, const struct entry *after, unsigned p, bool exact)
{
    for (unsigned c = 0; c < CLIENTS; c++)
        for (unsigned w = 0; w < WATCHES; w++) {
            struct model_watch *watch = &client[c].watch[w];
            const struct entry *above = exact ? before : after;

            if (!watch->used || (exact ? watch->path != p : !is_below(p, watch->path)))
                continue;
            if (readable(c, before, (int)p) || readable(c, after, (int)p) ||
                readable(c, above, model_parent(p)))
                wanted[c][w][p]++;
        }
}

void model_want_removal(const struct entry *before, const struct entry *after, unsigned p)
{
    model_want(before, after, p, false);
    for (unsigned i = 0; i < PATHS; i++)
        if (i != p && is_below(i, p) && before[i].exists)
            model_want(before, after, i, true);
}

void model_remove(struct entry *t, unsigned p)
{
    for (unsigned i = 0; i < PATHS; i++)
        if (is_below(i, p))
            t[i].exists = false;
    if (model_parent(p) >= 0)
        t[model_parent(p)].children_set = ++now;
}

/* Makes the path and what is missing above. */
void model_create(struct entry *t, unsigned domid, unsigned p)
{
    unsigned chain[8], n = 0;
    int top = model_nearest(t, p);

    for (int i = (int)p; i != top; i = model_parent((unsigned)i))
        chain[n++] = (unsigned)i;
    now++;
    if (top >= 0)
        t[top].children_set = now;
    while (n--) {
        struct entry *e = &t[chain[n]];

        memset(e, 0, sizeof(*e));
        e->exists = true;
        e->born = e->value_set = e->perms_set = e->children_set = now;
        e->perms = 1;
        if (top >= 0) {
            memcpy(e->perm, t[top].perm, sizeof(e->perm));
            e->perms = t[top].perms;
        }
        if (domid)
            e->perm[0].domid = (uint16_t)domid;
        top = (int)chain[n];
    }
}

/* --- Commit in the model --- */

static bool same_facets(const struct entry *a, const struct entry *b, const struct touched *t)
{
    if (a->exists != b->exists)
        return false;
    return !a->exists || (a->born == b->born && (!t->read_value || a->value_set == b->value_set) &&
                          (!t->read_perms || a->perms_set == b->perms_set) &&
                          (!t->read_children || a->children_set == b->children_set));
}

bool model_conflict(const struct model_txn *t)
{
    for (unsigned p = 0; p < PATHS; p++)
        if (t->touched[p].read_exists && !same_facets(&t->base[p], &table[p], &t->touched[p]))
            return true;
    return false;
}

static bool tables_equal(const struct entry *a, const struct entry *b)
{
    static const struct touched all = {
        .read_value = true, .read_perms = true, .read_children = true};

    for (unsigned p = 0; p < PATHS; p++)
        if (!same_facets(&a[p], &b[p], &all))
            return false;
    return true;
}

/* The transaction's changes on another tree; false if one cannot be made there. */
static bool model_repeat(const struct model_txn *t, unsigned domid, struct entry *to)
{
    for (unsigned p = 0; p < PATHS; p++)
        if (t->touched[p].removed) {
            if (to[p].exists) {
                if (!model_allowed(domid, &to[p], PERM_WRITE))
                    return false;
                model_remove(to, p);
            }
        }
    for (unsigned p = 0; p < PATHS; p++) {
        const struct touched *u = &t->touched[p];
        int top = model_nearest(to, p);

        if (!(u->wrote || u->created || u->set_perms) || !t->now[p].exists)
            continue;
        if (top == (int)p) {
            if (!model_allowed(domid, &to[p], PERM_WRITE) ||
                (u->set_perms && domid && to[p].perm[0].domid != domid))
                return false;
            now++;
            if (u->wrote) {
                memcpy(to[p].value, t->now[p].value, VALUE);
                to[p].value_set = now;
            }
            if (u->set_perms) {
                memcpy(to[p].perm, t->now[p].perm, sizeof(to[p].perm));
                to[p].perms = t->now[p].perms;
                to[p].perms_set = now;
            }
            continue;
        }
        if (domid && (top < 0 || !model_allowed(domid, &to[top], PERM_WRITE)))
            return false;
        model_create(to, domid, p);
        for (int i = (int)p; i != top; i = model_parent((unsigned)i)) {
            memcpy(to[i].value, t->now[i].value, VALUE);
            memcpy(to[i].perm, t->now[i].perm, sizeof(to[i].perm));
            to[i].perms = t->now[i].perms;
        }
    }
    return true;
}

static void want_commit(const struct model_txn *t, const struct entry *before)
{
    for (unsigned p = 0; p < PATHS; p++) {
        const struct touched *u = &t->touched[p];

        if (u->removed && before[p].exists && !table[p].exists)
            model_want_removal(before, table, p);
        else if (table[p].exists && (u->wrote || u->created || u->set_perms))
            model_want(before, table, p, false);
    }
}

const char *model_commit(struct model_txn *t, unsigned domid)
{
    static struct entry to[PATHS], before[PATHS];
    bool wrote = false;

    for (unsigned p = 0; p < PATHS; p++)
        wrote |= t->touched[p].wrote || t->touched[p].created || t->touched[p].set_perms ||
                 t->touched[p].removed;
    if (!wrote)
        return "OK";
    if (t->doomed)
        return "EAGAIN";
    memcpy(before, table, sizeof(before));
    memcpy(to, table, sizeof(to));
    if (tables_equal(t->base, table)) {
        memcpy(table, t->now, sizeof(table));
    } else {
        if ((!t->resumed && model_conflict(t)) || !model_repeat(t, domid, to))
            return "EAGAIN";
        memcpy(table, to, sizeof(table));
    }
    want_commit(t, before);
    return "OK";
}
