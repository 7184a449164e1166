/* SPDX-License-Identifier: MIT */
/* From the firmware's memory map to a heap: what is free at boot, the frame table, the
 * machine-to-physical table. */
#include <string.h>

#include <hv/domain.h>
#include <hv/init.h>
#include <hv/print.h>
#include "boot.h"

#define LOW_MEMORY (1ull << 20) /* stays as the firmware left it, for dom0's drivers to look at */

uint64_t frame_max;

/* Free memory while booting: page-aligned, sorted. */
static struct range {
    uint64_t start, end;
} ranges[E820_MAX + 16];
static unsigned range_count;

static void range_insert(unsigned at, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    if (range_count == ARRAY_SIZE(ranges))
        panic("memory is in more than %zu pieces", ARRAY_SIZE(ranges));
    memmove(&ranges[at + 1], &ranges[at], (range_count - at) * sizeof(ranges[0]));
    ranges[at] = (struct range){start, end};
    range_count++;
}

/* Cuts [start, end) out of range i; what remains of it takes its place. */
static void range_cut(unsigned i, uint64_t start, uint64_t end)
{
    struct range r = ranges[i];

    range_count--;
    memmove(&ranges[i], &ranges[i + 1], (range_count - i) * sizeof(ranges[0]));
    range_insert(i, MAX(end, r.start), r.end);
    range_insert(i, r.start, MIN(start, r.end));
}

static void reserve(uint64_t start, uint64_t end)
{
    for (unsigned i = range_count; i-- > 0;) {
        if (start < ranges[i].end && end > ranges[i].start)
            range_cut(i, ROUND_DOWN(start, PAGE_SIZE), ROUND_UP(end, PAGE_SIZE));
    }
}

static uint64_t image_phys_end(void)
{
    return (uint64_t)image_end - IMAGE_VA;
}

/* RAM of an entry that is used at all: whole pages that the direct map reaches. */
static struct range usable(const struct e820_entry *e)
{
    struct range r = {ROUND_UP(MAX(e->addr, LOW_MEMORY), PAGE_SIZE),
                      MIN(ROUND_DOWN(e->addr + e->size, PAGE_SIZE), DIRECT_MAP_SIZE)};

    if (e->type != E820_RAM || r.start > r.end)
        r.end = r.start;
    return r;
}

static void find_ranges(void)
{
    for (unsigned i = 0; i < boot_info.e820_count; i++) {
        struct range r = usable(&boot_info.e820[i]);

        range_insert(range_count, r.start, r.end);
        if (r.start < r.end)
            frame_max = r.end >> PAGE_SHIFT;
    }
    reserve(IMAGE_PHYS, image_phys_end());
    for (unsigned i = 0; i < boot_info.module_count; i++)
        reserve(boot_info.module[i].start, boot_info.module[i].start + boot_info.module[i].size);
}

uint64_t boot_alloc(uint64_t size, uint64_t limit)
{
    for (unsigned i = range_count; i-- > 0;) {
        uint64_t end = MIN(ranges[i].end, limit), start = ROUND_DOWN(end - size, size);

        if (end < size || start < ranges[i].start)
            continue;
        range_cut(i, start, start + size);
        return start;
    }
    panic("no %lu KiB of memory below %lx for the hypervisor's tables", size >> 10, limit);
}

static uint64_t new_table_piece(uint8_t fill)
{
    uint64_t maddr = boot_alloc(SIZE_2M, ~0ull);

    memset(mfn_va(mfn(maddr >> PAGE_SHIFT)), fill, SIZE_2M);
    return maddr;
}

/* Both have entries for frame_max frames, in 2 MiB pages. */
static void make_tables(void)
{
    for (uint64_t done = 0; done < frame_max * sizeof(struct frame); done += SIZE_2M)
        boot_map(FRAME_TABLE_VA + done, new_table_piece(0), SIZE_2M, HV_RW);
    for (uint64_t done = 0; done < frame_max * sizeof(uint64_t); done += SIZE_2M) {
        uint64_t maddr = new_table_piece(0xff); /* INVALID_P2M */

        boot_map(M2P_RW_VA + done, maddr, SIZE_2M, HV_RW);
        boot_map(M2P_RO_VA + done, maddr, SIZE_2M, HV_RO | PTE_U);
    }
}

static void claim(uint64_t first, uint64_t end, struct domain *owner)
{
    for (struct frame *f = &frame_table[first]; f < &frame_table[end]; f++) {
        f->word = FW_REF_ONE;
        f->owner = owner;
    }
}

/* Frames [first, end) are not free: the hypervisor's where there is RAM, else no memory at all. */
static void claim_gap(uint64_t first, uint64_t end)
{
    claim(first, end, &dom_io);
    for (unsigned i = 0; i < boot_info.e820_count; i++) {
        struct range r = usable(&boot_info.e820[i]);

        claim(MAX(first, r.start >> PAGE_SHIFT), MIN(end, r.end >> PAGE_SHIFT), NULL);
    }
}

static void fill_frame_table(void)
{
    uint64_t done = 0;

    for (unsigned i = 0; i < range_count; i++) {
        claim_gap(done, ranges[i].start >> PAGE_SHIFT);
        done = ranges[i].end >> PAGE_SHIFT;
        heap_add(ranges[i].start >> PAGE_SHIFT, done);
    }
    claim_gap(done, frame_max);
}

void memory_init(void)
{
    find_ranges();
    if (!range_count)
        panic("the memory map shows no free memory above 1 MiB");
    map_init();
    make_tables();
    fill_frame_table();
}

/* Modules may share a page, and need not lie in RAM: only frames that are still reserved go, and
 * only once. */
static void release(uint64_t first, uint64_t end)
{
    for (uint64_t n = first; n < end; n++) {
        struct frame *f = &frame_table[n];

        if (f->owner || f->word != FW_REF_ONE) {
            if (first < n)
                heap_add(first, n);
            first = n + 1;
        } else {
            f->word = 0;
        }
    }
    if (first < end)
        heap_add(first, end);
}

void boot_modules_release(void)
{
    for (unsigned i = 0; i < boot_info.module_count; i++) {
        const struct boot_module *m = &boot_info.module[i];

        release(m->start >> PAGE_SHIFT,
                MIN(ROUND_UP(m->start + m->size, PAGE_SIZE) >> PAGE_SHIFT, frame_max));
    }
    boot_info.module_count = 0;
}
