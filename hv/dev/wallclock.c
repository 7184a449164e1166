/* SPDX-License-Identifier: MIT */
/* The time of day: UTC when system time was 0, for shared_info. First from the RTC, later from
 * dom0. */
#include <hv/cpu.h>
#include <hv/x86.h>

#include "clock.h"

#define RTC_INDEX 0x70
#define RTC_DATA  0x71
enum {
    RTC_SECOND = 0,
    RTC_MINUTE = 2,
    RTC_HOUR = 4,
    RTC_DAY = 7,
    RTC_MONTH,
    RTC_YEAR,
    RTC_A,
    RTC_B
};
#define RTC_A_UPDATING 0x80
#define RTC_B_BINARY   0x04
#define RTC_B_24H      0x02
#define RTC_HOUR_PM    0x80
#define RTC_TRIES      1000000 /* an update takes 2 ms */
#define YEAR_PIVOT     70      /* two-digit years from here on are of the last century */

static uint64_t utc_at_zero; /* ns since 1970; lock: wallclock */
static struct spinlock wallclock_lock = SPINLOCK_INIT(RANK_TIMER);

static uint8_t rtc(uint8_t index)
{
    out8(RTC_INDEX, index);
    return in8(RTC_DATA);
}

struct rtc_time {
    uint8_t second, minute, hour, day, month, year;
};

/* Between two updates; the seconds tell if one came in between nevertheless. */
static struct rtc_time rtc_read(void)
{
    struct rtc_time t;

    for (unsigned i = 0; i < RTC_TRIES; i++) {
        if (rtc(RTC_A) & RTC_A_UPDATING)
            continue;
        t = (struct rtc_time){rtc(RTC_SECOND), rtc(RTC_MINUTE), rtc(RTC_HOUR),
                              rtc(RTC_DAY),    rtc(RTC_MONTH),  rtc(RTC_YEAR)};
        if (t.second == rtc(RTC_SECOND))
            return t;
    }
    return (struct rtc_time){0, 0, 0, 1, 1, YEAR_PIVOT};
}

static unsigned from_bcd(unsigned v, bool binary)
{
    return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01; years are counted from March, so that the leap day is the last. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return 365ull * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static uint64_t rtc_seconds(void)
{
    struct rtc_time t = rtc_read();
    uint8_t b = rtc(RTC_B);
    bool binary = b & RTC_B_BINARY;
    unsigned hour = from_bcd(t.hour & ~RTC_HOUR_PM, binary), year = from_bcd(t.year, binary);

    if (!(b & RTC_B_24H))
        hour = hour % 12 + (t.hour & RTC_HOUR_PM ? 12 : 0);
    year += year < YEAR_PIVOT ? 2000 : 1900;
    return days_since_1970(year, from_bcd(t.month, binary), from_bcd(t.day, binary)) * 86400 +
           hour * 3600u + from_bcd(t.minute, binary) * 60 + from_bcd(t.second, binary);
}

void wallclock_init(void)
{
    utc_at_zero = rtc_seconds() * NS_PER_SEC - now_ns();
}

/* Readers try again while the version is odd or changes. */
void wallclock_publish(struct domain *d)
{
    struct shared_info *s = d->shared;
    uint32_t version;
    uint64_t sec;

    lock(&wallclock_lock);
    sec = utc_at_zero / NS_PER_SEC + (uint64_t)d->time_offset;
    version = READ_ONCE(s->wc_version) | 1;
    __atomic_store_n(&s->wc_version, version, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    WRITE_ONCE(s->wc_sec, (uint32_t)sec);
    WRITE_ONCE(s->wc_nsec, (uint32_t)(utc_at_zero % NS_PER_SEC));
    WRITE_ONCE(s->wc_sec_hi, (uint32_t)(sec >> 32));
    __atomic_store_n(&s->wc_version, version + 1, __ATOMIC_RELEASE);
    unlock(&wallclock_lock);
}

void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
    lock(&wallclock_lock);
    utc_at_zero = sec * NS_PER_SEC + nsec - system_time;
    unlock(&wallclock_lock);
    lock(&domlist_lock);
    for_each_domain (d) {
        if (d->shared)
            wallclock_publish(d);
    }
    unlock(&domlist_lock);
}
