/* SPDX-License-Identifier: MIT */
/* Clients of the Unix socket. They are root's, and count as domain 0. */
#ifndef XSL_SOCKET_H
#define XSL_SOCKET_H

#include <event2/event.h>
#include "store.h"

int socket_bind(const char *path); /* a listening socket, or -1 with errno */
bool socket_serve(struct event_base *base, struct store *s, int listener);

/* A client, new or of a former process. */
struct conn *socket_add(struct store *s, int fd);

#endif
