/* SPDX-License-Identifier: MIT */
/* What lock.c, log.c, panic.c and symbols.c share. */
#ifndef HV_LIB_PANIC_H
#define HV_LIB_PANIC_H

#include <hv/types.h>

/* Set once a panic tells: it does not wait for locks any more. */
extern bool panicking;

/* False: the boot CPU is still on its boot stack, where `current` means nothing. */
bool on_vcpu(void);

/* Name of the function that holds an address of the hypervisor's code, and the offset in it; NULL:
 * none. (lib/symbols.c) */
const char *symbol_lookup(uint64_t addr, uint64_t *offset);

#endif
