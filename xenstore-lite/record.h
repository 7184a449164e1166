/* SPDX-License-Identifier: MIT */
/* Records of the journal. Types below 0x100 are those of Xen's migration stream (version 1), the
 * others our own. */
#ifndef XSL_RECORD_H
#define XSL_RECORD_H

#include <stdint.h>

enum record_type {
    RECORD_END = 0,
    RECORD_CONN = 2,
    RECORD_WATCH = 3,
    RECORD_TXN = 4,
    RECORD_NODE = 5,
    RECORD_QUOTAS = 0x100,
    RECORD_NODE_GONE,   /* path; whatever was below went too */
    RECORD_DIED,        /* domid */
    RECORD_CONN_GONE,   /* struct record_id, as for the rest */
    RECORD_WATCH_GONE,  /* struct record_watch */
    RECORD_TXN_GONE,    /* struct record_txn */
    RECORD_RECEIVED,    /* and the bytes */
    RECORD_SERVED,      /* so many bytes of input */
    RECORD_OUTPUT,      /* and the bytes */
    RECORD_SENT,        /* so many bytes of output */
    RECORD_TXN_REQUEST, /* and a request in a transaction, header first */
};

struct record {
    uint32_t type;
    uint32_t len; /* of what follows, without the 0 to 7 bytes to the next multiple of 8 */
};

struct record_id {
    uint32_t conn;
    uint32_t bytes;
    uint32_t index; /* of the ring, after bytes were received or sent */
    uint32_t unused;
};

struct record_conn {
    uint32_t id;
    uint16_t is_socket;
    uint16_t domid;
    uint16_t target;
    uint16_t flags; /* CONN_* */
    uint32_t unused;
    uint32_t remote_port;
    uint32_t in_len, out_len;
    uint32_t head_left, next_txn;
    uint32_t req_cons, rsp_prod;
    uint64_t gfn;
    /* input, output */
};

enum { CONN_IGNORED = 1, CONN_SHUTDOWN_TOLD = 2 };

struct record_watch {
    uint32_t conn;
    uint32_t depth;
    uint16_t path_len, token_len; /* with NUL */
    uint32_t relative;
    /* path, token */
};

struct record_txn {
    uint32_t conn;
    uint32_t id;
    uint32_t doomed; /* its snapshot is not the tree that the records make at this point */
    uint32_t unused;
};

struct record_node {
    uint32_t value_len;
    uint16_t path_len, perms;
    /* struct perm[], path, value */
};

#endif
