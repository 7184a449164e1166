/* SPDX-License-Identifier: MIT */
/* A connection: bytes in, messages out, whatever carries them. Sockets and rings differ only in
 * their transport. */
#ifndef XSL_CONN_H
#define XSL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct account;
struct conn;
struct store;
struct txn;
struct watch;

#define DOMID_NONE 0xffffu

struct transport {
    /* Takes some of the bytes and returns how many: 0 when it is full, negative when the other side
     * is gone. */
    ssize_t (*send)(struct conn *c, const char *data, size_t len);
    /* Whether input is wanted, and whether there is output that send() did not take. */
    void (*interest)(struct conn *c, bool in, bool out);
    /* Reads what is there into conn_input(), after a pause. */
    void (*receive)(struct conn *c);
    /* The other side broke the protocol, or is gone. A ring stays until its domain goes: returns
     * false. */
    bool (*close)(struct conn *c, int xenstore_error);
};

struct buffer {
    char *data;
    uint32_t start, end, room;
};

/* Somebody's request caused an event that lies in this connection's output, up to that byte. */
struct debt {
    TAILQ_ENTRY(debt) link;
    struct account *account;
    uint64_t request, until;
};

struct conn {
    TAILQ_ENTRY(conn) link; /* in store.conns or store.closed */
    TAILQ_ENTRY(conn) dirty;
    TAILQ_ENTRY(conn) stall;
    struct store *store;
    struct account *account;
    const struct transport *transport;
    void *carrier; /* the transport's own */
    int fd;        /* of a socket; -1: it is a ring */
    uint32_t id;
    uint16_t domid, target;
    bool privileged;
    bool is_dirty, is_stalled, is_closed;
    bool ignored; /* broke the protocol and cannot be closed */
    bool wants_in, wants_out;
    char home[24]; /* what relative paths are relative to */
    struct buffer in, out;
    uint32_t head_left; /* bytes of a message at the start of out whose first part is sent */
    uint32_t logged_in, logged_out; /* bytes of in and out that the journal knows */
    uint64_t sent;                  /* bytes ever */
    uint64_t sent_time;             /* when some were last */
    TAILQ_HEAD(debt_list, debt) debts;
    LIST_HEAD(, watch) watches;
    LIST_HEAD(, txn) txns;
    uint32_t next_txn;
};

struct conn *conn_open(struct store *s, unsigned domid, const struct transport *t, void *carrier);
void conn_close(struct conn *c, int xenstore_error);

/* Forgets watches, transactions and buffered bytes: the same domain starts anew. */
void conn_reset(struct conn *c);

/* Serves the whole messages in data; what is left of it is kept. */
void conn_input(struct conn *c, const char *data, size_t len);

/* Input of this connection is looked at again when everybody else has had their turn, and if it
 * need not wait. */
void conn_stall(struct conn *c);

/* Whether requests of this connection have to wait. */
bool conn_must_wait(struct conn *c);

/* Appends a message; the caller fills in the len bytes at the returned address before anything else
 * is called. */
char *conn_message(struct conn *c, uint32_t type, uint32_t req_id, uint32_t tx_id, size_t len);

/* The last message holds an event that a request of the account has caused. */
void conn_owe(struct conn *c, struct account *a);

/* Sends what can be sent, serves what had to wait, frees what was closed: call it when all events
 * were handled. Returns in how many milliseconds to call it again even if nothing happens; 0: not
 * at all. */
unsigned conn_settle_all(struct store *s);

/* Puts back what a former process had not served and not sent. head_left: see struct conn. */
void conn_restore(struct conn *c, const char *in, size_t in_len, const char *out, size_t out_len,
                  uint32_t head_left);

/* Replays what a former process did with its buffers. */
void conn_replay_output(struct conn *c, const char *data, size_t len);
void conn_replay_sent(struct conn *c, size_t len);
void conn_replay_input(struct conn *c, const char *data, size_t len);
void conn_replay_served(struct conn *c, size_t len);

static inline uint32_t conn_pending(const struct conn *c)
{
    return c->out.end - c->out.start;
}

#endif
