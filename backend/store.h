/* SPDX-License-Identifier: MIT */
/* The store, through libxenstore. Every call is a round trip, so callers make few of them. If the
 * connection breaks, calls fail until store_open() succeeds again. */
#ifndef BACKEND_STORE_H
#define BACKEND_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_PATH 256

bool store_open(void);
void store_close(void);
bool store_broken(void);
int store_fd(void);
/* Becomes readable when the daemon has ended; then store_ended() is due. */
int store_link_fd(void);
void store_ended(void);

bool store_watch(const char *path, const char *token);
void store_unwatch(const char *path, const char *token);
/* The next event's path, to be freed, and its token; NULL if there is none. */
char *store_event(char token[STORE_PATH]);

/* Absent or malformed values give the default. */
uint64_t store_number(const char *dir, const char *key, uint64_t otherwise);
/* False if absent; values that do not fit are cut. */
bool store_text(const char *dir, const char *key, char *value, unsigned size);
/* Names of children; to be freed. */
char **store_list(const char *dir, unsigned *n);

/* One transaction. store_put() between begin and commit; commit repeats nothing: it returns false
 * if the store saw a conflict, and the caller does all again. */
void store_begin(void);
bool store_commit(void);
bool store_exists(const char *dir, const char *key);
__attribute__((format(printf, 3, 4))) void store_put(const char *dir, const char *key,
                                                     const char *format, ...);

/* Changes dir/state unless the toolstack has removed dir meanwhile. */
void store_set_state(const char *dir, int state);

#endif
