/* SPDX-License-Identifier: MIT */
/* One disk: requests to its driver, and a cache of its blocks. */
#ifndef MINOS_BLOCK_H
#define MINOS_BLOCK_H

#include "types.h"

#define SECTOR_SIZE 512

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/* Within one page. The driver reports the end by block_done. */
struct block_request {
    enum block_operation operation;
    uint64_t sector;
    unsigned sectors;
    paddr_t memory;
    bool busy;
    bool failed;
};

struct block_device {
    const char *name;
    uint64_t sectors;
    bool read_only;
    bool can_flush;
    /* False when the queue is full; block_done will say when to try again. */
    bool (*submit)(struct block_request *r);
};

/* The kernel uses the first disk that a driver registers. */
void block_register(const struct block_device *device);
void block_done(struct block_request *r, bool failed);
extern const struct block_device *disk;

/* --- Cache: blocks of one size, written back by cache_sync or when room is needed --- */

struct buffer {
    uint64_t block;
    bool valid, dirty;
    unsigned users;
    uint64_t used_at;
    void *data;
    struct block_request request;
};

void cache_init(unsigned block_size);
/* The block's buffer, held until cache_put; NULL on an input error. */
struct buffer *cache_get(uint64_t block);
/* The same, but all zero instead of read: the block is new. */
struct buffer *cache_get_new(uint64_t block);
void cache_put(struct buffer *b);
/* 0, or -EIO. Then all is on the disk. */
int cache_sync(void);

#endif
