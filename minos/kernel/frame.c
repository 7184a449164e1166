/* SPDX-License-Identifier: MIT */
/* Frames of memory: who uses them, and the list of those that nobody does; small objects in them.
 */
#include "lib.h"
#include "mem.h"

struct frame {
    uint32_t references;
    uint32_t word; /* free: number of the next free frame; in use: the machine's note */
};

static struct frame *frames;
static uint32_t first_free;
uint64_t frames_total, frames_free;

static struct frame *frame_of(paddr_t f)
{
    return &frames[f >> PAGE_SHIFT];
}

void frames_init(paddr_t free, paddr_t end)
{
    size_t table = (end >> PAGE_SHIFT) * sizeof(struct frame);

    frames = phys_to_virt(free);
    memset(frames, 0, table);
    for (paddr_t f = ROUND_UP(free + table, PAGE_SIZE); f + PAGE_SIZE <= end; f += PAGE_SIZE) {
        frame_of(f)->references = 1;
        frame_put(f);
        frames_total++;
    }
}

paddr_t frame_alloc(void)
{
    paddr_t f = (paddr_t)first_free << PAGE_SHIFT;

    if (!f)
        return 0;
    first_free = frame_of(f)->word;
    *frame_of(f) = (struct frame){.references = 1};
    frames_free--;
    memset(phys_to_virt(f), 0, PAGE_SIZE);
    return f;
}

void frame_get(paddr_t f)
{
    frame_of(f)->references++;
}

void frame_put(paddr_t f)
{
    struct frame *frame = frame_of(f);

    if (!frame->references)
        panic("frame %lx is put without being held", f);
    if (--frame->references)
        return;
    frame->word = first_free;
    first_free = f >> PAGE_SHIFT;
    frames_free++;
}

unsigned frame_references(paddr_t f)
{
    return frame_of(f)->references;
}

uint32_t *frame_note(paddr_t f)
{
    return &frame_of(f)->word;
}

/* --- Objects: powers of two from 32 bytes to a page, one free list each --- */

#define SMALLEST 5

static void *free_objects[PAGE_SHIFT + 1];

static unsigned size_class(size_t size)
{
    unsigned c = SMALLEST;

    while ((size_t)1 << c < size)
        c++;
    if (c > PAGE_SHIFT)
        panic("an object of %lu bytes is larger than a page", size);
    return c;
}

void *kmalloc(size_t size)
{
    unsigned c = size_class(size);
    void *object = free_objects[c];

    if (!object) {
        paddr_t f = frame_alloc();
        char *page = phys_to_virt(f);

        if (!f)
            return NULL;
        for (size_t at = 0; at < PAGE_SIZE; at += (size_t)1 << c)
            kfree(page + at, (size_t)1 << c);
        object = free_objects[c];
    }
    free_objects[c] = *(void **)object;
    return memset(object, 0, (size_t)1 << c);
}

void kfree(void *p, size_t size)
{
    unsigned c = size_class(size);

    if (!p)
        return;
    *(void **)p = free_objects[c];
    free_objects[c] = p;
}
