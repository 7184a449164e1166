/* SPDX-License-Identifier: MIT */
/* Timers of known rate, to measure the TSC by: ACPI PM timer, else HPET, else channel 2 of the PIT.
 */
#include <hv/init.h>
#include <hv/x86.h>

#include "acpi.h"
#include "clock.h"

#define PM_TIMER_HZ 3579545

#define HPET_PERIOD     1 /* indices of 32-bit registers. Femtoseconds a tick */
#define HPET_CONFIG     4
#define HPET_COUNTER    60
#define HPET_ENABLE     1u
#define HPET_PERIOD_MAX 100000000u

#define PIT_HZ        1193182
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND   0x43
#define PIT_GATE      0x61
#define PIT_ONE_SHOT  0xb0 /* channel 2, both bytes, counts down and goes on */
#define PIT_LATCH     0x80
#define PIT_MAX       0xffffu

static volatile uint32_t *hpet;

static uint32_t read_pm_timer(void)
{
    return in32(acpi.pm_timer);
}

static uint32_t read_hpet(void)
{
    return hpet[HPET_COUNTER];
}

static uint32_t read_pit(void)
{
    uint32_t low;

    out8(PIT_COMMAND, PIT_LATCH);
    low = in8(PIT_CHANNEL_2);
    return PIT_MAX - (low | (uint32_t)in8(PIT_CHANNEL_2) << 8);
}

static struct reference pm_timer = {"PM timer", PM_TIMER_HZ, 0xffffff, read_pm_timer};
static struct reference hpet_timer = {"HPET", 0, 0xffffffff, read_hpet};
static struct reference pit_timer = {"PIT", PIT_HZ, PIT_MAX, read_pit};

static bool hpet_start(void)
{
    uint32_t period;

    if (!acpi.hpet)
        return false;
    hpet = (volatile uint32_t *)map_device(acpi.hpet, PAGE_SIZE);
    period = hpet ? hpet[HPET_PERIOD] : 0;
    if (!period || period > HPET_PERIOD_MAX)
        return false;
    hpet_timer.hz = 1000000000000000ull / period;
    hpet[HPET_CONFIG] |= HPET_ENABLE;
    return true;
}

static void pit_start(void)
{
    out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~2) | 1)); /* count; the speaker stays silent */
    out8(PIT_COMMAND, PIT_ONE_SHOT);
    out8(PIT_CHANNEL_2, PIT_MAX & 0xff);
    out8(PIT_CHANNEL_2, PIT_MAX >> 8);
}

const struct reference *reference_find(void)
{
    if (acpi.pm_timer && in32(acpi.pm_timer) != ~0u)
        return &pm_timer;
    if (hpet_start())
        return &hpet_timer;
    pit_start();
    return &pit_timer;
}
