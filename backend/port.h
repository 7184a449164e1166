/* SPDX-License-Identifier: MIT */
/* What the ring engines need from the world: a front end's grants and its event. The daemon
 * supplies them through libxengnttab and libxenevtchn, the tests by a front end in the same
 * process. */
#ifndef BACKEND_PORT_H
#define BACKEND_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u

/* One piece to copy between a granted page and local memory; it crosses no page of the guest. */
struct grant_copy {
    uint32_t ref;
    uint16_t offset, len;
    void *local;
    void *owner; /* the caller's */
    bool to_guest;
    bool ok; /* out */
};

struct grants {
    /* Copies every piece, each with its own outcome. */
    void (*copy)(struct grants *grants, struct grant_copy *pieces, unsigned n);
    /* Maps n pages side by side, all or none: NULL. */
    void *(*map)(struct grants *grants, const uint32_t *refs, unsigned n, bool writable);
    void (*unmap)(struct grants *grants, void *pages, unsigned n);
    /* Pages side by side for the local ends of copies; NULL if memory is short. */
    void *(*allocate)(struct grants *grants, unsigned n);
    void (*release)(struct grants *grants, void *pages, unsigned n);
};

struct notifier {
    void (*notify)(struct notifier *notifier);
};

/* Fields that the front end may change at any moment. */
#define SHARED_READ(field)         __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define SHARED_WRITE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)
#define SHARED_FENCE()             __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Order of stores to a journal: what matters is only what a successor sees after SIGKILL. */
#define JOURNAL_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Copies bytes that the other side may be changing meanwhile: each is read once. */
static inline void shared_copy(void *to, const volatile void *from, size_t bytes)
{
    const volatile uint32_t *in = from;
    uint32_t *out = to;

    for (size_t i = 0; i < bytes / sizeof(*out); i++)
        out[i] = in[i];
}

#endif
