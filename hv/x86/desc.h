/* SPDX-License-Identifier: MIT */
/* Segment descriptors. */
#ifndef HV_X86_DESC_H
#define HV_X86_DESC_H

#include <hv/types.h>

#define DESC_P       (1ull << 47)
#define DESC_S       (1ull << 44) /* code or data, not a system descriptor */
#define DESC_DPL     (3ull << 45)
#define DESC_ACCESSED (1ull << 40)
#define DESC_CODE64_R3 0x00affb000000ffffull
#define DESC_CODE32_R3 0x00cffb000000ffffull
#define DESC_DATA_R3   0x00cff3000000ffffull
#define DESC_CODE64_R0 0x00af9b000000ffffull
#define DESC_DATA_R0   0x00cf93000000ffffull

#define DESCS_PER_PAGE 512

/* System descriptors (LDT, TSS; 0x2 and 0x9) take two entries: the upper half of the base follows. */
static inline uint64_t desc_system_low(uint64_t base, uint32_t limit, unsigned type)
{
    return (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)type << 40 | DESC_P |
           (uint64_t)(limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
}

/* Makes a guest's descriptor fit for use in ring 3: privilege levels below 3 are raised. False: a system descriptor
 * that the processor would act upon. */
static inline bool desc_fix(uint64_t *d)
{
    if (!(*d & DESC_P))
        return true;
    if (!(*d & DESC_S))
        return false;
    *d |= DESC_DPL | DESC_ACCESSED;
    return true;
}

#endif
