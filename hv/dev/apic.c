/* SPDX-License-Identifier: MIT */
/* The local APIC: end of interrupt, interrupts between CPUs, and each CPU's timer. x2APIC mode
 * where there is one. */
#include <hv/cpu.h>
#include <hv/init.h>
#include <hv/print.h>
#include <hv/x86.h>

#include "../x86/cpuid.h"
#include "acpi.h"
#include "irq.h"

/* Registers, by their offsets in the memory page; in x2APIC mode MSR 0x800 + offset / 16. */
#define APIC_ID          0x020
#define APIC_TPR         0x080
#define APIC_EOI         0x0b0
#define APIC_SPURIOUS    0x0f0
#define APIC_ESR         0x280
#define APIC_ICR         0x300
#define APIC_ICR_HIGH    0x310
#define APIC_LVT_TIMER   0x320
#define APIC_LVT_LINT0   0x350
#define APIC_LVT_LINT1   0x360
#define APIC_LVT_ERROR   0x370
#define APIC_TIMER_START 0x380
#define APIC_TIMER_NOW   0x390
#define APIC_TIMER_DIV   0x3e0
#define X2APIC_MSR(reg)  (0x800 + ((reg) >> 4))

#define APIC_BASE_X2     (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)
#define SPURIOUS_ENABLE  0x100u
#define ICR_BUSY         0x1000u
#define LVT_NMI          0x400u
#define LVT_MASKED       0x10000u
#define LVT_TSC_DEADLINE 0x40000u
#define DIVIDE_BY_1      0xb
#define MSR_TSC_DEADLINE 0x6e0

#define CPUID1_ECX_X2APIC       (1u << 21)
#define CPUID1_ECX_TSC_DEADLINE (1u << 24)

/* A deadline farther away than this makes the timer fire early, and be set again. */
#define TIMER_FARTHEST 0x7fffffffu

static volatile uint32_t *regs; /* NULL: x2APIC mode */
static bool tsc_deadline;
static uint64_t timer_rate; /* ticks (of the TSC in TSC-deadline mode) for 2^24 ns */

static always_inline uint32_t apic_read(unsigned reg)
{
    return regs ? regs[reg / 4] : (uint32_t)rdmsr(X2APIC_MSR(reg));
}

static always_inline void apic_write(unsigned reg, uint32_t v)
{
    if (regs)
        regs[reg / 4] = v;
    else
        wrmsr(X2APIC_MSR(reg), v);
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

unsigned apic_id(void)
{
    return regs ? regs[APIC_ID / 4] >> 24 : (unsigned)rdmsr(X2APIC_MSR(APIC_ID));
}

void apic_send_ipi(unsigned cpu, unsigned vector)
{
    uint64_t to = percpu_of[cpu]->apic_id;

    if (!regs) {
        __asm__ volatile("mfence" ::
                             : "memory"); /* the MSR write does not wait for earlier stores */
        wrmsr(X2APIC_MSR(APIC_ICR), to << 32 | vector);
        return;
    }
    while (regs[APIC_ICR / 4] & ICR_BUSY)
        cpu_pause();
    regs[APIC_ICR_HIGH / 4] = (uint32_t)to << 24;
    regs[APIC_ICR / 4] = vector;
}

void apic_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    uint32_t features = cpuid_host.basic[1].c;

    tsc_deadline = features & CPUID1_ECX_TSC_DEADLINE;
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    if (features & CPUID1_ECX_X2APIC)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
    else if (!regs)
        regs = (volatile uint32_t *)map_device(acpi.lapic_maddr, PAGE_SIZE);
    this_cpu()->apic_id = apic_id();
    this_cpu()->timer_programmed = ~0ull;
    apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_LINT0, acpi.nmi_pins & 1 ? LVT_NMI : LVT_MASKED);
    apic_write(APIC_LVT_LINT1, acpi.nmi_pins & 2 ? LVT_NMI : LVT_MASKED);
    apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
    apic_write(APIC_ESR, 0);
    apic_write(APIC_TIMER_DIV, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (tsc_deadline ? LVT_TSC_DEADLINE : 0));
    __asm__ volatile("mfence" ::: "memory"); /* before the first write to the deadline MSR */
}

void apic_timer_start(void)
{
    apic_write(APIC_TIMER_START, ~0u);
}

uint32_t apic_timer_elapsed(void)
{
    return ~0u - apic_read(APIC_TIMER_NOW);
}

void apic_timer_rate(uint64_t apic_hz, uint64_t tsc_hz)
{
    apic_write(APIC_TIMER_START, 0);
    timer_rate = ((tsc_deadline ? tsc_hz : apic_hz) << 24) / 1000000000;
    printk(LOG_INFO, "local APIC %u in %s mode, timer: %s %lu kHz", apic_id(),
           regs ? "xAPIC" : "x2APIC", tsc_deadline ? "TSC deadline" : "one-shot",
           (tsc_deadline ? tsc_hz : apic_hz) / 1000);
}

void apic_timer_set(uint64_t deadline_ns)
{
    uint64_t now, ticks;

    if (deadline_ns == ~0ull) {
        if (tsc_deadline)
            wrmsr(MSR_TSC_DEADLINE, 0);
        else
            apic_write(APIC_TIMER_START, 0);
        return;
    }
    now = now_ns();
    ticks = deadline_ns > now ? deadline_ns - now : 0;
    ticks = (MIN(ticks, TIMER_FARTHEST) * timer_rate >> 24) + 1;
    if (tsc_deadline)
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + ticks);
    else
        apic_write(APIC_TIMER_START, (uint32_t)MIN(ticks, ~0u));
}
