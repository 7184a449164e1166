/* SPDX-License-Identifier: MIT */
/* What a guest sends: frames are gathered from ring slots into private memory by grant copies,
 * checked, and handed on in batches. */
#ifndef BACKEND_NET_TX_H
#define BACKEND_NET_TX_H

#include "copies.h"
#include "net_frame.h"
#include "net_side.h"

#define NET_TX_FRAMES   64         /* in one sweep */
#define NET_TX_MEMORY   (4u << 16) /* for their data */
#define NET_SLOTS_FATAL 20         /* slots of a frame after the first: who uses more is hostile */

/* Where frames go. It cannot refuse: what it cannot pass on is lost, as frames are. */
struct net_sender {
    void (*send)(struct net_sender *sender, struct net_frame *frames, unsigned n);
};

struct net_counters {
    uint64_t frames, bytes, dropped, errors;
};

struct net_tx {
    struct net_side side;
    struct net_sender *sender;
    struct copies copies;
    struct net_counters count;
    uint8_t *memory;
    unsigned used, frames, slots;
    struct net_frame frame[NET_TX_FRAMES];
    uint8_t response[NET_ENTRIES][NET_RESPONSE_MAX];
    int16_t frame_of[NET_ENTRIES]; /* of each slot; -1: extra information */
    uint16_t id_of[NET_ENTRIES];
};

struct net_tx *net_tx_new(struct grants *grants); /* NULL if memory is short */
void net_tx_free(struct net_tx *tx);
/* True if there is more. tx->side.broken tells when the front end has broken the rules. */
bool net_tx_sweep(struct net_tx *tx);

#endif
