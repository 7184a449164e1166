/* SPDX-License-Identifier: MIT */
/* What system time starts from: a timer of known rate, and the clock on the board. */
#ifndef HV_DEV_CLOCK_H
#define HV_DEV_CLOCK_H

#include <hv/types.h>

/* A counter that goes up and wraps; `mask` says where. */
struct reference {
    const char *name;
    uint64_t hz;
    uint32_t mask;
    uint32_t (*read)(void);
};
/* The best one that this machine has, started. (dev/reference.c) */
const struct reference *reference_find(void);

/* Reads the wallclock; system time runs already. (dev/wallclock.c) */
void wallclock_init(void);

#endif
