/* SPDX-License-Identifier: MIT */
/* Reading of the journal that a former process left. */
#ifndef XSL_RESTORE_H
#define XSL_RESTORE_H

#include "journal.h"
#include "store.h"

/* Makes a connection of the socket that a former process had for this one; NULL: it is lost. */
typedef struct conn *restore_socket(struct store *s, uint32_t id);

/* The store is a new one, with domain 0's ring if there is one. Returns false, having said why in
 * the system's log, if the records make no sense. Afterwards, all rings are to be looked at and all
 * ports notified. */
bool restore_store(struct store *s, restore_socket *socket, const char *data, size_t len);

/* Then: the read or write of a socket at which it died, if the bytes that the kernel counted for it
 * are known. */
void restore_io(struct store *s, const struct unfinished *u, uint64_t bytes_in, uint64_t bytes_out);

#endif
