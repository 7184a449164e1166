/* SPDX-License-Identifier: MIT */
/* The network engines: frames both ways, offloads, what costs a frame and what stops a ring,
 * successors, and a hostile front end that changes its memory at every access. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

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

static struct guest guest;
static struct wire wire;
static struct net_tx *tx;
static struct net_rx *rx;
static struct net_journal tx_journal, rx_journal;
static struct netif_tx_sring *tx_ring;
static struct netif_rx_sring *rx_ring;
static RING_IDX tx_prod, tx_cons, rx_prod, rx_cons;

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

static void engines_start(bool recover)
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

static void begin(void)
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

static void engines_stop(void)
{
    net_tx_free(tx);
    net_rx_free(rx);
}

static void finish(void)
{
    engines_stop();
    free(tx_ring);
    free(rx_ring);
    guest_free(&guest);
}

static struct netif_tx_request *put(unsigned page, unsigned offset, unsigned size, unsigned flags)
{
    struct netif_tx_request *r = &tx_ring->ring[tx_prod % NET_ENTRIES].req;

    *r = (struct netif_tx_request){FIRST_REF + page, (uint16_t)offset, (uint16_t)flags,
                                   (uint16_t)tx_prod, (uint16_t)size};
    tx_prod++;
    return r;
}

static void put_gso(uint16_t size, uint8_t type, uint8_t flags)
{
    struct netif_extra_info *e = (void *)&tx_ring->ring[tx_prod++ % NET_ENTRIES].req;

    memset(e, 0, sizeof(*e));
    e->type = XEN_NETIF_EXTRA_TYPE_GSO;
    e->flags = flags;
    e->u.gso.size = size;
    e->u.gso.type = type;
}

static void sweep(void)
{
    SHARED_WRITE(tx_ring->req_prod, tx_prod);
    while (net_tx_sweep(tx))
        ;
}

static int tx_status(void)
{
    struct netif_tx_response rsp;

    ck_assert_uint_ne(tx_ring->rsp_prod, tx_cons);
    memcpy(&rsp, &tx_ring->ring[tx_cons % NET_ENTRIES].rsp, sizeof(rsp));
    if (rsp.status != NETIF_RSP_NULL)
        ck_assert_uint_eq(rsp.id, tx_cons);
    tx_cons++;
    return rsp.status;
}

/* Ethernet, IP, TCP, with payload bytes after them; returns the length of all. */
static unsigned make_tcp(unsigned page, bool v6, unsigned payload)
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

START_TEST(a_frame_in_one_slot)
{
    begin();
    memset(guest.page[3], 0x5a, PAGE_BYTES);
    put(3, 100, 60, 0);
    sweep();
    ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
    ck_assert_uint_eq(wire.last_bytes, 60);
    ck_assert_uint_eq(wire.last[FRAME_HEAD + 59], 0x5a);
    ck_assert_uint_eq(wire.last[1], 0);
    ck_assert_uint_eq(guest.notified, 1);
    ck_assert_uint_eq(tx_ring->req_event, 2);
    finish();
}
END_TEST

START_TEST(a_frame_in_many_slots)
{
    begin();
    for (unsigned i = 0; i < 16; i++)
        memset(guest.page[i], (int)i + 1, PAGE_BYTES);
    put(0, 0, 65535, NETTXF_more_data);
    for (unsigned i = 1; i < 15; i++)
        put(i, 0, 4096, NETTXF_more_data);
    put(15, 1, 4095, 0);
    sweep();
    for (unsigned i = 0; i < 16; i++)
        ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
    ck_assert_uint_eq(wire.last_bytes, 65535);
    ck_assert_uint_eq(wire.last[FRAME_HEAD + 4095], 1);
    ck_assert_uint_eq(wire.last[FRAME_HEAD + 65534], 16);
    finish();
}
END_TEST

