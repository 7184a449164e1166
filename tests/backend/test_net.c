/* SPDX-License-Identifier: MIT */
/* The network engines: frames both ways, offloads, what costs a frame and what stops a ring,
 * successors. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "net_fixture.h"

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
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
