/* SPDX-License-Identifier: MIT */
/* Ten ticks, a tenth of a second apart, and how late they were; sleeps in between. */
#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/time.h>

#define TICKS    10
#define INTERVAL (PV_SECOND / 10)

static volatile unsigned ticks;
static uint64_t due, worst;

static void on_timer(unsigned port)
{
    uint64_t late = pv_time() - due;

    (void)port;
    if (late > worst)
        worst = late;
    due += INTERVAL;
    if (++ticks < TICKS)
        pv_timer_set(due);
}

void pv_main(void)
{
    uint64_t start = pv_time();

    due = start + INTERVAL;
    if (pv_timer_init(on_timer) < 0 || pv_timer_set(due))
        pv_exit(1);
    pv_events_off();
    while (ticks < TICKS)
        pv_idle();
    pv_printf("timer: %u ticks in %lu ms, the latest %lu us late, at %lu s since 1970\n", ticks,
              (pv_time() - start) / 1000000, worst / 1000, pv_wall_time() / PV_SECOND);
    pv_exit(0);
}
