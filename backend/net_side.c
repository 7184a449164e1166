/* SPDX-License-Identifier: MIT */
/* Taking requests from and giving responses to one ring of a network queue. */
#include <string.h>

#include "net_side.h"

static volatile uint8_t *place(const struct net_side *s, RING_IDX i)
{
    return (volatile uint8_t *)s->shared + PVABI_RING_HEAD + (i % NET_ENTRIES) * s->entry_bytes;
}

/* Writes what the journal holds to the ring, and lets the front end see it. */
static void publish(struct net_side *s)
{
    RING_IDX end = s->journal->end;

    for (RING_IDX i = s->pushed; i != end; i++)
        shared_copy((void *)(uintptr_t)place(s, i), s->journal->response[i % NET_ENTRIES],
                    s->response_bytes);
    SHARED_WRITE(s->shared->rsp_prod, end);
    SHARED_FENCE();
}

void net_side_init(struct net_side *s, void *shared, bool transmit, struct net_journal *journal,
                   bool recover)
{
    s->shared = shared;
    s->journal = journal;
    s->entry_bytes =
        transmit ? sizeof(union netif_tx_sring_entry) : sizeof(union netif_rx_sring_entry);
    s->response_bytes =
        transmit ? sizeof(struct netif_tx_response) : sizeof(struct netif_rx_response);
    s->broken = NULL;
    s->pushed = SHARED_READ(s->shared->rsp_prod);
    if (recover && s->pushed == journal->first && journal->end - journal->first <= NET_ENTRIES) {
        publish(s);
        s->pushed = journal->end;
    }
    s->next = s->pushed;
    journal->first = journal->end = s->pushed;
}

unsigned net_side_waiting(struct net_side *s)
{
    unsigned n = SHARED_READ(s->shared->req_prod) - s->next;

    if (n <= NET_ENTRIES)
        return n;
    s->broken = "req_prod is no place in the ring";
    return 0;
}

void net_side_read(const struct net_side *s, unsigned n, void *request, unsigned bytes)
{
    shared_copy(request, place(s, s->next + n), bytes);
}

bool net_side_ask(struct net_side *s, unsigned n)
{
    if (net_side_waiting(s) >= n)
        return true;
    SHARED_WRITE(s->shared->req_event, s->next + n);
    SHARED_FENCE();
    return net_side_waiting(s) >= n;
}

void net_side_push(struct net_side *s, const uint8_t (*responses)[NET_RESPONSE_MAX], unsigned n)
{
    struct net_journal *j = s->journal;
    RING_IDX old = s->pushed;

    if (!n)
        return;
    j->end = j->first; /* nothing recorded while first moves */
    JOURNAL_ORDER();
    j->first = j->end = old;
    for (unsigned i = 0; i < n; i++)
        memcpy(j->response[(old + i) % NET_ENTRIES], responses[i], s->response_bytes);
    JOURNAL_ORDER();
    j->end = old + n;
    JOURNAL_ORDER();
    publish(s);
    s->next = s->pushed = old + n;
    if (s->pushed - SHARED_READ(s->shared->rsp_event) < n) {
        s->events_out++;
        s->notifier->notify(s->notifier);
    }
}
