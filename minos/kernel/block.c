/* SPDX-License-Identifier: MIT */
/* The cache of the disk's blocks: least recently used goes first, dirty ones by way of the disk. */
#include <minos/abi.h>
#include "block.h"
#include "lib.h"
#include "mem.h"
#include "proc.h"

#define BUFFERS 256

const struct block_device *disk;

static struct buffer buffers[BUFFERS];
static unsigned block_size;
static uint64_t uses;
static const char queue_event; /* a request was done, so that there is room for another */

void block_register(const struct block_device *device)
{
    if (disk)
        return;
    disk = device;
    kprintf("minos: disk %s, %lu KiB%s\n", device->name, device->sectors / 2,
            device->read_only ? ", read-only" : "");
}

void block_done(struct block_request *r, bool failed)
{
    r->failed = failed;
    r->busy = false;
    wake(r);
    wake(&queue_event);
}

static void submit(struct block_request *r)
{
    r->busy = true;
    r->failed = false;
    while (!disk->submit(r))
        wait_for_device(&queue_event);
}

static bool finish(struct block_request *r)
{
    while (r->busy)
        wait_for_device(r);
    return !r->failed;
}

static void start(struct buffer *b, enum block_operation operation)
{
    b->request = (struct block_request){.operation = operation,
                                        .sector = b->block * (block_size / SECTOR_SIZE),
                                        .sectors = block_size / SECTOR_SIZE,
                                        .memory = virt_to_phys(b->data)};
    submit(&b->request);
}

void cache_init(unsigned size)
{
    block_size = size;
    for (struct buffer *b = buffers; b < buffers + BUFFERS; b++) {
        paddr_t f = b->data ? virt_to_phys(b->data) : frame_alloc();

        if (!f)
            panic("no memory for the disk's cache");
        *b = (struct buffer){.data = phys_to_virt(f)};
    }
}

/* The buffer of the block, or the one to reuse for it; the cache must be larger than what the file
 * system holds at once. */
static struct buffer *find(uint64_t block)
{
    struct buffer *oldest = NULL;

    for (struct buffer *b = buffers; b < buffers + BUFFERS; b++) {
        if (b->valid && b->block == block)
            return b;
        if (!b->users && (!oldest || b->used_at < oldest->used_at))
            oldest = b;
    }
    if (!oldest)
        panic("all buffers are in use");
    return oldest;
}

static struct buffer *get(uint64_t block, bool read)
{
    struct buffer *b = find(block);

    b->users++;
    b->used_at = ++uses;
    if (b->valid && b->block == block)
        return b;
    if (b->dirty) {
        start(b, BLOCK_WRITE);
        if (!finish(&b->request))
            kprintf("minos: block %lu is lost, the disk does not take it\n", b->block);
        b->dirty = false;
    }
    b->block = block;
    b->valid = true;
    if (!read)
        return b;
    start(b, BLOCK_READ);
    if (finish(&b->request))
        return b;
    b->valid = false;
    b->users--;
    return NULL;
}

struct buffer *cache_get(uint64_t block)
{
    return get(block, true);
}

struct buffer *cache_get_new(uint64_t block)
{
    struct buffer *b = get(block, false);

    memset(b->data, 0, block_size);
    b->dirty = true;
    return b;
}

void cache_put(struct buffer *b)
{
    b->users--;
}

int cache_sync(void)
{
    struct block_request flush = {.operation = BLOCK_FLUSH};
    int error = 0;

    for (struct buffer *b = buffers; b < buffers + BUFFERS; b++)
        if (b->dirty)
            start(b, BLOCK_WRITE);
    for (struct buffer *b = buffers; b < buffers + BUFFERS; b++) {
        if (!b->dirty)
            continue;
        if (finish(&b->request))
            b->dirty = false;
        else
            error = -EIO;
    }
    if (disk->can_flush) {
        submit(&flush);
        if (!finish(&flush))
            error = -EIO;
    }
    return error;
}
