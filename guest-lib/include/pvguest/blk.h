/* SPDX-License-Identifier: MIT */
/* A disk of another domain's: requests through a ring, their ends from the event upcall. */
#ifndef PVGUEST_BLK_H
#define PVGUEST_BLK_H

#include <pvguest/ring.h>
#include <pvguest/xenbus.h>
#include <pvabi/io/blkif.h>

#define PV_BLK_SECTOR   512
#define PV_BLK_SEGMENTS BLKIF_MAX_SEGMENTS_PER_REQUEST /* pages that a request may touch */
#define PV_BLK_REQUESTS 32                             /* at once */

struct pv_blk_request {
    /* To be filled in. Memory lies in the bootstrap map, at a multiple of 512. */
    unsigned operation; /* BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_FLUSH_DISKCACHE without memory */
    uint64_t sector;
    void *memory;
    unsigned sectors;
    /* Called when it is done: 0, or BLKIF_RSP_*. */
    void (*done)(struct pv_blk_request *r, int error);
    /* The driver's. */
    unsigned refs[PV_BLK_SEGMENTS], ref_count;
};

struct pv_blk {
    struct pv_device device;
    uint64_t sectors;
    bool readonly, can_flush;
    /* The driver's. */
    struct pv_ring ring;
    unsigned port;
    struct pv_blk_request *requests[PV_BLK_REQUESTS];
};

/* Connects the domain's disk number `index`, counted from 0. -XEN_ENODEV: there is none. At most
 * four disks. */
long pv_blk_open(struct pv_blk *b, unsigned index);
/* 0; -XEN_EBUSY while the ring is full, and again after some request's end; -XEN_EINVAL for too
 * many pages; or no grant to be had. */
long pv_blk_submit(struct pv_blk *b, struct pv_blk_request *r);
/* One request to its end; the domain sleeps meanwhile. 0, BLKIF_RSP_* or as above. */
long pv_blk_wait(struct pv_blk *b, struct pv_blk_request *r);
/* Ends what is done; the upcall does it too. */
void pv_blk_poll(struct pv_blk *b);

#endif
