/* SPDX-License-Identifier: MIT */
/* The two 8259 interrupt controllers, their 16 lines at vectors 32 to 47. */
#include "native.h"

#define PIC1     0x20
#define PIC2     0xa0
#define CASCADE  2
#define HANDLERS 4
#define EOI      0x20

static irq_handler *handlers[16][HANDLERS];

void irq_init(void)
{
    static const struct {
        uint8_t port, value;
    } setup[] = {
        {PIC1, 0x11},
        {PIC2, 0x11}, /* cascaded, four words follow */
        {PIC1 + 1, 32},
        {PIC2 + 1, 40}, /* first vectors */
        {PIC1 + 1, 1 << CASCADE},
        {PIC2 + 1, CASCADE},
        {PIC1 + 1, 1},
        {PIC2 + 1, 1}, /* 8086 mode */
        {PIC1 + 1, 0xff & ~(1 << CASCADE)},
        {PIC2 + 1, 0xff},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(setup); i++)
        out8(setup[i].port, setup[i].value);
}

void irq_request(unsigned line, irq_handler *handler)
{
    uint16_t mask = line < 8 ? PIC1 + 1 : PIC2 + 1;

    for (unsigned i = 0; i < HANDLERS; i++)
        if (!handlers[line][i]) {
            handlers[line][i] = handler;
            break;
        }
    out8(mask, in8(mask) & ~(1 << line % 8));
}

void irq_dispatch(unsigned line)
{
    for (unsigned i = 0; i < HANDLERS && handlers[line][i]; i++)
        handlers[line][i]();
    if (line >= 8)
        out8(PIC2, EOI);
    out8(PIC1, EOI);
}
