/* SPDX-License-Identifier: MIT */
/* Between the files of boot/. */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <hv/init.h>

/* Fills boot_info from what a multiboot 1 loader left: EAX and EBX at the start. Copies all
 * strings. */
void multiboot_read(uint32_t magic, uint32_t info_maddr);

/* boot_info.e820 from entries in any order, which may overlap but not wrap. */
void e820_set(const struct e820_entry *map, unsigned count);

/* Called by head.S. */
noreturn void start_hv(uint32_t magic, uint32_t info_maddr);

#endif
