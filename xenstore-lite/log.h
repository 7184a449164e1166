/* SPDX-License-Identifier: MIT */
/* The log of requests, which may be switched on and off. It never waits: lines that cannot be
 * written are counted. */
#ifndef XSL_LOG_H
#define XSL_LOG_H

#include <stdbool.h>

struct conn;
struct request;

extern bool log_requests;

bool log_open(const char *file); /* NULL: standard error */
void log_request(const struct conn *c, const char *op, const struct request *rq);
void log_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
