/* SPDX-License-Identifier: MIT */
/* Serving of one request. */
#ifndef XSL_REQUEST_H
#define XSL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conn.h"
#include "path.h"
#include "transaction.h"
#include "wire.h"

struct request {
    struct conn *conn;
    struct store *store;
    struct txn *txn; /* NULL: none */
    uint32_t type, req_id, tx_id;
    char *data;
    size_t len;
    bool answered; /* else it gets OK, or the error that its function returned */
};

/* data may be changed, and lies in a buffer of the connection or of its transport. */
void request_serve(struct conn *c, const struct xsd_sockmsg *header, char *data);

/* The reply's len bytes, to be filled in at once. */
char *request_reply(struct request *rq, size_t len);
int request_reply_text(struct request *rq, const char *text, bool with_nul);

/* The path in the one argument of the request, or in text. */
int request_path(struct request *rq, struct path *p);
int request_path_of(struct request *rq, const char *text, struct path *p);

/* Of domain_ops.c and control.c */
int request_introduce(struct request *rq);
int request_release(struct request *rq);
int request_resume(struct request *rq);
int request_set_target(struct request *rq);
int request_get_domain_path(struct request *rq);
int request_is_introduced(struct request *rq);
int request_get_feature(struct request *rq);
int request_set_feature(struct request *rq);
int request_get_quota(struct request *rq);
int request_set_quota(struct request *rq);
int request_control(struct request *rq);

#endif
