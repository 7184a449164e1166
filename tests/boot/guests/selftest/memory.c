/* SPDX-License-Identifier: MIT */
/* memory_op as kernels use it: counts, reservations, exchange, maps. */
#include "selftest.h"

#define ORDER 4
#define PAGES (1u << ORDER)

static uint64_t frames[PAGES];

static void check_counts(void)
{
    static uint8_t map[128 * 20];
    domid_t self = DOMID_SELF;
    struct xen_memory_map mm = {.nr_entries = 128};

    CHECK_EQ("current reservation", pv_memory_op(XENMEM_current_reservation, &self),
             pv_start_info->nr_pages);
    CHECK("maximum page", pv_memory_op(XENMEM_maximum_ram_page, NULL) >= (long)pv_p2m[0]);
    PV_SET_PTR(mm.buffer, map);
    CHECK_OK("machine map", pv_memory_op(XENMEM_machine_memory_map, &mm));
    CHECK("entries", mm.nr_entries > 2 && mm.nr_entries <= 128);
    CHECK_EQ("unknown command", pv_memory_op(60, map), -XEN_ENOSYS);
}

static void check_decrease_populate(void)
{
    struct xen_memory_reservation r = {.nr_extents = PAGES, .domid = DOMID_SELF};
    uint8_t *pages = pv_pages_alloc(PAGES);
    uint64_t first_pfn = ((uint64_t)pages - PV_VIRT_BASE) >> PAGE_SHIFT, wrong = 0;
    domid_t self = DOMID_SELF;

    PV_SET_PTR(r.extent_start, frames);
    for (unsigned i = 0; i < PAGES; i++) {
        frames[i] = pv_va_to_mfn(pages + i * PAGE_SIZE);
        pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE, 0, UVMF_INVLPG);
    }
    CHECK_EQ("decrease", pv_memory_op(XENMEM_decrease_reservation, &r), PAGES);
    CHECK_EQ("reservation shrank", pv_memory_op(XENMEM_current_reservation, &self),
             pv_start_info->nr_pages - PAGES);
    CHECK_REFUSED("frame given back cannot be mapped",
                  pv_update_va_mapping((uint64_t)pages, pv_pte(frames[0], PTE_KERNEL), 0));
    for (unsigned i = 0; i < PAGES; i++)
        frames[i] = first_pfn + i;
    CHECK_EQ("populate", pv_memory_op(XENMEM_populate_physmap, &r), PAGES);
    for (unsigned i = 0; i < PAGES; i++) {
        wrong += pv_m2p[frames[i]] != first_pfn + i;
        pv_p2m[first_pfn + i] = frames[i];
        wrong += pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE,
                                      pv_pte(frames[i], PTE_KERNEL), UVMF_INVLPG) != 0;
        memset(pages + i * PAGE_SIZE, i, PAGE_SIZE);
    }
    CHECK_EQ("M2P set, frames mappable", wrong, 0);
    CHECK_EQ("reservation whole again", pv_memory_op(XENMEM_current_reservation, &self),
             pv_start_info->nr_pages);
}

/* As the kernel's swiotlb does: single frames for one contiguous, addressable extent. */
static void check_exchange(void)
{
    uint8_t *pages = pv_pages_alloc(PAGES);
    uint64_t first_pfn = ((uint64_t)pages - PV_VIRT_BASE) >> PAGE_SHIFT, extent = first_pfn;
    struct xen_memory_exchange x = {
        .in = {.nr_extents = PAGES, .domid = DOMID_SELF},
        .out = {.nr_extents = 1, .extent_order = ORDER, .mem_flags = XENMEMF_address_bits(32), .domid = DOMID_SELF}};
    uint64_t wrong = 0;

    PV_SET_PTR(x.in.extent_start, frames);
    PV_SET_PTR(x.out.extent_start, &extent);
    for (unsigned i = 0; i < PAGES; i++) {
        frames[i] = pv_va_to_mfn(pages + i * PAGE_SIZE);
        pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE, 0, UVMF_INVLPG);
    }
    CHECK_OK("exchange", pv_memory_op(XENMEM_exchange, &x));
    CHECK_EQ("all exchanged", x.nr_exchanged, PAGES);
    CHECK("below 4 GiB", extent < 1ul << 20);
    CHECK_EQ("aligned", extent & (PAGES - 1), 0);
    for (unsigned i = 0; i < PAGES; i++) {
        pv_p2m[first_pfn + i] = extent + i;
        wrong += pv_m2p[extent + i] != first_pfn + i;
        wrong += pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE,
                                      pv_pte(extent + i, PTE_KERNEL), UVMF_INVLPG) != 0;
        frames[i] = first_pfn + i;
    }
    CHECK_EQ("contiguous and ours", wrong, 0);
    for (unsigned i = 0; i < PAGES; i++)
        pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE, 0, UVMF_INVLPG);
    x.in.nr_extents = 1;
    x.in.extent_order = ORDER;
    x.out.nr_extents = PAGES;
    x.out.extent_order = 0;
    x.out.mem_flags = 0;
    x.nr_exchanged = 0;
    PV_SET_PTR(x.in.extent_start, &extent);
    PV_SET_PTR(x.out.extent_start, frames);
    CHECK_OK("and back to single frames", pv_memory_op(XENMEM_exchange, &x));
    CHECK_EQ("one extent exchanged", x.nr_exchanged, 1);
    for (unsigned i = 0; i < PAGES; i++) {
        pv_p2m[first_pfn + i] = frames[i];
        wrong += pv_update_va_mapping((uint64_t)pages + i * PAGE_SIZE,
                                      pv_pte(frames[i], PTE_KERNEL), UVMF_INVLPG) != 0;
    }
    CHECK_EQ("mapped", wrong, 0);
    x.out.nr_extents = PAGES / 2;
    x.nr_exchanged = 0;
    CHECK_EQ("sizes that do not match", pv_memory_op(XENMEM_exchange, &x), -XEN_EINVAL);
}

void test_memory(void)
{
    check_counts();
    check_decrease_populate();
    check_exchange();
}