START_TEST(offloads_go_to_the_wire)
{
    struct virtio_net_hdr head;

    for (unsigned v6 = 0; v6 < 2; v6++) {
        begin();
        put(0, 0, make_tcp(0, v6, 3000), NETTXF_csum_blank | NETTXF_extra_info);
        put_gso(1448, v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4, 0);
        sweep();
        ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
        ck_assert_int_eq(tx_status(), NETIF_RSP_NULL);
        memcpy(&head, wire.last, sizeof(head));
        ck_assert_uint_eq(head.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
        ck_assert_uint_eq(head.gso_type, v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4);
        ck_assert_uint_eq(head.gso_size, 1448);
        ck_assert_uint_eq(head.csum_start, v6 ? 54 : 34);
        ck_assert_uint_eq(head.csum_offset, 16);
        ck_assert_uint_eq(head.hdr_len, head.csum_start + 20);
        finish();
    }
}
END_TEST

/* What costs the frame only. */
START_TEST(bad_frames_are_answered)
{
    begin();
    put(0, 0, 13, 0);
    put(0, 0, 60, NETTXF_csum_blank); /* no TCP in it */
    put(2000, 0, 60, 0);              /* no such grant */
    put(1, 0, make_tcp(1, false, 0), NETTXF_csum_blank | NETTXF_extra_info);
    put_gso(1448, XEN_NETIF_GSO_TYPE_TCPV6, 0); /* of another version */
    put(0, 0, 60, NETTXF_more_data);
    put(0, 0, 61, 0); /* more than all */
    put(0, 0, 60, 0);
    sweep();
    ck_assert_ptr_null(tx->side.broken);
    for (unsigned i = 0; i < 7; i++)
        ck_assert_int_eq(tx_status(), i == 4 ? NETIF_RSP_NULL : NETIF_RSP_ERROR);
    ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
    ck_assert_uint_eq(wire.sent, 1);
    finish();
}
END_TEST

START_TEST(many_slots_are_an_error_too_many_the_end)
{
    for (unsigned slots = 17; slots <= 25; slots++) {
        begin();
        put(0, 0, 60 + slots, NETTXF_more_data);
        for (unsigned i = 1; i < slots; i++)
            put(1, 0, 1, i + 1 < slots ? NETTXF_more_data : 0);
        sweep();
        ck_assert_uint_eq(wire.sent, slots <= XEN_NETIF_NR_SLOTS_MIN);
        ck_assert_uint_eq(!tx->side.broken, slots <= NET_SLOTS_FATAL + 1);
        finish();
    }
}
END_TEST

/* What stops the ring. */
START_TEST(violations_stop_the_ring)
{
    for (unsigned i = 0; i < 7; i++) {
        begin();
        switch (i) {
        case 0:
            put(0, 4000, 97, 0);
            break;
        case 1:
            put(0, 0, 60, NETTXF_more_data);
            break;
        case 2:
            put(0, 0, 60, NETTXF_extra_info);
            break;
        case 3:
            put(0, 0, 60, NETTXF_extra_info);
            put_gso(0, XEN_NETIF_GSO_TYPE_TCPV4, 0);
            break;
        case 4:
            put(0, 0, 60, NETTXF_extra_info);
            put_gso(100, 3, 0);
            break;
        case 5:
            put(0, 0, 60, NETTXF_extra_info);
            put_gso(100, XEN_NETIF_GSO_TYPE_TCPV4, XEN_NETIF_EXTRA_FLAG_MORE);
            break;
        case 6:
            tx_prod = NET_ENTRIES + 1;
            break;
        }
        sweep();
        ck_assert_ptr_nonnull(tx->side.broken);
        ck_assert_uint_eq(wire.sent, 0);
        ck_assert_uint_eq(tx_ring->rsp_prod, 0);
        finish();
    }
}
END_TEST

static void post(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct netif_rx_request *r = &rx_ring->ring[rx_prod % NET_ENTRIES].req;

        *r = (struct netif_rx_request){(uint16_t)rx_prod, 0, FIRST_REF + rx_prod % GUEST_PAGES};
        rx_prod++;
    }
    SHARED_WRITE(rx_ring->req_prod, rx_prod);
}

