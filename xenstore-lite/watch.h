/* SPDX-License-Identifier: MIT */
/* Watches hang on places, which form the trie: an event climbs from where something happened to
 * "/". */
#ifndef XSL_WATCH_H
#define XSL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "conn.h"
#include "node.h"
#include "path.h"

#define DEPTH_ANY UINT32_MAX

struct watch {
    LIST_ENTRY(watch) at_place;
    LIST_ENTRY(watch) of_conn;
    struct place *place;
    struct conn *conn;
    uint32_t depth; /* events from further below are not for it */
    bool relative;  /* so are the paths of its events */
    uint16_t len;
    char token[]; /* with NUL */
};

/* 0, EEXIST, or ENOSPC; the caller sends the first event. */
int watch_add(struct conn *c, const struct path *p, const char *token, uint32_t depth,
              struct watch **added);
int watch_remove(struct conn *c, const struct path *p, const char *token);
void watch_remove_all(struct conn *c);
void watch_send_first(struct watch *w);
int64_t watch_bytes(const struct watch *w); /* what it is charged with */

/* What happened to a node, for the question of who may know. */
struct change {
    struct conn *by; /* NULL: nobody in particular */
    struct place *place;
    const struct perms *before, *after,
        *above; /* of the node then and now, of its parent; NULL: there is none */
};

void watch_fire(const struct change *e);

/* Only watches of exactly this place, as its node went with one above. */
void watch_fire_exact(const struct change *e);

/* "@introduceDomain" or "@releaseDomain". Watches with a depth are told the domain by
 * "<name>/<domid>". */
void watch_fire_special(struct store *s, const char *name, unsigned domid);

#endif
