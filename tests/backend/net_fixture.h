/* SPDX-License-Identifier: MIT */
/* What tests of the network engines share: an honest front end's helpers and a model wire. */
#ifndef TESTS_BACKEND_NET_FIXTURE_H
#define TESTS_BACKEND_NET_FIXTURE_H

#include "backend/net_rx.h"
#include "hostile.h"

/* The other side of the TAP device. */
struct wire {
    struct net_sender sender;
    struct net_receiver receiver;
    uint64_t sent;
    unsigned last_bytes;
    uint8_t last[FRAME_SPACE];
    unsigned waiting, bytes; /* frames to be received, each so long */
    struct virtio_net_hdr head;
};

extern struct guest guest;
extern struct wire wire;
extern struct net_tx *tx;
extern struct net_rx *rx;
extern struct net_journal tx_journal, rx_journal;
extern struct netif_tx_sring *tx_ring;
extern struct netif_rx_sring *rx_ring;
extern RING_IDX tx_prod, tx_cons, rx_prod, rx_cons;

/* Attaches engines to the shared pages and the journals; and ends them. */
void engines_start(bool recover);
/* A fresh front end, wire and pair of rings; and their end. */
void begin(void);
void engines_stop(void);
void finish(void);
/* Slots of frames that the guest sends. */
struct netif_tx_request *put(unsigned page, unsigned offset, unsigned size, unsigned flags);
void put_gso(uint16_t size, uint8_t type, uint8_t flags);
/* Lets the engine take all of them. */
void sweep(void);
/* Of the next response, which must be there. */
int tx_status(void);
/* Ethernet, IP and TCP headers in a page; the length with so much payload. */
unsigned make_tcp(unsigned page, bool v6, unsigned payload);
/* Slots that the guest receives into, and what came in the next one. */
void post(unsigned n);
struct netif_rx_response received(void);

#endif
