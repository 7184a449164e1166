/* SPDX-License-Identifier: MIT */
/* Pages for guests without an allocator. A guest that defines pv_pages_alloc and pv_page_alloc of
 * its own does not link this, nor its 16 MiB. */
#include <pvguest/console.h>
#include <pvguest/mm.h>

#define POOL_PAGES 4096

static uint8_t pool[POOL_PAGES][PAGE_SIZE] pv_aligned(4096);
static unsigned pool_used;

void *pv_pages_alloc(unsigned count)
{
    void *first = pool[pool_used];

    if (POOL_PAGES - pool_used < count) {
        pv_printf("pvguest: page pool exhausted\n");
        return NULL;
    }
    pool_used += count;
    memset(first, 0, count * PAGE_SIZE);
    return first;
}

void *pv_page_alloc(void)
{
    return pv_pages_alloc(1);
}

unsigned pv_page_mark(void)
{
    return pool_used;
}

void pv_page_rewind(unsigned mark)
{
    pool_used = mark;
}
