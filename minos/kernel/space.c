/* SPDX-License-Identifier: MIT */
/*
 * Address spaces. A region says what may be where; pages come in when touched. After a fork both
 * sides map each page read-only; the first to write gets a copy, the last to hold it writes on.
 */
#include <minos/abi.h>
#include "lib.h"
#include "mem.h"

uint64_t space_faults, space_copies;

static unsigned table_index(uintptr_t va, unsigned level)
{
    return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/* The entry that maps va, with the tables on the way made if wanted. */
static pte_t *walk(struct space *s, uintptr_t va, bool make)
{
    pte_t *table = phys_to_virt(s->root);

    for (unsigned level = 4; level > 1; level--) {
        pte_t *slot = &table[table_index(va, level)];

        if (!(*slot & PTE_P)) {
            paddr_t f = make ? frame_alloc() : 0;

            if (!f)
                return NULL;
            mmu_set(slot, mmu_entry(f, PTE_LINK), level);
        }
        table = phys_to_virt(mmu_frame(*slot));
    }
    return &table[table_index(va, 1)];
}

struct space *space_new(void)
{
    struct space *s = kmalloc(sizeof(*s));

    if (!s)
        return NULL;
    s->root = frame_alloc();
    if (s->root && mmu_root_init(phys_to_virt(s->root)))
        return s;
    if (s->root)
        frame_put(s->root);
    kfree(s, sizeof(*s));
    return NULL;
}

/* Only the lower half is a space's own. */
static unsigned own_entries(unsigned level)
{
    return level == 4 ? 256 : 512;
}

static bool fork_table(pte_t *from, pte_t *to, unsigned level)
{
    for (unsigned i = 0; i < own_entries(level); i++) {
        pte_t e = from[i];
        paddr_t f;

        if (!(e & PTE_P))
            continue;
        if (level == 1) {
            if (e & PTE_RW) {
                e &= ~PTE_RW;
                mmu_set(&from[i], e, 1);
            }
            frame_get(mmu_frame(e));
            mmu_set(&to[i], e, 1);
            continue;
        }
        f = frame_alloc();
        if (!f)
            return false;
        mmu_set(&to[i], mmu_entry(f, PTE_LINK), level);
        if (!fork_table(phys_to_virt(mmu_frame(e)), phys_to_virt(f), level - 1))
            return false;
    }
    return true;
}

struct space *space_fork(struct space *from)
{
    struct space *to = space_new();
    bool complete;

    if (!to)
        return NULL;
    to->count = from->count;
    memcpy(to->regions, from->regions, sizeof(to->regions));
    mmu_batch_begin();
    complete = fork_table(phys_to_virt(from->root), phys_to_virt(to->root), 4);
    mmu_flush_user();
    mmu_batch_end();
    if (complete)
        return to;
    space_free(to);
    return NULL;
}

static void free_table(paddr_t table, unsigned level)
{
    const pte_t *entries = phys_to_virt(table);

    for (unsigned i = 0; i < own_entries(level); i++) {
        if (!(entries[i] & PTE_P))
            continue;
        if (level == 1)
            frame_put(mmu_frame(entries[i]));
        else
            free_table(mmu_frame(entries[i]), level - 1);
    }
    frame_put(table);
}

void space_free(struct space *s)
{
    mmu_root_retire(s->root);
    free_table(s->root, 4);
    kfree(s, sizeof(*s));
}

int space_add(struct space *s, uintptr_t start, uintptr_t end, bool write, bool exec)
{
    if (start > end || end > USER_END || s->count == REGIONS)
        return -ENOMEM;
    s->regions[s->count++] = (struct region){start, end, write, exec};
    return 0;
}

static const struct region *region_of(const struct space *s, uintptr_t va)
{
    for (unsigned i = 0; i < s->count; i++)
        if (va >= s->regions[i].start && va < s->regions[i].end)
            return &s->regions[i];
    return NULL;
}

/* Makes the page of *slot the space's own: a copy, unless nobody else holds it. */
static int unshare(pte_t *slot, uint64_t flags)
{
    paddr_t old = mmu_frame(*slot), f;

    if (frame_references(old) == 1) {
        mmu_set(slot, mmu_entry(old, flags), 1);
        return 0;
    }
    f = frame_alloc();
    if (!f)
        return -ENOMEM;
    memcpy(phys_to_virt(f), phys_to_virt(old), PAGE_SIZE);
    mmu_set(slot, mmu_entry(f, flags), 1);
    frame_put(old);
    space_copies++;
    return 0;
}

int space_fault(struct space *s, uintptr_t va, bool write)
{
    const struct region *r = region_of(s, va);
    uint64_t flags;
    pte_t *slot;
    paddr_t f;
    int error = 0;

    if (!r || (write && !r->write))
        return -EFAULT;
    slot = walk(s, va, true);
    if (!slot)
        return -ENOMEM;
    space_faults++;
    flags = PTE_P | PTE_USER | (r->write ? PTE_RW : 0) | (r->exec ? 0 : PTE_NX);
    if (!(*slot & PTE_P)) {
        f = frame_alloc();
        if (!f)
            return -ENOMEM;
        mmu_set(slot, mmu_entry(f, flags), 1);
    } else if (write && !(*slot & PTE_RW)) {
        mmu_batch_begin();
        error = unshare(slot, flags);
        mmu_flush_page(va);
        mmu_batch_end();
    }
    return error;
}

void *space_page(struct space *s, uintptr_t va, bool write)
{
    pte_t *slot = walk(s, va, false);

    if (!slot || !(*slot & PTE_P) || (write && !(*slot & PTE_RW))) {
        if (space_fault(s, va, write))
            return NULL;
        slot = walk(s, va, false);
    }
    return phys_to_virt(mmu_frame(*slot));
}
