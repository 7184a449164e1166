/* SPDX-License-Identifier: MIT */
/* Pages of a front end that stay mapped (persistent grants), found by reference. They are unmapped
 * only all together, when nothing uses them any more. */
#ifndef BACKEND_PAGES_H
#define BACKEND_PAGES_H

#include "port.h"

#define PAGES_MAX   1056 /* mapped pages; beyond them, grants are copied */
#define PAGES_TABLE 4096 /* a power of two, well above PAGES_MAX */

struct pages_run {
    void *start;
    unsigned n;
};

struct pages {
    struct grants *grants;
    unsigned mapped, wanted, runs, failures;
    uint32_t want[PAGES_MAX]; /* to be mapped by pages_map() */
    struct pages_run run[PAGES_MAX];
    struct {
        uint32_t ref;
        void *page; /* NULL: no entry */
    } table[PAGES_TABLE];
};

/* NULL if the page is not mapped. */
void *pages_find(const struct pages *p, uint32_t ref);

/* Asks for the page to be mapped by the next pages_map(), if there is still room. */
void pages_want(struct pages *p, uint32_t ref);

void pages_map(struct pages *p);
void pages_unmap_all(struct pages *p);

#endif