static struct netif_rx_response received(void)
{
    struct netif_rx_response rsp;

    ck_assert_uint_ne(rx_ring->rsp_prod, rx_cons);
    memcpy(&rsp, &rx_ring->ring[rx_cons++ % NET_ENTRIES].rsp, sizeof(rsp));
    return rsp;
}

START_TEST(receiving)
{
    struct netif_rx_response rsp;

    begin();
    wire.waiting = 2;
    wire.bytes = 5000;
    wire.head.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    post(3);
    ck_assert_int_eq(net_rx_sweep(rx), NET_RX_FULL); /* one has room, the other has not */
    ck_assert_uint_eq(rx_ring->req_event, 4);
    rsp = received();
    ck_assert_int_eq(rsp.status, 4096);
    ck_assert_uint_eq(rsp.flags, NETRXF_more_data | NETRXF_csum_blank | NETRXF_data_validated);
    rsp = received();
    ck_assert_int_eq(rsp.status, 904);
    ck_assert_uint_eq(rsp.flags, 0);
    ck_assert_uint_eq(guest.page[1][0], (4096 / 256 + 4096) & 255);
    ck_assert_uint_eq(rx_ring->rsp_prod, 2);
    post(1);
    ck_assert_int_eq(net_rx_sweep(rx), NET_RX_EMPTY);
    ck_assert_uint_eq(rx_ring->rsp_prod, 4);
    finish();
}
END_TEST

START_TEST(receiving_segments)
{
    struct netif_extra_info extra;
    struct netif_rx_response rsp;

    begin();
    wire.waiting = 1;
    wire.bytes = 65535;
    wire.head = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                        .gso_size = 1448};
    post(17);
    ck_assert_int_eq(net_rx_sweep(rx), NET_RX_EMPTY);
    rsp = received();
    ck_assert(rsp.flags & NETRXF_extra_info);
    rsp = received();
    memcpy(&extra, &rsp, sizeof(extra));
    ck_assert_uint_eq(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
    ck_assert_uint_eq(extra.u.gso.size, 1448);
    for (unsigned i = 0; i < 15; i++)
        rsp = received();
    ck_assert_uint_eq(rsp.flags, 0);
    ck_assert_int_eq(rsp.status, 4095);
    finish();
}
END_TEST

/* Killed after the responses were recorded, in the middle of writing them: half of the slots hold
 * responses, and the front end has seen none. */
