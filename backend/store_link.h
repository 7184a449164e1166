/* SPDX-License-Identifier: MIT */
/* Whether the store's daemon lives. libxenstore does not tell: its reading thread ends quietly with
 * the connection. And while there is no daemon, xs_open() takes the kernel's way to the store,
 * where calls wait for the next one. */
#ifndef BACKEND_STORE_LINK_H
#define BACKEND_STORE_LINK_H

/* A connection of its own on which nothing is said: it becomes readable when the daemon has ended.
 * -1: there is none. */
int store_link(void);

#endif
