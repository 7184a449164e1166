/* SPDX-License-Identifier: MIT */
/* The hypervisor's own page tables (address map: layout.h).
 *
 * Guests' roots hold copies of hv_root's slots, so all tables that those slots point at are made at
 * boot; below them things may change. Nothing is both writable and executable, also not through the
 * direct map. What never changes is global; windows are not, so that a vCPU's pages leave a CPU's
 * TLB when the next vCPU's root is loaded there. */
#include <string.h>

#include <hv/init.h>
#include <hv/lock.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "../x86/cpuid.h"
#include "boot.h"

#define E820_ACPI 3
#define E820_NVS  4

uint64_t *hv_root;
uint64_t hv_root_maddr;

/* Last-level entries of the windows (one array of 512 tables, so that mapping a page is one store),
 * and of devices. */
static uint64_t *window_entries, *device_entries;
#define DEVICE_PAGES 512
static struct spinlock device_lock = SPINLOCK_INIT(RANK_HEAP); /* device_entries */

static uint64_t *table_va(uint64_t entry)
{
    return mfn_va(pte_mfn(entry));
}

static unsigned slot(uint64_t va, unsigned shift)
{
    return va >> shift & 511;
}

/* The table that an entry points at; makes it. `user`: PTE_U for the M2P, which guests may read. */
static uint64_t *next_table(uint64_t *entry, uint64_t user)
{
    if (!(*entry & PTE_P)) {
        uint64_t maddr = boot_alloc(PAGE_SIZE, 4 * SIZE_1G);

        memset(mfn_va(mfn(maddr >> PAGE_SHIFT)), 0, PAGE_SIZE);
        *entry = maddr | PTE_P | PTE_RW | PTE_A | user;
    }
    return table_va(*entry);
}

static uint64_t *l3_entry(uint64_t va, uint64_t user)
{
    return next_table(&hv_root[slot(va, 39)], user) + slot(va, 30);
}

static uint64_t *l2_entry(uint64_t va, uint64_t user)
{
    return next_table(l3_entry(va, user), user) + slot(va, 21);
}

void boot_map(uint64_t va, uint64_t maddr, uint64_t size, uint64_t pte)
{
    uint64_t user = pte & PTE_U, step;
    bool huge = cpuid_host.ext[1].d & 1u << 26; /* 1 GiB pages */

    for (; size; va += step, maddr += step, size -= step) {
        uint64_t together = va | maddr;

        if (huge && !(together & (SIZE_1G - 1)) && size >= SIZE_1G) {
            step = SIZE_1G;
            *l3_entry(va, user) = maddr | pte | PTE_PSE;
        } else if (!(together & (SIZE_2M - 1)) && size >= SIZE_2M) {
            step = SIZE_2M;
            *l2_entry(va, user) = maddr | pte | PTE_PSE;
        } else {
            step = PAGE_SIZE;
            next_table(l2_entry(va, user), user)[slot(va, PAGE_SHIFT)] = maddr | pte;
        }
    }
}

static uint64_t image_maddr(const char *p)
{
    return (uint64_t)p - IMAGE_VA;
}

/* The end of what the direct map holds below 4 GiB. */
static uint64_t low_memory_end(void)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < boot_info.e820_count; i++) {
        const struct e820_entry *e = &boot_info.e820[i];

        if ((e->type == E820_RAM || e->type == E820_ACPI || e->type == E820_NVS) &&
            e->addr < 4 * SIZE_1G)
            end = e->addr + e->size;
    }
    return MIN(ROUND_UP(end, SIZE_2M), 4 * SIZE_1G);
}

static void map_direct(uint64_t from, uint64_t to, uint64_t pte)
{
    if (from < to)
        boot_map(DIRECT_MAP_VA + from, from, to - from, pte);
}

/* All of low memory, holes included (the MTRRs know what they are; ACPI tables may lie there), and
 * RAM above. */
