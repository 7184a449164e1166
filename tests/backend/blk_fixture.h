/* SPDX-License-Identifier: MIT */
/* What tests of the block ring share: an honest front end's helpers and a model disk. */
#ifndef TESTS_BACKEND_BLK_FIXTURE_H
#define TESTS_BACKEND_BLK_FIXTURE_H

#include "backend/blk_ring.h"
#include "hostile.h"

#define SECTORS 4096u
#define ENTRIES 32u
#define QUEUE   64

/* A disk that does its requests when told to, in an order of its own. */
struct model {
    struct blk_io io;
    struct blk_limits limits;
    unsigned char *data;
    struct blk_request *queue[QUEUE];
    unsigned queued, flushes;
    bool at_once;
};

extern struct guest guest;
extern struct model disk;
extern struct blk_ring *ring;
extern struct blk_journal *journal;
extern struct blkif_sring *shared;
extern RING_IDX req_prod, rsp_cons;

/* Does a request of the queue, any of them; with an error, fails it instead. */
void model_do_one(struct model *m, int error);
/* Attaches the engine to the shared page and the journal. */
void ring_start(bool persistent, bool recover);
/* A fresh front end, disk and ring; and their end. */
void begin(bool persistent);
void finish(void);
struct blkif_request *slot(void);
/* Requests for whole pages. They are seen from push() on. */
struct blkif_request *put_rw(uint8_t op, uint64_t id, uint64_t sector, unsigned segments,
                             unsigned page);
void push(void);
/* Lets the engine and the disk work until nothing is left to do. */
void serve(void);
/* The next response, which must be there. */
struct blkif_response answer(void);
void expect(uint64_t id, int status);
void fill_page(unsigned page, unsigned char with);

#endif
