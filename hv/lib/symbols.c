/* SPDX-License-Identifier: MIT */
/* The table of function names that tools/symtab made and the second link put into the image. */
#include <string.h>

#include "panic.h"

extern const char image_text[], image_rodata[];

/* Offsets from image_text, rising; behind them as many names, each ended by a zero. */
extern const struct {
    uint32_t count;
    uint32_t offset[];
} symbol_table;

const char *symbol_lookup(uint64_t addr, uint64_t *offset)
{
    const char *name = (const char *)&symbol_table.offset[symbol_table.count];
    uint32_t rel = (uint32_t)(addr - (uint64_t)image_text), i = 0;

    if (addr < (uint64_t)image_text || addr >= (uint64_t)image_rodata || !symbol_table.count)
        return NULL;
    for (; i + 1 < symbol_table.count && symbol_table.offset[i + 1] <= rel; i++)
        name += strlen(name) + 1;
    *offset = rel - symbol_table.offset[i];
    return name;
}
