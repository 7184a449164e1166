/* SPDX-License-Identifier: MIT */
/* A store in this process: clients without sockets, and a hypervisor whose domains are pages of our
 * own. */
#ifndef XS_HARNESS_H
#define XS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../xenstore-lite/conn.h"
#include "../../xenstore-lite/domain.h"
#include "../../xenstore-lite/store.h"

#define DOMAINS 8 /* numbers 0 to 7 */

struct client {
    struct conn *conn; /* NULL: closed */
    bool deaf;         /* takes no output */
    size_t limit;      /* takes at most so much at a time; 0: all */
    char *got;         /* what it was sent and has not looked at */
    size_t len, room;
    char *event; /* events that came before a reply that was waited for */
    size_t event_len;
};

struct message {
    uint32_t type, req_id, tx_id;
    size_t len;
    char data[XENSTORE_PAYLOAD_MAX + 1]; /* followed by NUL */
};

struct machine {
    struct xen ops; /* first */
    struct xenstore_domain_interface *ring[DOMAINS];
    enum domain_state state[DOMAINS];
    bool unmappable;
    unsigned notified[DOMAINS], bound[DOMAINS], mapped[DOMAINS];
};

extern struct store store;
extern struct machine machine;

void harness_start(void);
void harness_stop(void); /* and checks that nothing is left */

/* Like a socket's, but of any domain. */
void client_open(struct client *c, unsigned domid);
void client_close(struct client *c);
void client_reopen(struct client *c, unsigned domid);   /* in another store */
bool client_event(struct client *c, struct message *m); /* the next event, or false */

void client_write(struct client *c, const void *data, size_t len); /* raw bytes */
void client_send(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len);
bool client_next(struct client *c, struct message *m); /* false: no whole message is there */

/* Sends, settles, and returns the reply; events before it are kept for expect_event(). */
void ask(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len,
         struct message *reply);

/* ask() with a string and its NUL; the answer has to be OK or to start with it, or to be the error.
 */
void expect(struct client *c, uint32_t type, uint32_t tx, const char *text, const char *answer);
void expect_bytes(struct client *c, uint32_t type, uint32_t tx, const void *data, size_t len,
                  const char *answer);
uint32_t begin(struct client *c);

/* The next event is this one; NULL: there is none. */
void expect_event(struct client *c, const char *path, const char *token);

void audit(void);

/* The domain's side of its ring. */
size_t ring_put(unsigned domid, const void *data, size_t len);
size_t ring_get(unsigned domid, void *data, size_t len);

#endif
