/* SPDX-License-Identifier: MIT */
/* The log: whole lines to the serial port, one at a time. */
#include <hv/init.h>
#include <hv/lock.h>
#include <hv/print.h>
#include "panic.h"

static struct spinlock console_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char line[512]; /* lock: console */

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
