/* SPDX-License-Identifier: MIT */
/* Names that every part of the guest library needs: sizes, attributes, compiler barriers. */
#ifndef PVGUEST_TYPES_H
#define PVGUEST_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define pv_inline     static inline __attribute__((always_inline))
#define pv_packed     __attribute__((packed))
#define pv_aligned(n) __attribute__((aligned(n)))
#define pv_barrier()  __asm__ volatile("" ::: "memory")
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Shared memory changes under the reader: one access, of the declared width. */
#define pv_load(p)     (*(const volatile __typeof__(*(p)) *)(p))
#define pv_store(p, v) (*(volatile __typeof__(*(p)) *)(p) = (v))

pv_inline uint64_t pv_rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

#endif
