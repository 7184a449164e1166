/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for. Not for host builds. */
#ifndef HV_X86_H
#define HV_X86_H

#include <hv/types.h>

#define CR0_MP 0x2ull
#define CR0_TS 0x8ull
#define CR0_NE 0x20ull
#define CR0_WP 0x10000ull
#define CR0_PG 0x80000000ull
#define CR0_PE 0x1ull
#define CR0_ET 0x10ull

#define CR4_DE         0x8ull
#define CR4_PAE        0x20ull
#define CR4_MCE        0x40ull
#define CR4_PGE        0x80ull
#define CR4_OSFXSR     0x200ull
#define CR4_OSXMMEXCPT 0x400ull
#define CR4_OSXSAVE    0x40000ull
#define CR4_SMEP       0x100000ull

#define MSR_PRED_CMD  0x49
#define PRED_CMD_IBPB 1
#define MSR_APIC_BASE 0x1b
#define MSR_PAT       0x277
#define MSR_EFER      0xc0000080
#define MSR_STAR      0xc0000081
#define MSR_LSTAR     0xc0000082
#define MSR_CSTAR     0xc0000083
#define MSR_FMASK     0xc0000084
#define MSR_FS_BASE   0xc0000100
#define MSR_GS_BASE   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX   0xc0000103

static always_inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}
static always_inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
/* False: the processor does not have it (or faults on the value). x86/access.S */
bool wrmsr_safe(uint32_t msr, uint64_t v);

static always_inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

#define DEFINE_CR(n)                                                                               \
    static always_inline uint64_t read_cr##n(void)                                                 \
    {                                                                                              \
        uint64_t v;                                                                                \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)::"memory");                                \
        return v;                                                                                  \
    }                                                                                              \
    static always_inline void write_cr##n(uint64_t v)                                              \
    {                                                                                              \
        __asm__ volatile("mov %0, %%cr" #n ::"r"(v) : "memory");                                   \
    }
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

#define DEFINE_PORT(bits, suffix, reg)                                                             \
    static always_inline void out##bits(uint16_t port, uint##bits##_t v)                           \
    {                                                                                              \
        __asm__ volatile("out" suffix " %" reg "0, %w1" ::"a"(v), "Nd"(port));                     \
    }                                                                                              \
    static always_inline uint##bits##_t in##bits(uint16_t port)                                    \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
        __asm__ volatile("in" suffix " %w1, %" reg "0" : "=a"(v) : "Nd"(port));                    \
        return v;                                                                                  \
    }
DEFINE_PORT(8, "b", "b")
DEFINE_PORT(16, "w", "w")
DEFINE_PORT(32, "l", "k")
#undef DEFINE_PORT

static always_inline void invlpg(uint64_t va)
{
    __asm__ volatile("invlpg %0" ::"m"(*(const char *)va) : "memory");
}
static always_inline void irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}
static always_inline void cpu_pause(void)
{
    __asm__ volatile("pause" ::: "memory");
}

#endif
