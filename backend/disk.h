/* SPDX-License-Identifier: MIT */
/* Image files and block devices, and requests to them through io_uring. */
#ifndef BACKEND_DISK_H
#define BACKEND_DISK_H

#include "blk_ring.h"

struct disk {
    struct blk_io io;
    struct blk_limits limits;
    int fd; /* -1: not open */
    uint32_t physical_block;
    uint32_t discard_granularity, discard_alignment;
    bool direct; /* past the page cache */
    bool sync_failed;
};

enum disk_result { DISK_OPEN, DISK_BUSY, DISK_FAILED };

/* Opens and locks: exclusively if writable. DISK_BUSY: somebody else has it, or requests of a
 * predecessor that died are still under way (they hold the lock too). direct: try O_DIRECT. */
enum disk_result disk_open(struct disk *d, const char *path, bool read_only, bool direct);
void disk_close(struct disk *d);

void disk_io_init(struct disk *d);

/* One io_uring for all disks. */
bool disk_ring_open(void);
int disk_ring_fd(void);
void disk_ring_submit(void); /* what was gathered, in one call */
bool disk_ring_reap(void);   /* calls blk_ring_complete(); true if there was anything */

/* Keeps a ring's memory pinned, which saves doing so for each request. Unpinned before it is freed.
 */
void disk_memory_pin(struct blk_ring *r);
void disk_memory_unpin(struct blk_ring *r);

/* Called after each completed request. */
extern void (*disk_completed)(struct blk_ring *ring);

#endif
