/* SPDX-License-Identifier: MIT */
/* Guest memory of the fake machine: one window, with faults at a chosen byte and changes behind the
 * reader. */
#include <string.h>

#include "fake.h"

uint8_t fake_guest[FAKE_GUEST_SIZE];
int64_t fake_fault_after = -1;
uint64_t (*fake_hostile)(uint64_t seed);
uint64_t fake_reads;

/* Bytes of [addr, addr + len) that can be reached before the fault. */
static uint64_t reachable(uint64_t addr, uint64_t len)
{
    uint64_t n = len;

    if (addr < FAKE_GUEST || addr >= FAKE_GUEST + FAKE_GUEST_SIZE)
        return 0;
    n = MIN(n, FAKE_GUEST + FAKE_GUEST_SIZE - addr);
    if (fake_fault_after >= 0) {
        n = MIN(n, (uint64_t)fake_fault_after);
        fake_fault_after -= (int64_t)n;
    }
    return n;
}

static void change_behind(uint8_t *p, uint64_t len)
{
    if (!fake_hostile)
        return;
    for (uint64_t i = 0; i < len; i += 8) {
        uint64_t v = fake_hostile(i);

        memcpy(p + i, &v, MIN(8, len - i));
    }
}

int copy_from_guest(void *dst, uint64_t src, uint64_t len)
{
    uint64_t n;

    if (!guest_range_ok(src, len))
        return -XEN_EFAULT;
    fake_reads++;
    n = reachable(src, len);
    if (n) {
        memcpy(dst, fake_guest + (src - FAKE_GUEST), n);
        change_behind(fake_guest + (src - FAKE_GUEST), n);
    }
    return n == len ? 0 : -XEN_EFAULT;
}

int copy_to_guest(uint64_t dst, const void *src, uint64_t len)
{
    uint64_t n;

    if (!guest_range_ok(dst, len))
        return -XEN_EFAULT;
    n = reachable(dst, len);
    if (n)
        memcpy(fake_guest + (dst - FAKE_GUEST), src, n);
    return n == len ? 0 : -XEN_EFAULT;
}

int clear_guest(uint64_t dst, uint64_t len)
{
    uint64_t n;

    if (!guest_range_ok(dst, len))
        return -XEN_EFAULT;
    n = reachable(dst, len);
    if (n)
        memset(fake_guest + (dst - FAKE_GUEST), 0, n);
    return n == len ? 0 : -XEN_EFAULT;
}

bool guest_load32(uint32_t *dst, uint64_t src)
{
    return !copy_from_guest(dst, src, sizeof(*dst));
}

bool guest_store32(uint64_t dst, uint32_t v)
{
    return !copy_to_guest(dst, &v, sizeof(v));
}

bool guest_load_words(void *dst, uint64_t src, uint64_t words)
{
    return !copy_from_guest(dst, src, words * 8);
}

bool guest_store_words(uint64_t dst, const void *src, uint64_t words)
{
    return !copy_to_guest(dst, src, words * 8);
}

bool guest_load64(uint64_t *dst, uint64_t src)
{
    return !copy_from_guest(dst, src, sizeof(*dst));
}

bool guest_store64(uint64_t dst, uint64_t v)
{
    return !copy_to_guest(dst, &v, sizeof(v));
}
