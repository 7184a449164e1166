/* SPDX-License-Identifier: MIT */
/* The honest front end and the model wire. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "net_fixture.h"

struct guest guest;
struct wire wire;
struct net_tx *tx;
struct net_rx *rx;
struct net_journal tx_journal, rx_journal;
struct netif_tx_sring *tx_ring;
struct netif_rx_sring *rx_ring;
RING_IDX tx_prod, tx_cons, rx_prod, rx_cons;

static void wire_send(struct net_sender *sender, struct net_frame *frames, unsigned n)
{
    struct wire *w = (struct wire *)sender;

    for (unsigned i = 0; i < n; i++) {
        struct virtio_net_hdr head;

        memcpy(&head, frames[i].buffer, sizeof(head));
        ck_assert_uint_ge(frames[i].bytes, 14);
        ck_assert_uint_le(frames[i].bytes, FRAME_MAX);
        if (head.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
            ck_assert_uint_le(head.csum_start + head.csum_offset + 2, frames[i].bytes);
        ck_assert_uint_le(head.hdr_len, frames[i].bytes);
        w->last_bytes = frames[i].bytes;
        memcpy(w->last, frames[i].buffer, FRAME_HEAD + frames[i].bytes);
        w->sent++;
    }
}

static long wire_receive(struct net_receiver *receiver, uint8_t *buffer, unsigned size)
{
    struct wire *w = (struct wire *)((char *)receiver - offsetof(struct wire, receiver));

    if (!w->waiting)
        return -1;
    w->waiting--;
    ck_assert_uint_le(FRAME_HEAD + w->bytes, size);
    memcpy(buffer, &w->head, FRAME_HEAD);
    for (unsigned i = 0; i < w->bytes; i++)
        buffer[FRAME_HEAD + i] = (uint8_t)(i / 256 + i);
    return (long)(FRAME_HEAD + w->bytes);
}

void engines_start(bool recover)
{
    tx = net_tx_new(&guest.grants);
    rx = net_rx_new(&guest.grants);
    ck_assert(tx && rx);
    tx->sender = &wire.sender;
    rx->receiver = &wire.receiver;
    rx->scatter = true;
    net_side_init(&tx->side, tx_ring, true, &tx_journal, recover);
    net_side_init(&rx->side, rx_ring, false, &rx_journal, recover);
    tx->side.notifier = rx->side.notifier = &guest.notifier;
}

static void *ring_page(void)
{
    struct netif_tx_sring *ring = aligned_alloc(PAGE_BYTES, PAGE_BYTES);

    memset(ring, 0, PAGE_BYTES);
    ring->req_event = ring->rsp_event = 1;
    return ring;
}

void begin(void)
{
    random_seed(test_seed());
    guest_init(&guest);
    memset(&wire, 0, sizeof(wire));
    wire.sender.send = wire_send;
    wire.receiver.receive = wire_receive;
    tx_ring = ring_page();
    rx_ring = ring_page();
    tx_prod = tx_cons = rx_prod = rx_cons = 0;
    engines_start(false);
}

void engines_stop(void)
{
    net_tx_free(tx);
    net_rx_free(rx);
}

void finish(void)
{
    engines_stop();
    free(tx_ring);
    free(rx_ring);
    guest_free(&guest);
}

struct netif_tx_request *put(unsigned page, unsigned offset, unsigned size, unsigned flags)
{
    struct netif_tx_request *r = &tx_ring->ring[tx_prod % NET_ENTRIES].req;

    *r = (struct netif_tx_request){FIRST_REF + page, (uint16_t)offset, (uint16_t)flags,
                                   (uint16_t)tx_prod, (uint16_t)size};
    tx_prod++;
    return r;
}

void put_gso(uint16_t size, uint8_t type, uint8_t flags)
{
    struct netif_extra_info *e = (void *)&tx_ring->ring[tx_prod++ % NET_ENTRIES].req;

    memset(e, 0, sizeof(*e));
    e->type = XEN_NETIF_EXTRA_TYPE_GSO;
    e->flags = flags;
    e->u.gso.size = size;
    e->u.gso.type = type;
}

void sweep(void)
{
    SHARED_WRITE(tx_ring->req_prod, tx_prod);
    while (net_tx_sweep(tx))
        ;
}

int tx_status(void)
{
    struct netif_tx_response rsp;

    ck_assert_uint_ne(tx_ring->rsp_prod, tx_cons);
    memcpy(&rsp, &tx_ring->ring[tx_cons % NET_ENTRIES].rsp, sizeof(rsp));
    if (rsp.status != NETIF_RSP_NULL)
        ck_assert_uint_eq(rsp.id, tx_cons);
    tx_cons++;
    return rsp.status;
}

unsigned make_tcp(unsigned page, bool v6, unsigned payload)
{
    uint8_t *f = guest.page[page];
    unsigned ip = v6 ? 40 : 20;

    memset(f, 0, PAGE_BYTES);
    f[12] = v6 ? 0x86 : 0x08;
    f[13] = v6 ? 0xdd : 0;
    f[14] = v6 ? 0x60 : 0x45;
    f[v6 ? 20 : 23] = 6;
    f[14 + ip + 12] = 5 << 4;
    return 14 + ip + 20 + payload;
}

void post(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct netif_rx_request *r = &rx_ring->ring[rx_prod % NET_ENTRIES].req;

        *r = (struct netif_rx_request){(uint16_t)rx_prod, 0, FIRST_REF + rx_prod % GUEST_PAGES};
        rx_prod++;
    }
    SHARED_WRITE(rx_ring->req_prod, rx_prod);
}

struct netif_rx_response received(void)
{
    struct netif_rx_response rsp;

    ck_assert_uint_ne(rx_ring->rsp_prod, rx_cons);
    memcpy(&rsp, &rx_ring->ring[rx_cons++ % NET_ENTRIES].rsp, sizeof(rsp));
    return rsp;
}
