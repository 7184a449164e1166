/* SPDX-License-Identifier: MIT */
/* Windows: an aligned piece of address space for each CPU and vCPU; layout.h draws both kinds. */
#include <hv/init.h>
#include "context.h"

static uint64_t used[WINDOW_COUNT / 64]; /* atomic bits */

uint64_t window_alloc(unsigned *index)
{
    for (unsigned i = MAX_CPUS; i < WINDOW_COUNT; i++) {
        uint64_t bit = 1ull << (i % 64);

        if (__atomic_fetch_or(&used[i / 64], bit, __ATOMIC_SEQ_CST) & bit)
            continue;
        *index = i;
        return WINDOWS_VA + (uint64_t)i * WINDOW_SIZE;
    }
    return 0;
}

/* Fresh pages at va; their direct-map address is not told: only the window reaches them as what they are. */
int window_map_pages(uint64_t va, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        void *page = page_alloc(0);

        if (!page)
            return -XEN_ENOMEM;
        map_page(va + i * PAGE_SIZE, va_mfn(page), MAP_RW);
    }
    return 0;
}

void window_unmap_pages(uint64_t va, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        mfn_t m = unmap_page(va + i * PAGE_SIZE);

        if (!mfn_eq(m, INVALID_MFN))
            heap_free(m, 0);
    }
}

void window_free(unsigned index)
{
    __atomic_fetch_and(&used[index / 64], ~(1ull << (index % 64)), __ATOMIC_SEQ_CST);
}
