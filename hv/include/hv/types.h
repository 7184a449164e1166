/* SPDX-License-Identifier: MIT */
/* Basic types of the hypervisor. A frame number is a one-member structure, so that it does not pass for another number. */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pvabi/base.h>
#include <pvabi/errno.h>

typedef struct {
    uint64_t n;
} mfn_t; /* machine frame number */

static inline mfn_t mfn(uint64_t n)
{
    return (mfn_t){n};
}
#define INVALID_MFN mfn(~0ull)
#define INVALID_P2M (~0ull)

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
    return a.n == b.n;
}

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define likely(x)       __builtin_expect(!!(x), 1)
#define unlikely(x)     __builtin_expect(!!(x), 0)
#define ROUND_UP(x, a)  (((x) + (a) - 1) & ~((a) - 1))
#define ROUND_DOWN(x, a) ((x) & ~((a) - 1))
#define MIN(a, b)       ((a) < (b) ? (a) : (b))
#define MAX(a, b)       ((a) > (b) ? (a) : (b))
#define __packed        __attribute__((packed))
#define __aligned(n)    __attribute__((aligned(n)))
#define noreturn        __attribute__((noreturn))
#define noinline        __attribute__((noinline))
#define cold            __attribute__((cold))
#define always_inline   inline __attribute__((always_inline))
#define BITS_SET(v, m)  (((v) & (m)) == (m))

/* One load or store of a location that somebody else (a guest, another CPU) may change at any time. */
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

struct domain;
struct vcpu;
struct frame;
struct percpu;
struct guest_regs;

/* A little-endian number wherever it lies. */
static inline uint64_t get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | p[bytes];
    return v;
}

#endif
