/* SPDX-License-Identifier: MIT */
/* dom0's memory: how much, which, and the two tables that translate its numbers. */
#include <string.h>

#include <hv/print.h>

#include "build.h"

#define MIB(n) ((uint64_t)(n) << (20 - PAGE_SHIFT)) /* in pages */

/* What stays for the hypervisor, for other domains' small needs and for exchanges, if nobody says
 * how much dom0 shall get. */
static uint64_t reserve(void)
{
    return MIN(MIN(MAX(heap_total_frames() / 16, MIB(64)), MIB(128)), heap_free_frames() / 2);
}

static uint64_t wanted_pages(void)
{
    uint64_t free = heap_free_frames(), pages = free - reserve();
    uint64_t most = free - MIN(free, MIB(8)); /* page tables, vCPUs, grant tables */

    if (options.dom0_mem != ~0ull)
        pages = options.dom0_mem >> PAGE_SHIFT;
    else if (options.dom0_mem_max != ~0ull)
        pages = MIN(pages, options.dom0_mem_max >> PAGE_SHIFT);
    if (pages > most) {
        printk(LOG_WARN, "dom0_mem asks for %lu MiB; %lu are free, dom0 gets %lu", pages / MIB(1),
               free / MIB(1), most / MIB(1));
        pages = most;
    }
    return pages;
}

/* Runs are sorted by frame while they are collected, neighbours merged. */
static void add_run(struct builder *b, uint64_t n, uint64_t pages)
{
    unsigned i = b->run_count;

    while (i && b->run[i - 1].mfn > n)
        i--;
    if (i && b->run[i - 1].mfn + b->run[i - 1].pages == n) {
        struct run *r = &b->run[i - 1];

        r->pages += pages;
        if (i < b->run_count && r->mfn + r->pages == b->run[i].mfn) {
            r->pages += b->run[i].pages;
            memmove(&b->run[i], &b->run[i + 1], (--b->run_count - i) * sizeof(*r));
        }
    } else if (i < b->run_count && n + pages == b->run[i].mfn) {
        b->run[i].mfn = n;
        b->run[i].pages += pages;
    } else {
        if (b->run_count == MAX_RUNS)
            panic("free memory is in more than %u pieces: dom0 cannot be built", MAX_RUNS);
        memmove(&b->run[i + 1], &b->run[i], (b->run_count++ - i) * sizeof(b->run[0]));
        b->run[i] = (struct run){n, pages};
    }
}

/* The largest comes first: there the kernel and whatever wants to be contiguous go. */
static void sort_by_size(struct builder *b)
{
    for (unsigned i = 1; i < b->run_count; i++) {
        struct run r = b->run[i];
        unsigned j = i;

        for (; j && b->run[j - 1].pages < r.pages; j--)
            b->run[j] = b->run[j - 1];
        b->run[j] = r;
    }
}

/* Largest blocks first. What was never used is taken as it is; whatever the firmware left there is
 * none of our secrets. */
void build_memory(struct builder *b)
{
    uint64_t left = b->nr_pages = wanted_pages(), limit = options.dom0_mem_max >> PAGE_SHIFT;
    unsigned order = HEAP_ORDER_MAX;
    mfn_t m;

    b->d->max_pages = options.dom0_mem_max == ~0ull ? left : MAX(left, limit);
    while (left) {
        while (1ull << order > left)
            order--;
        if (!domain_alloc_frames(b->d, order, HEAP_ANY_BITS | HEAP_AS_FOUND, &m)) {
            add_run(b, m.n, 1ull << order);
            left -= 1ull << order;
        } else if (!order--) {
            panic("%lu of dom0's %lu pages cannot be allocated", left, b->nr_pages);
        }
    }
    sort_by_size(b);
}

/* The run that pfn is in, and how far in. */
static const struct run *find_run(const struct builder *b, uint64_t pfn, uint64_t *offset)
{
    for (const struct run *r = b->run; r < b->run + b->run_count; r++) {
        if (pfn < r->pages) {
            *offset = pfn;
            return r;
        }
        pfn -= r->pages;
    }
    return NULL;
}

mfn_t build_mfn(const struct builder *b, uint64_t pfn)
{
    uint64_t offset;
    const struct run *r = find_run(b, pfn, &offset);

    BUG_ON(!r);
    return mfn(r->mfn + offset);
}

bool build_copy(const struct builder *b, uint64_t addr, const void *src, uint64_t len)
{
    while (len) {
        uint64_t offset, n;
        const struct run *r = find_run(b, addr >> PAGE_SHIFT, &offset);
        char *dst;

        if (!r)
            return false;
        n = MIN(len, ((r->pages - offset) << PAGE_SHIFT) - addr % PAGE_SIZE);
        dst = (char *)mfn_va(mfn(r->mfn + offset)) + addr % PAGE_SIZE;
        if (src) {
            memcpy(dst, src, n);
            src = (const char *)src + n;
        } else {
            memset(dst, 0, n);
        }
        addr += n;
        len -= n;
    }
    return true;
}

void build_p2m(const struct builder *b)
{
    uint64_t pfn = 0, *list = NULL;

    for (const struct run *r = b->run; r < b->run + b->run_count; r++) {
        for (uint64_t n = r->mfn; n < r->mfn + r->pages; n++, pfn++) {
            if (pfn % 512 == 0)
                list = mfn_va(build_mfn(b, b->p2m_pfn + pfn / 512));
            list[pfn % 512] = n;
            m2p_set(mfn(n), pfn);
        }
    }
    for (; pfn % 512; pfn++)
        list[pfn % 512] = INVALID_P2M;
}
