/* SPDX-License-Identifier: MIT */
/* The console page: two byte rings. Indices run freely; a place is its index modulo the ring's
 * size. */
#ifndef PVABI_IO_CONSOLE_H
#define PVABI_IO_CONSOLE_H

#include <pvabi/base.h>

typedef uint32_t XENCONS_RING_IDX;

#define MASK_XENCONS_IDX(idx, ring) ((idx) & (sizeof(ring) - 1))

struct xencons_interface {
    char in[1024];  /* to the guest */
    char out[2048]; /* from the guest */
    XENCONS_RING_IDX in_cons, in_prod;
    XENCONS_RING_IDX out_cons, out_prod;
};
PVABI_SIZE(struct xencons_interface, 3088);
PVABI_AT(struct xencons_interface, in_cons, 3072);

#endif
