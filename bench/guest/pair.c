/* SPDX-License-Identifier: MIT */
/* Two domains that wake each other by turns: each event finds the other one asleep, wakes it, and
 * its sender sleeps next. Arguments: peer=DOMAIN; port=PORT tells "ping" what "echo" printed. */
#include "bench.h"
#include <pvguest/event.h>
#include <pvguest/start.h>

#define ROUND_TRIPS 256

static unsigned port;
static volatile unsigned long received;

static unsigned number(const char *option)
{
    char text[12];
    unsigned n = 0;

    bench_check(option, pv_option(option, text, sizeof(text)) ? 0 : -XEN_EINVAL);
    for (const char *s = text; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + *s - '0';
    return n;
}

static void on_event(unsigned which)
{
    (void)which;
    received++;
}

/* Sleeps until another event was received; an event between look and sleep ends the sleep. */
static void await(unsigned long before)
{
    while (received == before) {
        pv_events_off();
        if (received == before)
            CALL2(sched_op, SCHEDOP_block, NULL);
        pv_events_on();
    }
}

static void exchange(void)
{
    unsigned long before = received;

    bench_check("send", pv_event_send(port));
    await(before);
}

static void listen(long rc)
{
    bench_check("event channel", rc);
    port = rc;
    pv_event_set(port, on_event);
    pv_event_unmask(port);
    pv_events_on();
}

void bench_pair(const char *role)
{
    unsigned peer = number("peer=");

    if (strcmp(role, "ping")) {
        listen(pv_event_alloc_unbound(peer));
        pv_printf("PAIR-PORT %u\n", port);
        for (await(0);;)
            exchange();
    }
    listen(pv_event_bind_interdomain(peer, number("port=")));
    exchange();
    BENCH("wakeup", 2 * ROUND_TRIPS, {
        if (i & 1)
            exchange();
    });
}
