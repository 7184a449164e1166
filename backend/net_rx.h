/* SPDX-License-Identifier: MIT */
/* What a guest receives: frames are copied into pages that it has posted. */
#ifndef BACKEND_NET_RX_H
#define BACKEND_NET_RX_H

#include "net_tx.h"

/* Read from the TAP device before they are delivered: that many frames, and about as much as a ring
 * has room for. */
#define NET_RX_FRAMES 64
#define FRAME_PAGES   17
#define NET_RX_PAGES  (1 + NET_ENTRIES + FRAME_PAGES)

/* Where frames come from. */
struct net_receiver {
    /* Reads one frame, header first; its bytes with header, or a value <= 0 if there is none. */
    long (*receive)(struct net_receiver *receiver, uint8_t *buffer, unsigned size);
};

struct net_rx {
    struct net_side side;
    struct net_receiver *receiver;
    struct copies copies;
    struct net_counters count;
    bool scatter;           /* frames may take several slots */
    uint8_t *memory;        /* NET_RX_PAGES pages: the frames */
    unsigned first, frames; /* read, and not delivered */
    bool drained;           /* the last attempt to read found nothing */
    unsigned slots;
    struct net_frame frame[NET_RX_FRAMES];
    uint8_t response[NET_ENTRIES][NET_RESPONSE_MAX];
    bool failed[NET_ENTRIES]; /* slots whose copy was refused */
};

struct net_rx *net_rx_new(struct grants *grants); /* NULL if memory is short */
void net_rx_free(struct net_rx *rx);

enum net_rx_result {
    NET_RX_EMPTY, /* nothing to receive */
    NET_RX_FULL,  /* the guest has posted too little: an event was asked for */
    NET_RX_MORE,
};
enum net_rx_result net_rx_sweep(struct net_rx *rx);

#endif
