/* SPDX-License-Identifier: MIT */
/* netfront: two rings, and pages that stay granted to the back end as long as the card is there. */
#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/grant.h>
#include <pvguest/mm.h>
#include <pvguest/net.h>

#define CARDS 4

static struct pv_net *cards[CARDS];

static struct netif_tx_sring *tx_ring(struct pv_net *n)
{
    return (struct netif_tx_sring *)n->tx.shared;
}

static struct netif_rx_sring *rx_ring(struct pv_net *n)
{
    return (struct netif_rx_sring *)n->rx.shared;
}

/* --- Sending --- */

static void reap(struct pv_net *n)
{
    for (unsigned left = pv_ring_responses(&n->tx); left; left--) {
        struct netif_tx_response rsp = tx_ring(n)->ring[n->tx.cons++ % n->tx.size].rsp;

        if (rsp.id < PV_NET_BUFFERS)
            n->tx_busy[rsp.id] = false;
    }
}

bool pv_net_send(struct pv_net *n, const void *frame, size_t size)
{
    struct netif_tx_request *q;
    unsigned id = 0;

    reap(n);
    while (id < PV_NET_BUFFERS && n->tx_busy[id])
        id++;
    if (id == PV_NET_BUFFERS || size > PV_NET_FRAME || !pv_ring_free(&n->tx))
        return false;
    n->tx_busy[id] = true;
    memcpy(n->tx_pages[id], frame, size);
    q = &tx_ring(n)->ring[n->tx.prod++ % n->tx.size].req;
    *q = (struct netif_tx_request){.gref = n->tx_refs[id], .id = id, .size = size};
    if (pv_ring_push(&n->tx))
        pv_event_send(n->port);
    return true;
}

/* --- Receiving --- */

/* A buffer's number is the slot it is offered in, so that the answer's place names it. */
static void offer(struct pv_net *n, unsigned id)
{
    rx_ring(n)->ring[n->rx.prod++ % n->rx.size].req =
        (struct netif_rx_request){.id = id, .gref = n->rx_refs[id]};
}

static void take(struct pv_net *n, const struct netif_rx_response *rsp)
{
    /* No scatter-gather was offered: a frame is one slot. */
    bool whole = !(rsp->flags & (NETRXF_more_data | NETRXF_extra_info));

    if (rsp->id >= PV_NET_BUFFERS)
        return;
    if (whole && rsp->status > 0 && rsp->offset + rsp->status <= (int)PAGE_SIZE)
        n->receive(n, (char *)n->rx_pages[rsp->id] + rsp->offset, rsp->status,
                   rsp->flags & (NETRXF_data_validated | NETRXF_csum_blank));
    offer(n, rsp->id);
}

void pv_net_poll(struct pv_net *n)
{
    reap(n);
    do {
        for (unsigned left = pv_ring_responses(&n->rx); left; left--) {
            struct netif_rx_response rsp = rx_ring(n)->ring[n->rx.cons++ % n->rx.size].rsp;

            take(n, &rsp);
        }
        if (pv_ring_push(&n->rx))
            pv_event_send(n->port);
    } while (pv_ring_wait(&n->rx));
}

static void on_event(unsigned port)
{
    for (unsigned i = 0; i < CARDS; i++)
        if (cards[i] && cards[i]->port == port)
            pv_net_poll(cards[i]);
}

/* --- Connecting --- */

/* A page and a grant of it for each buffer. */
static long make_buffers(const struct pv_device *d, void **pages, unsigned *refs, bool readonly)
{
    for (unsigned i = 0; i < PV_NET_BUFFERS; i++) {
        long ref;

        pages[i] = pv_page_alloc();
        ref = pages[i] ? pv_grant_page(d->backend, pages[i], readonly) : -XEN_ENOMEM;
        if (ref < 0)
            return ref;
        refs[i] = ref;
    }
    return 0;
}

static long make_ring(const struct pv_device *d, struct pv_ring *r, unsigned entry_size)
{
    void *page = pv_page_alloc();

    if (!page)
        return -XEN_ENOMEM;
    pv_ring_init(r, page, entry_size);
    return pv_grant_page(d->backend, page, false);
}

static long publish(struct pv_net *n)
{
    long tx = make_ring(&n->device, &n->tx, sizeof(union netif_tx_sring_entry));
    long rx = make_ring(&n->device, &n->rx, sizeof(union netif_rx_sring_entry));
    long port = pv_event_alloc_unbound(n->device.backend);
    struct pv_device_key keys[] = {
        {"tx-ring-ref", NULL, tx},      {"rx-ring-ref", NULL, rx},
        {"event-channel", NULL, port},  {"request-rx-copy", NULL, 1},
        {"feature-rx-notify", NULL, 1}, {"feature-no-csum-offload", NULL, 1},
    };

    if (tx < 0 || rx < 0 || port < 0)
        return tx < 0 ? tx : rx < 0 ? rx : port;
    n->port = port;
    for (unsigned id = 0; id < PV_NET_BUFFERS; id++)
        offer(n, id);
    pv_ring_push(&n->rx);
    return pv_device_publish(&n->device, keys, ARRAY_SIZE(keys));
}

static void read_mac(struct pv_net *n)
{
    char text[24] = "";

    pv_xs_read(0, n->device.front, "mac", text, sizeof(text));
    for (unsigned i = 0; text[0] && i < 12; i++) {
        char c = text[i / 2 * 3 + i % 2] | 0x20;

        n->mac[i / 2] = n->mac[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }
}

long pv_net_open(struct pv_net *n, unsigned index)
{
    unsigned slot = 0;
    long error = pv_xs_init();

    while (slot < CARDS && cards[slot])
        slot++;
    if (slot == CARDS)
        return -XEN_ENOMEM;
    if (!error)
        error = pv_device_find(&n->device, "vif", index);
    if (!error)
        error = pv_device_wait(&n->device, 1 << XenbusStateInitWait);
    if (error < 0)
        return error;
    read_mac(n);
    error = make_buffers(&n->device, n->tx_pages, n->tx_refs, true);
    if (!error)
        error = make_buffers(&n->device, n->rx_pages, n->rx_refs, false);
    if (!error)
        error = publish(n);
    if (error)
        return error;
    cards[slot] = n;
    pv_event_set(n->port, on_event);
    pv_event_unmask(n->port);
    error = pv_device_set_state(&n->device, XenbusStateConnected);
    if (!error)
        error = pv_device_wait(&n->device, 1 << XenbusStateConnected);
    return error < 0 ? error : 0;
}
