/* SPDX-License-Identifier: MIT */
/* One ring of a network queue, seen from the back end. Responses go out in the order of requests,
 * many at a time. They are recorded in a journal first, so that a successor can finish writing
 * them: a response takes the place of a request, and half a batch of them would look like requests.
 */
#ifndef BACKEND_NET_SIDE_H
#define BACKEND_NET_SIDE_H

#include <pvabi/io/netif.h>

#include "port.h"

#define NET_ENTRIES      256
#define NET_RESPONSE_MAX 8

struct net_journal {
    uint32_t first, end; /* responses that are recorded, by their indices */
    uint8_t response[NET_ENTRIES][NET_RESPONSE_MAX];
};

/* The head is the same in both kinds of rings. */
struct net_side {
    struct netif_tx_sring *shared;
    struct net_journal *journal;
    struct notifier *notifier;
    unsigned entry_bytes, response_bytes;
    RING_IDX next;   /* the next request to take */
    RING_IDX pushed; /* responses that the front end has */
    const char *broken;
    uint64_t events_out;
};

void net_side_init(struct net_side *s, void *shared, bool transmit, struct net_journal *journal,
                   bool recover);
/* Requests that wait, at most NET_ENTRIES. */
unsigned net_side_waiting(struct net_side *s);
/* Copies the request n places after the next one. */
void net_side_read(const struct net_side *s, unsigned n, void *request, unsigned bytes);
/* True if n requests wait; otherwise an event was asked for when they do. */
bool net_side_ask(struct net_side *s, unsigned n);
/* Answers that many requests, and notifies if the front end wants it. */
void net_side_push(struct net_side *s, const uint8_t (*responses)[NET_RESPONSE_MAX], unsigned n);

#endif
