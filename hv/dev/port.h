/* SPDX-License-Identifier: MIT */
/* I/O ports by a width known only at run time: 1, 2 or 4 bytes. */
#ifndef HV_DEV_PORT_H
#define HV_DEV_PORT_H

#include <hv/x86.h>

static inline uint32_t all_ones(unsigned bytes)
{
    return ~0u >> (32 - 8 * bytes);
}

static inline uint32_t port_in(unsigned port, unsigned bytes)
{
    switch (bytes) {
    case 1:
        return in8((uint16_t)port);
    case 2:
        return in16((uint16_t)port);
    default:
        return in32((uint16_t)port);
    }
}

static inline void port_out(unsigned port, unsigned bytes, uint32_t value)
{
    switch (bytes) {
    case 1:
        out8((uint16_t)port, (uint8_t)value);
        break;
    case 2:
        out16((uint16_t)port, (uint16_t)value);
        break;
    default:
        out32((uint16_t)port, value);
    }
}

#endif
