/* SPDX-License-Identifier: MIT */
/* Time: the 8254 ticks and measures the time-stamp counter once; the CMOS clock knows the date. */
#include "native.h"

#define PIT_HZ      1193182
#define PIT_DATA    0x40
#define PIT_2       0x42
#define PIT_COMMAND 0x43
#define PIT_GATE    0x61 /* bit 0 lets counter 2 run, bit 5 shows that it is done */
#define MEASURE_MS  20

static uint64_t tsc_start, tsc_per_ms;

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void measure_tsc(void)
{
    unsigned count = PIT_HZ * MEASURE_MS / 1000;

    out8(PIT_GATE, (in8(PIT_GATE) & ~2) | 1);
    out8(PIT_COMMAND, 0xb0); /* counter 2, both bytes, once */
    out8(PIT_2, count & 255);
    out8(PIT_2, count >> 8);
    tsc_start = read_tsc();
    while (!(in8(PIT_GATE) & 0x20))
        ;
    tsc_per_ms = (read_tsc() - tsc_start) / MEASURE_MS;
}

void clock_init(void)
{
    unsigned count = PIT_HZ / TICKS_PER_SECOND;

    measure_tsc();
    out8(PIT_COMMAND, 0x34); /* counter 0, both bytes, rate generator */
    out8(PIT_DATA, count & 255);
    out8(PIT_DATA, count >> 8);
    irq_request(0, clock_tick);
}

uint64_t machine_time(void)
{
    uint64_t t = read_tsc() - tsc_start;

    return t / tsc_per_ms * NSEC_PER_MSEC + t % tsc_per_ms * NSEC_PER_MSEC / tsc_per_ms;
}

static unsigned cmos(uint8_t reg)
{
    uint8_t bcd;

    out8(0x70, reg);
    bcd = in8(0x71);
    return (bcd >> 4) * 10 + (bcd & 15);
}

/* Read once, at a moment when no update is under way. */
static uint64_t read_date(void)
{
    static const uint16_t before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    unsigned year, month, days;

    do
        out8(0x70, 10);
    while (in8(0x71) & 0x80);
    year = 2000 + cmos(9);
    month = cmos(8);
    days = (year - 1970) * 365 + (year - 1969) / 4 + before_month[(month - 1) % 12] + cmos(7) - 1;
    days += month > 2 && year % 4 == 0;
    return ((days * 24ul + cmos(4)) * 60 + cmos(2)) * 60 + cmos(0);
}

uint64_t machine_wall_time(void)
{
    static uint64_t at_boot;

    if (!at_boot)
        at_boot = read_date() - machine_time() / NSEC_PER_SEC;
    return at_boot + machine_time() / NSEC_PER_SEC;
}
