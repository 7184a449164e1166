/* SPDX-License-Identifier: MIT */
/* The log: whole lines to the serial port, one at a time, and to a ring in memory for dom0's tools.
 */
#include <hv/domain.h>
#include <hv/init.h>
#include <hv/print.h>
#include <pvabi/xen.h>
#include "panic.h"

static struct spinlock console_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char line[512]; /* lock: console */

/* Indices run freely. Lock: console. */
static char ring[32768];
static uint32_t ring_head, ring_cleared;
static bool news;

static void ring_write(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ring[ring_head++ % sizeof(ring)] = s[i];
    if (ring_head - ring_cleared > sizeof(ring))
        ring_cleared = ring_head - (uint32_t)sizeof(ring);
    WRITE_ONCE(news, true);
}

/* A panic may come while this or another CPU is telling something: it goes on without the lock. */
static void log_write(const char *fmt, va_list ap)
{
    size_t len;

    if (!panicking)
        lock(&console_lock);
    len = (size_t)snprintf(line, sizeof(line), "(PV) ");
    len += (size_t)vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
    len = MIN(len, sizeof(line) - 2);
    if (line[len - 1] != '\n')
        line[len++] = '\n';
    uart_write(line, len);
    ring_write(line, len);
    if (!panicking)
        unlock(&console_lock);
}

void printk(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    if ((int)level > options.loglvl)
        return;
    va_start(ap, fmt);
    log_write(fmt, ap);
    va_end(ap);
}

size_t log_read(uint32_t *index, char *buf, size_t size)
{
    size_t n = 0;

    lock(&console_lock);
    if (ring_head - *index > sizeof(ring)) /* overwritten since, or never written */
        *index = ring_cleared;
    while (n < size && *index != ring_head)
        buf[n++] = ring[(*index)++ % sizeof(ring)];
    unlock(&console_lock);
    return n;
}

uint32_t log_start(void)
{
    return READ_ONCE(ring_cleared);
}

void log_clear(uint32_t index)
{
    lock(&console_lock);
    if (ring_head - index <= ring_head - ring_cleared)
        ring_cleared = index;
    unlock(&console_lock);
}

void log_announce(void)
{
    if (READ_ONCE(news) && __atomic_exchange_n(&news, false, __ATOMIC_SEQ_CST))
        send_global_virq(VIRQ_CON_RING);
}
