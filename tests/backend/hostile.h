/* SPDX-License-Identifier: MIT */
/* A front end in the same process: its pages, its grants, and its malice. Whatever the back end may
 * read of them changes between any two accesses that go through the grant interface. */
#ifndef TESTS_BACKEND_HOSTILE_H
#define TESTS_BACKEND_HOSTILE_H

#include "backend/port.h"

#define GUEST_PAGES 64

struct guest {
    struct grants grants;
    struct notifier notifier;
    unsigned char (*page)[PAGE_BYTES]; /* granted by reference FIRST_REF + index */
    bool readonly[GUEST_PAGES];
    bool malicious;                 /* refuses some grants at random */
    void (*meddle)(struct guest *); /* called at each access, if set */
    void (*on_notify)(struct guest *);
    unsigned mapped[GUEST_PAGES];
    uint64_t notified, copies, maps;
};

#define FIRST_REF 100

void guest_init(struct guest *g);
void guest_free(struct guest *g); /* fails if something is still mapped */

/* A generator of its own, so that a seed tells all. */
void random_seed(uint64_t seed);
uint64_t random_bits(void);
unsigned random_below(unsigned n);

/* The environment's N, or the short form's. */
uint64_t test_requests(uint64_t short_form);
uint64_t test_seed(void);

#endif
