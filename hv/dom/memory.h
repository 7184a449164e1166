/* SPDX-License-Identifier: MIT */
/* What memory_op.c and memory_exchange.c share. */
#ifndef HV_DOM_MEMORY_H
#define HV_DOM_MEMORY_H

#include <hv/types.h>

long memory_exchange(uint64_t arg);
long memory_acquire_resource(uint64_t arg);
unsigned extent_addr_bits(uint32_t mem_flags); /* of heap_alloc() */
void m2p_set_extent(mfn_t first, uint64_t pfn, unsigned order);

#endif
