/* SPDX-License-Identifier: MIT */
/* Vectors: who gets an interrupt. */
#include <hv/cpu.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>

#include "irq.h"

#define PIC1_DATA    0x21
#define PIC2_DATA    0xa1
#define VECTOR_INT80 0x80 /* its gate is open to user mode */
#define STRAYS_TOLD  8

struct vector {
    void (*fn)(unsigned arg); /* NULL: nobody expects it */
    unsigned arg;
};

struct spinlock irq_lock = SPINLOCK_INIT(RANK_IRQ);

static void serve_timer(unsigned arg)
{
    timer_interrupt();
}

static void serve_flush(unsigned arg)
{
    if (__atomic_exchange_n(&this_cpu()->flush_requested, false, __ATOMIC_SEQ_CST))
        tlb_flush_local();
}

/* The way back from the interrupt looks at run queue and work. */
static void serve_reschedule(unsigned arg)
{
}

static void serve_error(unsigned arg)
{
    printk(LOG_WARN, "the local APIC reports an error");
}

static struct vector vectors[256] = {
    /* lock: irq; read without */
    [VECTOR_TIMER] = {serve_timer, 0}, [VECTOR_UART] = {uart_interrupt, 0},
    [VECTOR_FLUSH] = {serve_flush, 0}, [VECTOR_RESCHEDULE] = {serve_reschedule, 0},
    [VECTOR_ERROR] = {serve_error, 0},
};

/* Goes round, so that a vector just freed, whose last interrupt may still be under way, is not
 * reused soon. */
uint8_t vector_alloc(void (*fn)(unsigned), unsigned arg)
{
    static uint8_t last = VECTOR_DEVICE_LAST;

    for (unsigned tries = VECTOR_DEVICE_FIRST; tries <= VECTOR_DEVICE_LAST; tries++) {
        last = last == VECTOR_DEVICE_LAST ? VECTOR_DEVICE_FIRST : (uint8_t)(last + 1);
        if (vectors[last].fn || last == VECTOR_INT80)
            continue;
        vectors[last].arg = arg;
        __atomic_store_n(&vectors[last].fn, fn, __ATOMIC_RELEASE);
        return last;
    }
    return 0;
}

void vector_free(uint8_t vector)
{
    __atomic_store_n(&vectors[vector].fn, NULL, __ATOMIC_RELEASE);
}

static void tell_stray(unsigned vector)
{
    static unsigned told;

    if (__atomic_fetch_add(&told, 1, __ATOMIC_RELAXED) < STRAYS_TOLD)
        printk(LOG_WARN, "interrupt on vector %#x, which nobody uses", vector);
}

void irq_handle(unsigned vector)
{
    void (*fn)(unsigned) = __atomic_load_n(&vectors[vector].fn, __ATOMIC_ACQUIRE);

    if (vector == VECTOR_SPURIOUS)
        return; /* was never in service */
    if (fn)
        fn(vectors[vector].arg);
    else
        tell_stray(vector);
    apic_eoi();
}

void irq_init(void)
{
    out8(PIC1_DATA, 0xff);
    out8(PIC2_DATA, 0xff);
}
