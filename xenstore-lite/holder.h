/* SPDX-License-Identifier: MIT */
/* The holder: a process that does nothing but keep the sockets of the one that serves, and start
 * another one with them when that dies. */
#ifndef XSL_HOLDER_H
#define XSL_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

/* Becomes the holder, and returns only in each process that is to serve. Returns false in no
 * process but the first, if it cannot be. */
bool holder_run(void);

/* In the serving process: the holder keeps a socket, or lets it go. No effect without a holder. */
void holder_keep(uint32_t conn, int fd);
void holder_forget(uint32_t conn);

/* A socket that was kept for a former process; -1: none. */
int holder_socket(uint32_t conn);

/* As if it were kept. fd -1: it is not any more. */
void holder_note(uint32_t conn, int fd);

/* Nobody asked for the others: they were closed, or never known. */
void holder_drop_rest(void);

/* The bytes that the kernel counted for the former process; false: there was none, or it is not
 * known. */
bool holder_counts(uint64_t *in, uint64_t *out);

/* The link to the holder survives an exec; -1: there is none. */
int holder_link(void);
void holder_use_link(int fd);

#endif
