/* SPDX-License-Identifier: MIT */
/* Types and address arithmetic that every kernel file needs. */
#ifndef MINOS_TYPES_H
#define MINOS_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* address in what the kernel takes for physical memory */
typedef uint64_t pte_t;

#define PAGE_SHIFT  12
#define PAGE_SIZE   4096ul
#define KERNEL_BASE 0xffffffff80000000ul /* here all memory is mapped, 1 GiB at most */
#define MEMORY_MAX  (1ul << 30)

#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define ROUND_UP(x, to)   (((x) + (to)-1) / (to) * (to))
#define ROUND_DOWN(x, to) ((x) / (to) * (to))
#define NSEC_PER_SEC      1000000000ul
#define NSEC_PER_MSEC     1000000ul

static inline void *phys_to_virt(paddr_t p)
{
    return (void *)(p + KERNEL_BASE);
}

static inline paddr_t virt_to_phys(const void *v)
{
    return (uintptr_t)v - KERNEL_BASE;
}

#endif
