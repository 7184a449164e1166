/* SPDX-License-Identifier: MIT */
/* Gathers grant copies, so that many of them take one call. */
#ifndef BACKEND_COPIES_H
#define BACKEND_COPIES_H

#include "port.h"

#define COPIES_MAX 512

struct copies {
    struct grants *grants;
    void (*failed)(void *owner); /* called once for each piece that failed */
    uint64_t calls, bytes;
    unsigned n;
    struct grant_copy pieces[COPIES_MAX];
};

static inline void copies_flush(struct copies *c)
{
    if (!c->n)
        return;
    c->grants->copy(c->grants, c->pieces, c->n);
    c->calls++;
    for (unsigned i = 0; i < c->n; i++) {
        if (!c->pieces[i].ok)
            c->failed(c->pieces[i].owner);
    }
    c->n = 0;
}

static inline void copies_add(struct copies *c, bool to_guest, uint32_t ref, unsigned offset,
                              void *local, unsigned len, void *owner)
{
    if (c->n == COPIES_MAX)
        copies_flush(c);
    c->pieces[c->n++] = (struct grant_copy){.ref = ref,
                                            .offset = (uint16_t)offset,
                                            .len = (uint16_t)len,
                                            .local = local,
                                            .owner = owner,
                                            .to_guest = to_guest};
    c->bytes += len;
}

#endif
