/* SPDX-License-Identifier: MIT */
/* The console: the first serial port, 115200 8N1. */
#include "native.h"

#define COM1      0x3f8
#define COM1_LINE 4

static void uart_input(void)
{
    while (in8(COM1 + 5) & 1)
        console_input(in8(COM1));
}

void uart_init(void)
{
    out8(COM1 + 3, 0x80); /* divisor */
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3);
    out8(COM1 + 2, 7);
    out8(COM1 + 4, 0x0b);
    out8(COM1 + 1, 1); /* interrupt on input */
    irq_request(COM1_LINE, uart_input);
}

static void put(char c)
{
    while (!(in8(COM1 + 5) & 0x20))
        ;
    out8(COM1, c);
}

void machine_console_write(const char *s, size_t len)
{
    for (; len--; s++) {
        if (*s == '\n')
            put('\r');
        put(*s);
    }
}
