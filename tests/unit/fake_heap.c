/* SPDX-License-Identifier: MIT */
/* The real allocator over the fake machine's frames, with failures at will, and reset with each
 * machine. */
#include "fake.h"

#define heap_alloc real_heap_alloc
#define page_alloc real_page_alloc
mfn_t heap_alloc(unsigned order, unsigned addr_bits);
void *page_alloc(unsigned order);
#include "../../hv/mm/heap.c"
#undef heap_alloc
#undef page_alloc

unsigned fake_alloc_fails;
static uint64_t m2p[FAKE_FRAMES];

static bool fails(void)
{
    return fake_alloc_fails && !--fake_alloc_fails;
}

mfn_t heap_alloc(unsigned order, unsigned addr_bits)
{
    return fails() ? INVALID_MFN : real_heap_alloc(order, addr_bits);
}

void *page_alloc(unsigned order)
{
    return fails() ? NULL : real_page_alloc(order);
}

uint64_t m2p_get(mfn_t m)
{
    return mfn_valid(m) ? m2p[m.n] : INVALID_P2M;
}

void m2p_set(mfn_t m, uint64_t pfn)
{
    m2p[m.n] = pfn;
}

void fake_heap_reset(void)
{
    memset(list, 0, sizeof(list));
    memset(orders, 0, sizeof(orders));
    zones = 0;
    free_frames = total_frames = 0;
    fake_alloc_fails = 0;
    memset(m2p, 0xff, sizeof(m2p));
    heap_add(1, fake_ram);
}
