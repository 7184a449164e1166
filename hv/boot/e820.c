/* SPDX-License-Identifier: MIT */
/* The firmware's memory map made sorted and free of overlaps: a walk through the address space. */
#include <hv/print.h>
#include "boot.h"

/* Of a map's entries that cover addr, the highest type (RAM has the lowest); and where that may
 * next change. 0: none. */
static uint32_t type_at(const struct e820_entry *map, unsigned count, uint64_t addr, uint64_t *next)
{
    uint32_t type = 0;

    *next = ~0ull;
    for (const struct e820_entry *e = map; e < map + count; e++) {
        uint64_t end = e->addr + e->size;

        if (e->addr > addr) {
            *next = MIN(*next, e->addr);
        } else if (end > addr) {
            *next = MIN(*next, end);
            type = MAX(type, e->type);
        }
    }
    return type;
}

void e820_set(const struct e820_entry *map, unsigned count)
{
    struct e820_entry *last = NULL;

    for (uint64_t addr = 0, next; addr != ~0ull; addr = next) {
        uint32_t type = type_at(map, count, addr, &next);

        if (!type)
            continue;
        if (last && last->type == type && last->addr + last->size == addr) {
            last->size += next - addr;
            continue;
        }
        if (boot_info.e820_count == E820_MAX)
            panic("the firmware's memory map has more than %u entries", E820_MAX);
        last = &boot_info.e820[boot_info.e820_count++];
        *last = (struct e820_entry){addr, next - addr, type};
    }
}