START_TEST(successors_finish_responses)
{
    begin();
    put(0, 0, 60, 0);
    put(0, 0, 60, 0);
    put(0, 0, 60, 0);
    sweep();
    engines_stop();
    SHARED_WRITE(tx_ring->rsp_prod, 0);
    memset(&tx_ring->ring[1].rsp, 0xee, sizeof(tx_ring->ring[1].rsp));
    engines_start(true);
    ck_assert_uint_eq(tx_ring->rsp_prod, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
    put(0, 0, 60, 0);
    sweep();
    ck_assert_int_eq(tx_status(), NETIF_RSP_OKAY);
    ck_assert_uint_eq(wire.sent, 4);
    finish();
}
END_TEST

/* --- Malice --- */

static void meddle(struct guest *g)
{
    uint32_t *word;

    if (random_below(30))
        return;
    switch (random_below(3)) {
    case 0:
        word = (uint32_t *)&tx_ring->ring[0] + random_below((PAGE_BYTES - PVABI_RING_HEAD) / 4);
        break;
    case 1:
        word = (uint32_t *)&rx_ring->ring[0] + random_below((PAGE_BYTES - PVABI_RING_HEAD) / 4);
        break;
    default:
        word = (uint32_t *)g->page[random_below(GUEST_PAGES)] + random_below(PAGE_BYTES / 4);
    }
    *word = (uint32_t)random_bits();
}

static unsigned any_size(void)
{
    return random_below(500) ? random_below(2000) : random_below(4200);
}

/* Most frames are what they say they are, or the ring would stop before anything else can be tried.
 */
static void put_anything(void)
{
    unsigned slots = random_below(6) ? 1 : 1 + random_below(random_below(100) ? 19 : 23);
    unsigned page = random_below(GUEST_PAGES), size[24], bytes;
    bool extra = random_below(4) == 0;

    size[0] = any_size();
    if (random_below(2)) {
        size[0] = make_tcp(page, random_below(2), random_below(2000));
        for (unsigned i = 0; i < 3; i++) {
            if (random_below(2))
                guest.page[page][12 + random_below(50)] = (uint8_t)random_bits();
        }
    }
    bytes = size[0];
    for (unsigned i = 1; i < slots; i++)
        bytes += size[i] = random_below(3900);
    if (random_below(500) == 0)
        bytes = (unsigned)random_bits();
    put(page, random_below(1000), bytes,
        (slots > 1 ? NETTXF_more_data : 0) | (extra ? NETTXF_extra_info : 0) | random_below(4));
    if (extra)
        put_gso((uint16_t)(1 + random_below(3000)), (uint8_t)(1 + random_below(2)), 0);
    for (unsigned i = 1; i < slots; i++)
        put(random_below(GUEST_PAGES + 1), random_below(100), size[i],
            i + 1 < slots ? NETTXF_more_data : 0);
}

/* A ring that was stopped is taken up anew, as after a reconnection. */
static void reconnect(uint64_t *violations)
{
    if (!tx->side.broken && !rx->side.broken)
        return;
    ++*violations;
    engines_stop();
    memset(tx_ring, 0, PAGE_BYTES);
    memset(rx_ring, 0, PAGE_BYTES);
    tx_prod = rx_prod = 0;
    engines_start(false);
}

START_TEST(hostile_front_end)
{
    uint64_t requests = test_requests(200000), done = 0, violations = 0;

    begin();
    guest.malicious = true;
    guest.meddle = meddle;
    while (done < requests) {
        RING_IDX before = tx_prod + rx_prod;

        while (tx_prod - tx->side.pushed < NET_ENTRIES - 30 && random_below(8))
            put_anything();
        if (rx_prod - rx->side.pushed < NET_ENTRIES - 20)
            post(random_below(20));
        done += tx_prod + rx_prod - before;
        if (random_below(1000) == 0)
            SHARED_WRITE(rx_ring->req_prod, (uint32_t)random_bits());
        SHARED_WRITE(tx_ring->req_prod, random_below(1000) ? tx_prod : (uint32_t)random_bits());
        tx_ring->rsp_event = (uint32_t)random_bits();
        wire.waiting = random_below(20);
        wire.bytes = random_below(4) ? random_below(1600) : random_below(65536);
        wire.head.gso_type = (uint8_t)random_below(6);
        wire.head.flags = (uint8_t)random_below(4);
        rx->scatter = random_below(8);
        net_tx_sweep(tx);
        net_rx_sweep(rx);
        ck_assert_uint_le(rx->slots, NET_ENTRIES);
        reconnect(&violations);
    }
    ck_assert_uint_gt(violations, 0);
    ck_assert_uint_gt(wire.sent, done / 20);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *t = tcase_create("queue");
    SRunner *runner;
    int failed;

    tcase_set_timeout(t, 0);
    tcase_add_test(t, a_frame_in_one_slot);
    tcase_add_test(t, a_frame_in_many_slots);
    tcase_add_test(t, offloads_go_to_the_wire);
    tcase_add_test(t, bad_frames_are_answered);
    tcase_add_test(t, many_slots_are_an_error_too_many_the_end);
    tcase_add_test(t, violations_stop_the_ring);
    tcase_add_test(t, receiving);
    tcase_add_test(t, receiving_segments);
    tcase_add_test(t, successors_finish_responses);
    tcase_add_test(t, hostile_front_end);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
