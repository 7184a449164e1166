/* SPDX-License-Identifier: MIT */
/* Guests' debug registers. Breakpoints never reach hypervisor space, whole width included, and DR7 holds only bits that mean
 * something; so loading them needs no further thought. */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include "context.h"

#define DR7_FIXED    0x400ull
#define DR7_GD       0x2000ull
#define DR7_ENABLE   0xffull
#define DR7_RESERVED 0xd800ull
#define DR6_FIXED    0xffff0ff0ull
#define DR6_BITS     0xe00full

#define WRITE_DR(n, value) __asm__ volatile("mov %0, %%dr" #n ::"r"(value))

void debugreg_load(const struct vcpu *v)
{
    if (v->dr_active) {
        WRITE_DR(0, v->dr[0]);
        WRITE_DR(1, v->dr[1]);
        WRITE_DR(2, v->dr[2]);
        WRITE_DR(3, v->dr[3]);
    }
    WRITE_DR(7, v->dr[7] | DR7_FIXED);
}

static bool dr7_ok(uint64_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned kind = v >> (16 + 4 * i) & 3;

        if (!(v >> (2 * i) & 3))
            continue;
        if (kind == 2 || (kind == 0 && (v >> (18 + 4 * i) & 3))) /* I/O; wide execution */
            return false;
    }
    return !(v >> 32);
}

int debugreg_set(struct vcpu *v, unsigned reg, uint64_t value)
{
    switch (reg) {
    case 0 ... 3:
        if (!guest_range_ok(value, 8))
            return -XEN_EPERM;
        v->dr[reg] = value;
        break;
    case 4:
    case 6:
        v->dr[6] = (value & DR6_BITS) | DR6_FIXED;
        return 0;
    case 5:
    case 7:
        value &= ~(DR7_RESERVED | DR7_GD | DR7_FIXED);
        if (!dr7_ok(value))
            return -XEN_EPERM;
        if (!(value & DR7_ENABLE))
            value = 0;
        v->dr[7] = value;
        v->dr_active = value;
        break;
    default:
        return -XEN_EINVAL;
    }
    if (v == current && v->dr_active)
        debugreg_load(v);
    else if (v == current && reg >= 5)
        WRITE_DR(7, DR7_FIXED);
    return 0;
}

uint64_t debugreg_get(const struct vcpu *v, unsigned reg)
{
    switch (reg) {
    case 0 ... 3:
        return v->dr[reg];
    case 4:
    case 6:
        return v->dr[6] | DR6_FIXED;
    default:
        return v->dr[7] | DR7_FIXED;
    }
}

long do_set_debugreg(uint64_t reg, uint64_t value)
{
    int rc = reg < 8 ? debugreg_set(current, (unsigned)reg, value) : -XEN_EINVAL;

    return rc ? refuse(rc,
                       "debug register %lu, value %#lx: breakpoints lie in the guest's own space, without I/O ones; "
                       "registers 0-3, 6 and 7 exist",
                       reg, value)
              : 0;
}

long do_get_debugreg(uint64_t reg)
{
    if (reg >= 8)
        return refuse(-XEN_EINVAL, "debug register %lu: registers 0-3, 6 and 7 exist", reg);
    return (long)debugreg_get(current, (unsigned)reg);
}
