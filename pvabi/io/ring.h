/* SPDX-License-Identifier: MIT */
/* The shared ring of split drivers: one page (or a few) in which requests and the responses that
 * take their places lie, and four indices that run freely modulo 2^32.
 *
 * The front end writes requests and req_prod, the back end responses and rsp_prod; each asks for an
 * event by writing the index at which it wants one: req_event (back end), rsp_event (front end).
 * What the other side wrote may change at any moment: copy it once, bound it, then use the copy. */
#ifndef PVABI_IO_RING_H
#define PVABI_IO_RING_H

#include <pvabi/base.h>

typedef uint32_t RING_IDX;

/* Bytes of a ring before its first entry. */
#define PVABI_RING_HEAD 64

/* Defines union NAME_sring_entry and struct NAME_sring. */
#define PVABI_RING(name, request, response)                                                        \
    union name##_sring_entry {                                                                     \
        request req;                                                                               \
        response rsp;                                                                              \
    };                                                                                             \
    struct name##_sring {                                                                          \
        RING_IDX req_prod, req_event;                                                              \
        RING_IDX rsp_prod, rsp_event;                                                              \
        uint8_t pvt[4];                                                                            \
        uint8_t __pad[44];                                                                         \
        union name##_sring_entry ring[1]; /* as many as fit, rounded down to a power of two */     \
    };                                                                                             \
    PVABI_AT(struct name##_sring, ring, PVABI_RING_HEAD)

/* Entries of entry_size bytes in a ring of so many bytes. */
static inline uint32_t pvabi_ring_entries(uint32_t bytes, uint32_t entry_size)
{
    uint32_t n = 1;

    while (2 * n * entry_size <= bytes - PVABI_RING_HEAD)
        n *= 2;
    return n;
}

#endif
