/* SPDX-License-Identifier: MIT */
/* The block ring engine: takes requests from a shared ring, validates private copies of them, moves
 * data, hands steps to an I/O layer and answers. It trusts nothing that the front end can write.
 *
 *   blk_ring_sweep()    ring -> journal -> validated -> data fetched -> io->submit()
 *   blk_ring_complete() called for each step that the I/O layer has finished
 *   blk_ring_settle()   data delivered -> responses -> one push -> at most one event
 *
 * The journal is memory that outlives the process. It holds every request that was taken and is not
 * answered, so that a successor does exactly those again. */
#ifndef BACKEND_BLK_RING_H
#define BACKEND_BLK_RING_H

#include <pvabi/io/blkif.h>

#include "copies.h"
#include "pages.h"

#define BLK_SEGMENTS_MAX 128        /* of an indirect request, as offered */
#define BLK_RING_ORDER   4          /* pages of a ring, as offered: 16 */
#define BLK_ENTRIES_MAX  512        /* requests in such a ring */
#define BLK_BUFFER_PAGES 512        /* memory for data, for each ring */
#define BLK_SWEEP_MAX    32         /* requests taken in one sweep */
#define BLK_DISCARD_MAX  (2u << 20) /* sectors discarded by one request: 1 GiB */
#define BLK_SECTOR       512u

enum blk_step { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD };

/* What requests are validated against. */
struct blk_limits {
    uint64_t sectors;
    uint32_t align; /* sectors of a block of the disk: I/O is aligned to it */
    bool read_only;
    bool discard;
};

struct blk_segment {
    uint32_t ref;
    uint8_t first, last;
    char *page; /* the guest's page if it is mapped; otherwise NULL, and grants are copied */
};

struct blk_request {
    struct blk_ring *ring;
    struct blk_request *next; /* on the list of free, or of finished ones */
    unsigned slot;            /* in the journal */
    uint64_t id;
    uint8_t operation;                    /* for the response */
    bool flush_before, flush_after, data; /* steps that are still to be done */
    int16_t status;                       /* BLKIF_RSP_* */
    enum blk_step kind, step;             /* what is done with the data; what is being done */
    char *buffer;                         /* of the ring's memory: the data, side by side */
    unsigned buffer_pages;
    uint64_t sector, sectors;
    unsigned segments;
    struct blk_segment segment[BLK_SEGMENTS_MAX];
};

/* The I/O layer. It calls blk_ring_complete() exactly once for each submit(), maybe at once. */
struct blk_io {
    void (*submit)(struct blk_io *io, struct blk_request *request);
};

enum blk_entry_state { BLK_ENTRY_FREE, BLK_ENTRY_TAKEN, BLK_ENTRY_ANSWERED };

struct blk_journal {
    uint32_t entries;  /* of the ring; 0: never used */
    uint32_t req_cons; /* requests taken */
    struct blk_entry {
        uint32_t state;   /* enum blk_entry_state */
        uint32_t req_idx; /* the request's index in the ring */
        uint32_t rsp_idx; /* its response's, if answered */
        uint32_t pad;
        struct blkif_request raw;
    } entry[];
};

struct blk_counters {
    uint64_t reads, writes, flushes, discards, errors;
    uint64_t sectors_read, sectors_written;
    uint64_t events_out, mapped_segments, copied_segments, replayed;
};

struct blk_ring {
    struct blkif_sring *shared;
    struct blk_journal *journal;
    const struct blk_limits *limits;
    struct blk_io *io;
    struct notifier *notifier;
    void *owner;         /* the caller's */
    struct pages *pages; /* NULL: the front end has no persistent grants */
    uint32_t entries;
    RING_IDX req_cons, rsp_prod; /* the only indices that are believed */
    const char *broken;          /* why nothing is taken any more, or NULL */
    unsigned inflight;           /* requests begun and not finished */
    struct blk_request *barrier; /* nothing is taken after it until it is finished */
    bool barrier_waits;          /* for all others to finish */
    struct blk_request *requests, *free, *replay, *done, **done_end;
    int memory_index; /* the I/O layer's name for the memory, or -1 */
    char *memory;     /* BLK_BUFFER_PAGES pages, of which requests have theirs */
    bool starved;     /* a request waits for memory */
    struct blkif_request_segment (*indirect)[PAGE_BYTES / sizeof(struct blkif_request_segment)];
    struct copies copies;
    struct blk_counters count;
    uint8_t used[BLK_BUFFER_PAGES];
};

size_t blk_journal_bytes(uint32_t entries);

/* A ring starts where its responses end. The caller fills in limits, io and notifier. With recover,
 * the journal is a predecessor's: its unanswered requests will be done again. NULL if memory is
 * short. */
struct blk_ring *blk_ring_new(struct blkif_sring *shared, uint32_t entries,
                              struct blk_journal *journal, bool recover, struct grants *grants,
                              bool persistent);
void blk_ring_free(struct blk_ring *r); /* with nothing in flight */

/* True if there is more to take. budget is at most BLK_SWEEP_MAX. */
bool blk_ring_sweep(struct blk_ring *r, unsigned budget);
void blk_ring_complete(struct blk_request *q, int error);
void blk_ring_settle(struct blk_ring *r);

/* blk_parse.c: from a raw request to a validated one; false if status tells why not. */
bool blk_parse(struct blk_request *q, const struct blkif_request *raw);
bool blk_parse_segments(struct blk_request *q, const struct blkif_request_segment *segment,
                        unsigned n);
/* Segments of a raw request: of an indirect one, those in its pages. May exceed all limits. */
unsigned blk_raw_segments(const struct blkif_request *raw);

#endif
