/* SPDX-License-Identifier: MIT */
/* Adding and removing watches, and finding those an event is for. */
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "journal.h"
#include "mem.h"
#include "perms.h"
#include "request.h"
#include "store.h"
#include "tree.h"

int64_t watch_bytes(const struct watch *w)
{
    return (int64_t)(sizeof(*w) + w->len + sizeof(struct place) + w->place->len + 64);
}

/* The place of the path, made with those above it if need be. */
static struct place *place_of(struct store *s, const struct path *p)
{
    struct place *at = s->root->place, *below;
    const char *name;
    size_t len;

    at->refs++;
    for (unsigned i = 0; i < p->depth; i++) {
        name = path_name(p, i, &len);
        below = place_get(&s->places, at, name, len);
        place_put(&s->places, at);
        at = below;
    }
    return at;
}

static struct watch *find(struct conn *c, const struct path *p, const char *token)
{
    struct place *at = c->store->root->place;
    const char *name;
    struct watch *w;
    size_t len;

    for (unsigned i = 0; at && i < p->depth; i++) {
        name = path_name(p, i, &len);
        at = place_find(&c->store->places, at, name, len);
    }
    if (at)
        LIST_FOREACH(w, &at->watches, at_place)
            if (w->conn == c && !strcmp(w->token, token))
                return w;
    return NULL;
}

int watch_add(struct conn *c, const struct path *p, const char *token, uint32_t depth,
              struct watch **added)
{
    size_t len = strlen(token) + 1;
    struct store *s = c->store;
    struct watch *w;

    if (find(c, p, token))
        return EEXIST;
    if (!c->privileged && (c->account->watches >= s->quota[QUOTA_WATCHES] ||
                           account_check(s, c->account, 0, (int64_t)(sizeof(*w) + len + p->len))))
        return ENOSPC;
    w = mem_alloc(sizeof(*w) + len);
    w->place = place_of(s, p);
    w->conn = c;
    w->depth = depth;
    w->relative = p->relative;
    w->len = (uint16_t)len;
    memcpy(w->token, token, len);
    LIST_INSERT_HEAD(&w->place->watches, w, at_place);
    LIST_INSERT_HEAD(&c->watches, w, of_conn);
    c->account->watches++;
    account_charge(s, c->account, watch_bytes(w));
    journal_watch(w);
    *added = w;
    return 0;
}

static void drop(struct watch *w)
{
    struct conn *c = w->conn;

    journal_watch_gone(w);
    LIST_REMOVE(w, at_place);
    LIST_REMOVE(w, of_conn);
    c->account->watches--;
    account_charge(c->store, c->account, -watch_bytes(w));
    place_put(&c->store->places, w->place);
    free(w);
}

int watch_remove(struct conn *c, const struct path *p, const char *token)
{
    struct watch *w = find(c, p, token);

    if (!w)
        return ENOENT;
    drop(w);
    return 0;
}

void watch_remove_all(struct conn *c)
{
    while (!LIST_EMPTY(&c->watches))
        drop(LIST_FIRST(&c->watches));
}

static void send(struct watch *w, struct conn *by, const char *path, size_t len)
{
    struct conn *c = w->conn;
    size_t home = strlen(c->home) + 1;
    char *to;

    if (w->relative && len > home) {
        path += home;
        len -= home;
    }
    if (len + 1 + w->len > XENSTORE_PAYLOAD_MAX)
        return;
    if (!c->privileged && account_check(c->store, c->account, 0, (int64_t)(len + w->len)))
        return; /* it has stopped reading, and only it misses the event */
    to = conn_message(c, XS_WATCH_EVENT, 0, 0, len + 1 + w->len);
    memcpy(to, path, len);
    to[len] = 0;
    memcpy(to + len + 1, w->token, w->len);
    if (by && by != c && !by->privileged)
        conn_owe(c, by->account);
}

void watch_send_first(struct watch *w)
{
    char path[XENSTORE_ABS_PATH_MAX + 16];

    send(w, NULL, path, place_path(w->place, path));
}

static bool readable(const struct conn *c, const struct perms *p)
{
    return p && perms_allow(c, p, PERM_READ);
}

static bool may_know(const struct conn *c, const struct change *e)
{
    return c->privileged || readable(c, e->before) || readable(c, e->after) ||
           readable(c, e->above);
}

void watch_fire(const struct change *e)
{
    char path[XENSTORE_ABS_PATH_MAX + 16];
    uint32_t depth = 0;
    size_t len = 0;
    struct watch *w;

    for (struct place *p = e->place; p; p = p->parent, depth++) {
        LIST_FOREACH(w, &p->watches, at_place) {
            if (depth > w->depth || !may_know(w->conn, e))
                continue;
            if (!len)
                len = place_path(e->place, path);
            send(w, e->by, path, len);
        }
    }
}

void watch_fire_exact(const struct change *e)
{
    char path[XENSTORE_ABS_PATH_MAX + 16];
    struct watch *w;
    size_t len;

    if (LIST_EMPTY(&e->place->watches))
        return;
    len = place_path(e->place, path);
    LIST_FOREACH(w, &e->place->watches, at_place)
        if (may_know(w->conn, e))
            send(w, e->by, path, len);
}

void watch_fire_special(struct store *s, const char *name, unsigned domid)
{
    struct node *n = tree_special(s, name);
    char path[64];
    size_t len = strlen(name), full;
    struct watch *w;

    memcpy(path, name, len);
    path[len] = '/';
    full = len + 1 + wire_put_number(path + len + 1, domid);
    LIST_FOREACH(w, &n->place->watches, at_place)
        if (readable(w->conn, n->perms))
            send(w, NULL, path, w->depth == DEPTH_ANY || !w->depth ? len : full);
}
