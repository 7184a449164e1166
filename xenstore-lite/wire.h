/* SPDX-License-Identifier: MIT */
/* The xs wire format: message types, errors by name, arguments separated by NUL. */
#ifndef XSL_WIRE_H
#define XSL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

#define XS_GET_FEATURE 23
#define XS_SET_FEATURE 24
#define XS_GET_QUOTA   25
#define XS_SET_QUOTA   26
#define XS_TYPES       27

#define XS_HEADER              sizeof(struct xsd_sockmsg)
#define XS_MESSAGE_MAX         (XS_HEADER + XENSTORE_PAYLOAD_MAX)
#define XS_FEATURE_WATCH_DEPTH 4 /* server_features, in headers of later versions */

#define DOMID_LIMIT 0x7ff0u /* domains are below: what is above names groups of them */

const char *wire_error_name(int error);

/* Splits len bytes into arguments, each ended by a NUL; returns their number, at most max of them
 * in argv. What lies after the last NUL is the rest. */
unsigned wire_split(char *data, size_t len, char **argv, unsigned max, size_t *rest);

/* One argument only, ended by the only NUL. */
bool wire_is_one_string(const char *data, size_t len);

bool wire_number(const char *text, long long min, long long max, long long *value);
bool wire_domid(const char *text, unsigned *domid);
size_t wire_put_number(char *to, uint64_t n); /* decimal, without NUL; at most 20 bytes */

#endif
