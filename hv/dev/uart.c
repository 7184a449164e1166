/* SPDX-License-Identifier: MIT */
/* The console: a 16550 at COM1. Output is polled, so that a panic can speak; input comes by
 * interrupt. */
#include <hv/dev.h>
#include <hv/domain.h>
#include <hv/init.h>
#include <pvabi/xen.h>

#include "irq.h"

#define COM1     0x3f8
#define UART_THR (COM1 + 0) /* written; read: RBR; with DLAB: divisor */
#define UART_IER (COM1 + 1)
#define UART_FCR (COM1 + 2)
#define UART_LCR (COM1 + 3)
#define UART_MCR (COM1 + 4)
#define UART_LSR (COM1 + 5)

#define IER_RECEIVED  0x01
#define FCR_ENABLE    0x07 /* enable both FIFOs, empty them */
#define LCR_8N1       0x03
#define LCR_DLAB      0x80
#define MCR_CONNECT   0x0b /* DTR, RTS; OUT2 lets interrupts through */
#define LSR_RECEIVED  0x01
#define LSR_THR_EMPTY 0x20
#define UART_CLOCK    115200u
#define UART_FIFO     16
#define UART_ISA_IRQ  4

static bool present;

/* What was typed; indices run freely. Lock: input_lock. */
static char input[256];
static uint32_t input_head, input_tail;
static struct spinlock input_lock = SPINLOCK_INIT(RANK_CONSOLE);

void uart_init(void)
{
    unsigned baud = options.com1_baud ? MIN(options.com1_baud, UART_CLOCK) : UART_CLOCK;
    uint16_t divisor = (uint16_t)MIN(UART_CLOCK / baud, 0xffffu);

    present = in8(UART_LSR) != 0xff;
    if (!present)
        return;
    out8(UART_IER, 0);
    out8(UART_LCR, LCR_DLAB | LCR_8N1);
    out8(UART_THR, (uint8_t)divisor);
    out8(UART_IER, (uint8_t)(divisor >> 8));
    out8(UART_LCR, LCR_8N1);
    out8(UART_FCR, FCR_ENABLE);
    out8(UART_MCR, MCR_CONNECT);
}

/* A FIFO's worth for each look at the line status; string output because it costs one instruction a
 * byte. */
static void write_raw(const char *s, size_t len)
{
    while (len) {
        size_t n = MIN(len, (size_t)UART_FIFO);

        len -= n;
        while (!(in8(UART_LSR) & LSR_THR_EMPTY))
            cpu_pause();
        __asm__ volatile("rep outsb" : "+S"(s), "+c"(n) : "d"(UART_THR) : "memory");
    }
}

void uart_write(const char *s, size_t len)
{
    const char *end = s + len, *line = s;

    if (!present)
        return;
    for (; s < end; s++) {
        if (*s == '\n') {
            write_raw(line, (size_t)(s - line));
            write_raw("\r\n", 2);
            line = s + 1;
        }
    }
    write_raw(line, (size_t)(end - line));
}

void uart_interrupt(unsigned arg)
{
    lock(&input_lock);
    while (in8(UART_LSR) & LSR_RECEIVED) {
        char c = (char)in8(UART_THR);

        if (input_head - input_tail < sizeof(input))
            input[input_head++ % sizeof(input)] = c;
    }
    unlock(&input_lock);
    send_global_virq(VIRQ_CONSOLE);
}

size_t uart_read(char *buf, size_t size)
{
    size_t n = 0;

    lock(&input_lock);
    while (n < size && input_head != input_tail)
        buf[n++] = input[input_tail++ % sizeof(input)];
    unlock(&input_lock);
    return n;
}

void uart_irq_init(void)
{
    unsigned gsi = isa_gsi(UART_ISA_IRQ);

    lock(&irq_lock);
    if (present && gsi_valid(gsi) && gsi_route(gsi, VECTOR_UART)) {
        gsi_unmask(gsi);
        out8(UART_IER, IER_RECEIVED);
    }
    unlock(&irq_lock);
}