static void map_all_ram(void)
{
    uint64_t done = 4 * SIZE_1G;

    map_direct(0, image_maddr(image_text), HV_RW);
    map_direct(image_maddr(image_text), image_maddr(image_data), HV_RO);
    map_direct(image_maddr(image_data), low_memory_end(), HV_RW);
    for (unsigned i = 0; i < boot_info.e820_count; i++) {
        const struct e820_entry *e = &boot_info.e820[i];
        uint64_t end = MIN(ROUND_UP(e->addr + e->size, SIZE_2M), DIRECT_MAP_SIZE);

        if (e->type != E820_RAM || end <= done)
            continue;
        map_direct(MAX(ROUND_DOWN(e->addr, SIZE_2M), done), end, HV_RW);
        done = end;
    }
}

static void map_image(const char *from, const char *to, uint64_t pte)
{
    boot_map((uint64_t)from, image_maddr(from), (uint64_t)(to - from), pte);
}

static void make_small_tables(void)
{
    uint64_t maddr = boot_alloc(SIZE_2M, 4 * SIZE_1G);

    window_entries = mfn_va(mfn(maddr >> PAGE_SHIFT));
    memset(window_entries, 0, SIZE_2M);
    for (uint64_t va = WINDOWS_VA; va < DEVICES_VA; va += SIZE_2M, maddr += PAGE_SIZE)
        *l2_entry(va, 0) = maddr | PTE_P | PTE_RW | PTE_A;
    device_entries = next_table(l2_entry(DEVICES_VA, 0), 0);
}

void map_init(void)
{
    hv_root_maddr = boot_alloc(PAGE_SIZE, 4 * SIZE_1G);
    hv_root = mfn_va(mfn(hv_root_maddr >> PAGE_SHIFT));
    memset(hv_root, 0, PAGE_SIZE);
    map_all_ram();
    map_image(image_text, image_rodata, HV_RX);
    map_image(image_rodata, image_data, HV_RO);
    map_image(image_data, image_end, HV_RW);
    make_small_tables();
    write_cr3(hv_root_maddr);
}

/* Returns what was there. */
static uint64_t set_window_entry(uint64_t va, uint64_t pte)
{
    uint64_t *entry = &window_entries[(va - WINDOWS_VA) >> PAGE_SHIFT], old = *entry;

    BUG_ON(va - WINDOWS_VA >= DEVICES_VA - WINDOWS_VA);
    WRITE_ONCE(*entry, pte);
    if (old & PTE_P)
        invlpg(va);
    return old;
}

void map_page(uint64_t va, mfn_t m, enum map_rights rights)
{
    static const uint64_t flags[] = {
        [MAP_RW] = HV_RW & ~PTE_G, [MAP_RO] = HV_RO & ~PTE_G, [MAP_RX] = HV_RX & ~PTE_G};

    set_window_entry(va, m.n << PAGE_SHIFT | flags[rights]);
}

mfn_t unmap_page(uint64_t va)
{
    uint64_t old = set_window_entry(va, 0);

    return old & PTE_P ? pte_mfn(old) : INVALID_MFN;
}

/* Whether the entries from i on are free, or map those very frames. */
static bool device_fits(unsigned i, uint64_t pte, unsigned pages)
{
    for (unsigned n = 0; n < pages; n++) {
        uint64_t entry = device_entries[i + n];

        if (entry && entry != pte + n * PAGE_SIZE)
            return false;
    }
    return true;
}

volatile void *map_device(uint64_t maddr, uint64_t size)
{
    uint64_t offset = maddr & ~PAGE_MASK, pte = (maddr & PAGE_MASK) | HV_DEVICE;
    unsigned pages = (unsigned)(ROUND_UP(offset + size, PAGE_SIZE) >> PAGE_SHIFT), i = 0;

    lock(&device_lock);
    while (i + pages <= DEVICE_PAGES && !device_fits(i, pte, pages))
        i++;
    if (i + pages <= DEVICE_PAGES) {
        for (unsigned n = 0; n < pages; n++)
            WRITE_ONCE(device_entries[i + n], pte + n * PAGE_SIZE);
    }
    unlock(&device_lock);
    if (i + pages > DEVICE_PAGES)
        return NULL;
    return (volatile void *)(DEVICES_VA + i * PAGE_SIZE + offset);
}
