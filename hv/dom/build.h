/* SPDX-License-Identifier: MIT */
/* Inside of the dom0 builder.
 *
 * dom0's pseudo-physical memory is a row of machine-contiguous runs. What lies in its bootstrap
 * map, from pfn 0 on at VIRT_BASE (in this order, each part page-aligned; those in brackets only if
 * the kernel cannot do without):
 *
 *   kernel  [initrd]  [p2m]  start_info  page tables, root first  stack  up to 4 MiB alignment
 *
 * and behind it, unmapped but for the p2m at INIT_P2M: initrd, p2m, the page tables of that
 * mapping. */
#ifndef HV_DOM_BUILD_H
#define HV_DOM_BUILD_H

#include <hv/domain.h>
#include <hv/init.h>

#include "image.h"

#define MAX_RUNS 128

struct run {
    uint64_t mfn, pages;
};

struct builder {
    struct domain *d;
    uint64_t nr_pages;
    unsigned run_count;
    struct run run[MAX_RUNS];

    struct kernel_image image;
    const struct boot_module *kernel, *initrd; /* initrd: NULL if there is none */

    /* Places, as pfns; sizes in pages. */
    uint64_t initrd_pfn, p2m_pfn, p2m_pages, start_info_pfn, tables_pfn, tables, stack_pfn,
        map_pages;
    uint64_t p2m_tables; /* behind the p2m, if it is mapped at INIT_P2M */
    uint64_t next_table; /* pfn of the next page for a page table */
    uint64_t
        scratch_pfn; /* from here on, to the end of the first run, lies the unpacked kernel file */
    mfn_t root;
};

/* build_memory.c */
void build_memory(struct builder *b); /* creates the runs: dom0's memory */
mfn_t build_mfn(const struct builder *b, uint64_t pfn);
/* Copies into dom0's memory from byte `addr` on; zeros if src is NULL. False: beyond its end. */
bool build_copy(const struct builder *b, uint64_t addr, const void *src, uint64_t len);
void build_p2m(const struct builder *b); /* writes the p2m, and the M2P with it */

/* build_image.c: unpacks the kernel into memory of dom0's that is free yet, and parses it. Panics
 * with a sentence. */
void build_unpack(struct builder *b);
void build_load(struct builder *b); /* its segments to their places */

/* The page of entry points that some kernels make their calls through. */
void build_hypercall_page(uint8_t *page);

/* build_tables.c */
uint64_t tables_needed(uint64_t va, uint64_t end); /* below a root */
void build_tables(struct builder *b);

/* A part of the bootstrap map. */
static inline uint64_t build_va(const struct builder *b, uint64_t pfn)
{
    return b->image.virt_base + (pfn << PAGE_SHIFT);
}
static inline uint64_t pages_of(uint64_t bytes)
{
    return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

#endif
