/* SPDX-License-Identifier: MIT */
/* Between the files of the port. */
#ifndef MINOS_PV_H
#define MINOS_PV_H

#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/hypercall.h>
#include <pvguest/lazy.h>
#include <pvguest/mm.h>
#include <pvguest/start.h>
#include <pvguest/time.h>
#include <pvguest/trap.h>

#include "../kernel/machine.h"
#include "../kernel/mem.h"

void trap_init(void); /* trap.c */
/* Maps all memory at KERNEL_BASE; the first byte that the builder and this have left free. */
paddr_t memory_init(void); /* memory.c */
void mmu_init(void);       /* mmu.c; after memory_init */
void devices_init(void);   /* devices.c */

#endif
