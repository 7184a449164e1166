/* SPDX-License-Identifier: MIT */
/* Memory while the machine starts: between memory.c and map.c. */
#ifndef HV_MM_BOOT_H
#define HV_MM_BOOT_H

#include <hv/mm.h>

/* Leaf entries of the hypervisor. */
#define HV_RO     (PTE_P | PTE_A | PTE_D | PTE_G | PTE_NX)
#define HV_RW     (HV_RO | PTE_RW)
#define HV_RX     (HV_RO & ~PTE_NX)
#define HV_DEVICE ((HV_RW | PTE_PCD | PTE_PWT) & ~PTE_G)

/* The image by its linker script, hv/paravane.lds. */
extern char image_text[], image_rodata[], image_data[], image_end[];

#define SIZE_2M (1ull << 21)
#define SIZE_1G (1ull << 30)

/* Memory that nobody else will ever get, aligned to its size and below `limit`. Panics if there is
 * none. */
uint64_t boot_alloc(uint64_t size, uint64_t limit);

/* Makes hv_root with everything but frame table and M2P, and loads it. */
void map_init(void);

/* Maps with the largest pages that alignment allows; size is a multiple of 4 KiB. `pte`: the leaf
 * entries' flags. */
void boot_map(uint64_t va, uint64_t maddr, uint64_t size, uint64_t pte);

#endif
