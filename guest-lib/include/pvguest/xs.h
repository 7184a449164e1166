/* SPDX-License-Identifier: MIT */
/*
 * A small client of the store. Every call waits for the answer, with events off; the domain sleeps
 * meanwhile. Paths are a directory and a key in it; relative ones are below the domain's own
 * /local/domain/N. A negative result is an error, -XEN_E*.
 */
#ifndef PVGUEST_XS_H
#define PVGUEST_XS_H

#include <pvguest/start.h>

#define PV_XS_PATH 256 /* longest path, with its NUL */

/* -XEN_ENODEV when the domain has no store, as in dom0's place. May be called again. */
long pv_xs_init(void);

/* The value in buf, with a NUL; its length. */
long pv_xs_read(uint32_t tx, const char *dir, const char *key, char *buf, size_t size);
/* A decimal number; `otherwise` if there is none. */
uint64_t pv_xs_read_number(const char *dir, const char *key, uint64_t otherwise);
long pv_xs_write(uint32_t tx, const char *dir, const char *key, const char *value);
long pv_xs_write_number(uint32_t tx, const char *dir, const char *key, uint64_t value);
long pv_xs_remove(uint32_t tx, const char *dir, const char *key);
/* The names in a directory, a NUL behind each; the bytes they take. */
long pv_xs_list(uint32_t tx, const char *dir, char *buf, size_t size);

/* Transactions: tx 0 is none. Ending one may give -XEN_EAGAIN: begin again. */
long pv_xs_begin(uint32_t *tx);
long pv_xs_end(uint32_t tx, bool commit);

/* Whoever watches is called once for the watch itself, then after changes at or below the path;
 * from the event upcall or from within pv_xs_wait, never from within another call of the store. */
struct pv_watch {
    const char *path;
    void (*changed)(struct pv_watch *w);
    bool fired;
    struct pv_watch *next;
};
long pv_xs_watch(struct pv_watch *w);
long pv_xs_unwatch(struct pv_watch *w);
/* Sleeps until a watch fires, and calls its owner; false when `deadline` (system time) comes first.
 */
bool pv_xs_wait(uint64_t deadline);

#endif
