/* SPDX-License-Identifier: MIT */
/* The network engines with a hostile front end that changes its memory at every access. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "net_fixture.h"

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
    Suite *suite = suite_create("net hostile");
    TCase *t = tcase_create("queue");
    SRunner *runner;
    int failed;

    tcase_set_timeout(t, 0);
    tcase_add_test(t, hostile_front_end);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
