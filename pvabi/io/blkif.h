/* SPDX-License-Identifier: MIT */
/* Block devices: what front and back end exchange through a ring of blkif entries. Sectors have 512
 * bytes, whatever the disk's own block size is. */
#ifndef PVABI_IO_BLKIF_H
#define PVABI_IO_BLKIF_H

#include <pvabi/io/ring.h>

typedef uint16_t blkif_vdev_t;
typedef uint64_t blkif_sector_t;

#define BLKIF_OP_READ            0
#define BLKIF_OP_WRITE           1
#define BLKIF_OP_WRITE_BARRIER   2 /* after all before it, before all after it, and durable */
#define BLKIF_OP_FLUSH_DISKCACHE 3 /* what was answered before is durable when this is answered */
#define BLKIF_OP_DISCARD         5
#define BLKIF_OP_INDIRECT        6 /* segments lie in pages of their own */

#define BLKIF_MAX_SEGMENTS_PER_REQUEST       11
#define BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST 8

/* Part of a granted page: sectors first_sect to last_sect of its eight, both included. */
struct blkif_request_segment {
    grant_ref_t gref;
    uint8_t first_sect, last_sect;
};
PVABI_SIZE(struct blkif_request_segment, 8);

/* Reads, writes, barriers and flushes. */
struct blkif_request {
    uint8_t operation;
    uint8_t nr_segments;
    blkif_vdev_t handle;
    uint64_t id; /* the front end's own, returned in the response */
    blkif_sector_t sector_number;
    struct blkif_request_segment seg[BLKIF_MAX_SEGMENTS_PER_REQUEST];
};
PVABI_SIZE(struct blkif_request, 112);
PVABI_AT(struct blkif_request, id, 8);
PVABI_AT(struct blkif_request, seg, 24);

#define BLKIF_DISCARD_SECURE 1

struct blkif_request_discard {
    uint8_t operation;
    uint8_t flag; /* BLKIF_DISCARD_* */
    blkif_vdev_t handle;
    uint64_t id;
    blkif_sector_t sector_number;
    uint64_t nr_sectors;
};
PVABI_SIZE(struct blkif_request_discard, 32);

/* A read or write whose segments, 512 in each page, lie in pages that the front end grants. */
struct blkif_request_indirect {
    uint8_t operation;
    uint8_t indirect_op;
    uint16_t nr_segments;
    uint64_t id;
    blkif_sector_t sector_number;
    blkif_vdev_t handle;
    grant_ref_t indirect_grefs[BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST];
};
PVABI_SIZE(struct blkif_request_indirect, 64);
PVABI_AT(struct blkif_request_indirect, indirect_grefs, 28);

#define BLKIF_RSP_EOPNOTSUPP (-2)
#define BLKIF_RSP_ERROR      (-1)
#define BLKIF_RSP_OKAY       0

struct blkif_response {
    uint64_t id;
    uint8_t operation; /* for an indirect request: its indirect_op */
    int16_t status;    /* BLKIF_RSP_* */
};
PVABI_SIZE(struct blkif_response, 16);
PVABI_AT(struct blkif_response, status, 10);

PVABI_RING(blkif, struct blkif_request, struct blkif_response);

/* Bits of the back end's key "info". */
#define VDISK_CDROM     0x1
#define VDISK_REMOVABLE 0x2
#define VDISK_READONLY  0x4

#endif
