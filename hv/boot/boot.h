/* SPDX-License-Identifier: MIT */
/* Between the files of boot/. */
#ifndef HV_BOOT_H
#define HV_BOOT_H

#include <hv/types.h>

/* Fills boot_info from what a multiboot 1 loader left: EAX and EBX at the start. Copies all
 * strings. */
void multiboot_read(uint32_t magic, uint32_t info_maddr);

/* Called by head.S. */
noreturn void start_hv(uint32_t magic, uint32_t info_maddr);

#endif
