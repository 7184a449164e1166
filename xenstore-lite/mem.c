/* SPDX-License-Identifier: MIT */
/* The reserve of memory: more than any single request can need (a path of 1536 names, all copied).
 */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define RESERVE (4u << 20)

static void *reserve;

void mem_init(void)
{
    if (!reserve)
        reserve = malloc(RESERVE);
}

bool mem_low(void)
{
    if (!reserve)
        mem_init();
    return !reserve;
}

void *mem_realloc(void *p, size_t size)
{
    void *q = realloc(p, size);

    if (q)
        return q;
    free(reserve);
    reserve = NULL;
    q = realloc(p, size);
    if (!q)
        abort(); /* the journal brings the store back */
    return q;
}

void *mem_alloc(size_t size)
{
    void *p = malloc(size);

    return p ? p : mem_realloc(NULL, size);
}

void *mem_zalloc(size_t size)
{
    return memset(mem_alloc(size), 0, size);
}
