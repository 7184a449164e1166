/* SPDX-License-Identifier: MIT */
/* All of the daemon's state but its event loop: one store, its domains' accounts, its connections.
 */
#ifndef XSL_STORE_H
#define XSL_STORE_H

#include "node.h"
#include "quota.h"
#include "wire.h"

struct conn;
struct domain;
struct journal;
struct xen;

TAILQ_HEAD(conn_list, conn);

struct store {
    struct node *root;   /* the node above "/" */
    uint64_t generation; /* last number given to a change */
    uint64_t request;    /* number of the request being served */
    struct places places;
    struct account *account[DOMID_LIMIT];
    uint32_t quota[QUOTA_COUNT], soft_quota[QUOTA_COUNT];

    struct conn_list conns;
    struct conn_list dirty;   /* have output to be tried */
    struct conn_list stalled; /* have input that may not be served yet */
    struct conn_list closed;  /* to be freed when nobody is using them */
    uint32_t next_conn;       /* identity in saved states */

    LIST_HEAD(, domain) domains;
    TAILQ_HEAD(, domain) kicks; /* have to be notified */

    unsigned snapshots;     /* open transactions */
    size_t pinned;          /* bytes that only transactions keep, at most */
    uint64_t now;           /* milliseconds; the event loop sets it */
    uint32_t event_timeout; /* ms until a domain that reads nothing loses its events; 0: never */

    bool replaying;          /* a former process's requests: replies are not wanted */
    struct journal *journal; /* NULL: none is kept */
    struct xen *xen;         /* NULL: no domains but the sockets' one */
};

void store_init(struct store *s);
void store_free(struct store *s);

/* Checks that accounts and lists agree with the tree; describes the first fault in text and returns
 * false. */
bool store_audit(struct store *s, char *text, size_t size);

#endif
