/* SPDX-License-Identifier: MIT */
/* The journal: a file that always holds the store as of the last commit, so that a process that
 * dies is followed by one that goes on. It is a list of records, which are those of Xen's migration
 * stream where that has them: first the whole store, then what changed. When the changes outgrow
 * the store, it is written anew behind them, and the start moved; not while there are transactions,
 * if it can wait, because their snapshots come about by following the records. Nothing is
 * synchronised to a disk: the file is to outlive processes, not the machine.
 *
 * A request's effects, its reply, and that it was served, are committed together and before the
 * reply is sent; so a request happens once, unless the process dies in the few instructions between
 * sending and saying so. */
#ifndef XSL_JOURNAL_H
#define XSL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conn.h"
#include "node.h"
#include "store.h"
#include "transaction.h"
#include "watch.h"

/* Opens or makes the file; boot tells this boot of the machine from others, whose journals are
 * void. NULL: it cannot be had. */
struct journal *journal_open(const char *file, const char *boot);

/* Reading from a socket takes bytes away, and writing cannot be taken back; a process that is
 * killed there did it or not. So it says before what it is about to do, reads into shared memory,
 * and counts all bytes it reads and writes, as the kernel does, whose count can be read after its
 * death (io.h). */
struct unfinished {
    uint32_t reading, writing;      /* connections; 0: none */
    uint64_t in_before, out_before; /* the counts then */
    uint64_t in_at,
        out_at; /* the journal's end then: committed records beyond say what became of it */
    char inbox[8192];
};

/* Of this process; NULL: no journal is kept. */
struct unfinished *journal_unfinished(struct store *s);

/* Of the process that left the journal: what it had not recorded. */
const struct unfinished *journal_left_unfinished(struct journal *j);

void journal_begin_read(struct store *s, uint32_t conn);
void journal_begin_write(struct store *s, uint32_t conn);

/* What a former process committed; none if the file is new. */
const char *journal_records(struct journal *j, size_t *len);

/* From now on, the journal is this store's. */
void journal_start(struct store *s, struct journal *j);
void journal_close(struct store *s);

void journal_commit_now(struct store *s);

/* What was just added is committed, and nothing else was added since the last commit. */
void journal_publish(struct store *s);

/* Appends a record made of some parts. */
struct part {
    const void *data;
    size_t len;
};
void journal_add(struct store *s, uint32_t type, const struct part *part, unsigned parts);

static inline void journal_commit(struct store *s)
{
    if (s->journal)
        journal_commit_now(s);
}

/* What happened; of record.c, which also writes whole stores by them. */
void record_node(struct store *s, const struct node *n);
void record_removed(struct store *s, const struct node *n);
void record_died(struct store *s, unsigned domid);
void record_conn(struct conn *c);
void record_conn_gone(struct conn *c);
void record_watch(const struct watch *w, bool gone);
void record_txn(const struct txn *t, bool gone);
void record_txn_request(struct conn *c, const struct xsd_sockmsg *header, const char *data);
void record_quotas(struct store *s);
void record_output(struct conn *c);
void record_sent(struct conn *c, size_t len);
void record_served(struct conn *c);
void record_received(struct conn *c, const char *data, size_t len);
void record_store(struct store *s);

static inline void journal_node(struct store *s, const struct node *n)
{
    if (s->journal)
        record_node(s, n);
}

static inline void journal_removed(struct store *s, const struct node *n)
{
    if (s->journal)
        record_removed(s, n);
}

static inline void journal_died(struct store *s, unsigned domid)
{
    if (s->journal)
        record_died(s, domid);
}

static inline void journal_quotas(struct store *s)
{
    if (s->journal)
        record_quotas(s);
}

static inline void journal_conn(struct conn *c)
{
    if (c->store->journal)
        record_conn(c);
}

static inline void journal_conn_gone(struct conn *c)
{
    if (c->store->journal)
        record_conn_gone(c);
}

static inline void journal_watch(const struct watch *w)
{
    if (w->conn->store->journal)
        record_watch(w, false);
}

static inline void journal_watch_gone(const struct watch *w)
{
    if (w->conn->store->journal)
        record_watch(w, true);
}

static inline void journal_txn(const struct txn *t)
{
    if (t->conn->store->journal)
        record_txn(t, false);
}

/* After it was served: following the records, it is served again. */
static inline void journal_txn_request(struct conn *c, const struct xsd_sockmsg *header,
                                       const char *data)
{
    if (c->store->journal)
        record_txn_request(c, header, data);
}

static inline void journal_txn_gone(const struct txn *t)
{
    if (t->conn->store->journal)
        record_txn(t, true);
}

static inline void journal_sent(struct conn *c, size_t len)
{
    if (c->store->journal)
        record_sent(c, len);
}

static inline void journal_served(struct conn *c)
{
    if (c->store->journal)
        record_served(c);
}

/* Before the bytes are taken off the ring. */
static inline void journal_received(struct conn *c, const char *data, size_t len)
{
    if (c->store->journal)
        record_received(c, data, len);
}

#endif
