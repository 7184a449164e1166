/* SPDX-License-Identifier: MIT */
/* The block ring engine: taking requests, running their steps, answering. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blk_ring.h"

static void finish(struct blk_request *q)
{
    struct blk_ring *r = q->ring;

    q->next = NULL;
    *r->done_end = q;
    r->done_end = &q->next;
}

/* --- Taking: every request is copied into the journal once, and only the copy is looked at --- */

/* The first n free pages side by side, or -1: from the low end, where memory is warm. */
static int find_pages(const struct blk_ring *r, unsigned n)
{
    for (unsigned at = 0; at + n <= BLK_BUFFER_PAGES;) {
        const uint8_t *last = memrchr(r->used + at, 1, n);

        if (!last)
            return (int)at;
        at = (unsigned)(last - r->used) + 1;
    }
    return -1;
}

/* Gives a request the memory that its segments can need. Without, it stays where it is. */
static bool reserve(struct blk_ring *r, struct blk_request *q)
{
    unsigned need = blk_raw_segments(&r->journal->entry[q->slot].raw);
    int at;

    if (need > BLK_SEGMENTS_MAX)
        need = 0; /* it will be refused */
    at = find_pages(r, need);
    r->starved = at < 0;
    if (r->starved)
        return false;
    q->buffer = r->memory + (size_t)at * PAGE_BYTES;
    q->buffer_pages = need;
    memset(r->used + at, 1, need);
    if (r->journal->entry[q->slot].raw.operation == BLKIF_OP_WRITE_BARRIER)
        r->barrier = q;
    return true;
}

static void give_back(struct blk_ring *r, struct blk_request *q)
{
    memset(r->used + (q->buffer - r->memory) / PAGE_BYTES, 0, q->buffer_pages);
    q->segments = 0;
}

static struct blk_request *take_replayed(struct blk_ring *r)
{
    struct blk_request *q = r->replay;

    if (!reserve(r, q))
        return NULL;
    r->replay = q->next;
    r->count.replayed++;
    return q;
}

static struct blk_request *take_one(struct blk_ring *r)
{
    struct blk_request *q = r->free;
    struct blk_entry *e = &r->journal->entry[q->slot];

    shared_copy(&e->raw, &r->shared->ring[r->req_cons & (r->entries - 1)].req, sizeof(e->raw));
    if (!reserve(r, q))
        return NULL;
    e->req_idx = r->req_cons;
    JOURNAL_ORDER();
    e->state = BLK_ENTRY_TAKEN;
    JOURNAL_ORDER();
    r->journal->req_cons = ++r->req_cons;
    r->free = q->next;
    return q;
}

static unsigned take(struct blk_ring *r, struct blk_request **batch, unsigned budget)
{
    RING_IDX prod = SHARED_READ(r->shared->req_prod);
    unsigned n = 0;

    if (prod - r->rsp_prod > r->entries || prod - r->rsp_prod < r->req_cons - r->rsp_prod) {
        r->broken = "req_prod is no place in the ring";
        return 0;
    }
    while (n < budget && !r->barrier && (r->replay || (r->req_cons != prod && r->free))) {
        struct blk_request *q = r->replay ? take_replayed(r) : take_one(r);

        if (!q)
            break;
        batch[n++] = q;
    }
    return n;
}

/* True if requests can be taken now. If there are none, the front end is asked for an event first.
 */
static bool more_to_take(struct blk_ring *r)
{
    if (r->broken || r->barrier)
        return false;
    if (!r->replay && SHARED_READ(r->shared->req_prod) == r->req_cons) {
        SHARED_WRITE(r->shared->req_event, r->req_cons + 1);
        SHARED_FENCE();
        if (SHARED_READ(r->shared->req_prod) == r->req_cons)
            return false;
    }
    /* Without memory, a request that finishes brings the next sweep. */
    return !r->inflight || !r->starved;
}

/* --- Data: copied between the ring's memory and pages that are mapped, or by grant copies --- */

static void copy_failed(void *owner)
{
    ((struct blk_request *)owner)->status = BLKIF_RSP_ERROR;
}

static void fetch_indirect(struct blk_ring *r, struct blk_request **batch, unsigned n)
{
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        const struct blkif_request *raw = &r->journal->entry[batch[i]->slot].raw;
        const struct blkif_request_indirect *in = (const void *)raw;

        if (raw->operation != BLKIF_OP_INDIRECT || batch[i]->status != BLKIF_RSP_OKAY)
            continue;
        any = true;
        copies_add(&r->copies, false, in->indirect_grefs[0], 0, r->indirect[i],
                   in->nr_segments * sizeof(struct blkif_request_segment), batch[i]);
    }
    if (!any)
        return;
    copies_flush(&r->copies);
    for (unsigned i = 0; i < n; i++) {
        const struct blkif_request *raw = &r->journal->entry[batch[i]->slot].raw;

        if (raw->operation == BLKIF_OP_INDIRECT && batch[i]->status == BLKIF_RSP_OKAY)
            blk_parse_segments(batch[i], r->indirect[i], blk_raw_segments(raw));
    }
}

static void map_wanted(struct blk_ring *r, struct blk_request **batch, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (batch[i]->status != BLKIF_RSP_OKAY)
            continue;
        for (unsigned s = 0; s < batch[i]->segments; s++)
            pages_want(r->pages, batch[i]->segment[s].ref);
    }
    pages_map(r->pages);
}

static unsigned segment_bytes(const struct blk_segment *s)
{
    return (s->last - s->first + 1) * BLK_SECTOR;
}

/* Copies what is to be written. */
static void fetch_data(struct blk_ring *r, struct blk_request *q)
{
    char *to = q->buffer;

    for (unsigned i = 0; i < q->segments; i++) {
        struct blk_segment *s = &q->segment[i];
        unsigned offset = s->first * BLK_SECTOR, bytes = segment_bytes(s);

        if (s->page)
            memcpy(to, s->page + offset, bytes);
        else
            copies_add(&r->copies, false, s->ref, offset, to, bytes, q);
        to += bytes;
    }
}

/* Finds the pages that are mapped, and fetches from them or from the others. */
static void attach_data(struct blk_ring *r, struct blk_request *q)
{
    if (q->status != BLKIF_RSP_OKAY)
        return;
    for (unsigned i = 0; i < q->segments; i++) {
        struct blk_segment *s = &q->segment[i];

        s->page = r->pages ? pages_find(r->pages, s->ref) : NULL;
        if (s->page)
            r->count.mapped_segments++;
        else
            r->count.copied_segments++;
    }
    if (q->kind == BLK_WRITE)
        fetch_data(r, q);
}

/* Copies what was read. */
static void deliver(struct blk_ring *r, struct blk_request *q)
{
    char *from = q->buffer;

    for (unsigned i = 0; i < q->segments; i++) {
        struct blk_segment *s = &q->segment[i];
        unsigned offset = s->first * BLK_SECTOR, bytes = segment_bytes(s);

        if (s->page)
            memcpy(s->page + offset, from, bytes);
        else
            copies_add(&r->copies, true, s->ref, offset, from, bytes, q);
        from += bytes;
    }
}

/* --- Steps --- */

static void end(struct blk_request *q);

static void advance(struct blk_request *q)
{
    if (q->flush_before) {
        q->flush_before = false;
        q->step = BLK_FLUSH;
    } else if (q->data) {
        q->data = false;
        q->step = q->kind;
    } else if (q->flush_after) {
        q->flush_after = false;
        q->step = BLK_FLUSH;
    } else {
        end(q);
        return;
    }
    q->ring->io->submit(q->ring->io, q);
}

static void begin(struct blk_ring *r, struct blk_request *q)
{
    r->inflight++;
    if (q == r->barrier && r->inflight > 1)
        r->barrier_waits = true;
    else
        advance(q);
}

static void end(struct blk_request *q)
{
    struct blk_ring *r = q->ring;

    r->inflight--;
    if (q == r->barrier)
        r->barrier = NULL;
    finish(q);
    if (r->barrier_waits && r->inflight == 1) {
        r->barrier_waits = false;
        advance(r->barrier);
    }
}

void blk_ring_complete(struct blk_request *q, int error)
{
    if (!error) {
        advance(q);
        return;
    }
    q->status = error == EOPNOTSUPP ? BLKIF_RSP_EOPNOTSUPP : BLKIF_RSP_ERROR;
    end(q);
}

bool blk_ring_sweep(struct blk_ring *r, unsigned budget)
{
    struct blk_request *batch[BLK_SWEEP_MAX];
    unsigned n;

    if (r->broken)
        return false;
    n = take(r, batch, budget);
    for (unsigned i = 0; i < n; i++)
        blk_parse(batch[i], &r->journal->entry[batch[i]->slot].raw);
    fetch_indirect(r, batch, n);
    if (r->pages)
        map_wanted(r, batch, n);
    for (unsigned i = 0; i < n; i++)
        attach_data(r, batch[i]);
    copies_flush(&r->copies);
    for (unsigned i = 0; i < n; i++) {
        if (batch[i]->status == BLKIF_RSP_OKAY) {
            begin(r, batch[i]);
            continue;
        }
        if (batch[i] == r->barrier)
            r->barrier = NULL;
        finish(batch[i]);
    }
    return more_to_take(r);
}

/* --- Answering --- */

static void account(struct blk_counters *count, const struct blk_request *q)
{
    if (q->status != BLKIF_RSP_OKAY) {
        count->errors++;
    } else if (q->operation == BLKIF_OP_READ) {
        count->reads++;
        count->sectors_read += q->sectors;
    } else if (q->operation == BLKIF_OP_WRITE) {
        count->writes++;
        count->sectors_written += q->sectors;
    } else if (q->operation == BLKIF_OP_DISCARD) {
        count->discards++;
    } else {
        count->flushes++;
        count->sectors_written += q->sectors;
    }
}

/* The journal learns first where the response goes: it replaces a request that might have to be
 * done again, and until rsp_prod passes that place, no front end has seen it. */
static void answer(struct blk_ring *r, struct blk_request *q)
{
    struct blk_entry *e = &r->journal->entry[q->slot];
    struct blkif_response rsp;
    volatile struct blkif_response *slot = &r->shared->ring[r->rsp_prod & (r->entries - 1)].rsp;

    memset(&rsp, 0, sizeof(rsp));
    rsp.id = q->id;
    rsp.operation = q->operation;
    rsp.status = q->status;
    e->rsp_idx = r->rsp_prod;
    JOURNAL_ORDER();
    e->state = BLK_ENTRY_ANSWERED;
    JOURNAL_ORDER();
    *slot = rsp;
    r->rsp_prod++;
    account(&r->count, q);
}

static void push(struct blk_ring *r, RING_IDX old)
{
    if (r->rsp_prod == old)
        return;
    SHARED_WRITE(r->shared->rsp_prod, r->rsp_prod);
    SHARED_FENCE();
    if (r->rsp_prod - SHARED_READ(r->shared->rsp_event) < r->rsp_prod - old) {
        r->count.events_out++;
        r->notifier->notify(r->notifier);
    }
}

void blk_ring_settle(struct blk_ring *r)
{
    struct blk_request *done = r->done, *q, *next;
    RING_IDX old = r->rsp_prod;

    r->done = NULL;
    r->done_end = &r->done;
    if (!r->broken) {
        for (q = done; q; q = q->next) {
            if (q->kind == BLK_READ && q->status == BLKIF_RSP_OKAY)
                deliver(r, q);
        }
        copies_flush(&r->copies);
        for (q = done; q; q = q->next)
            answer(r, q);
        push(r, old);
    }
    for (q = done; q; q = next) {
        next = q->next;
        give_back(r, q);
        r->journal->entry[q->slot].state = BLK_ENTRY_FREE;
        q->next = r->free;
        r->free = q;
    }
}

/* --- Beginning and end --- */

size_t blk_journal_bytes(uint32_t entries)
{
    return sizeof(struct blk_journal) + entries * sizeof(struct blk_entry);
}

static void free_all(struct blk_ring *r)
{
    for (uint32_t i = r->entries; i-- > 0;) {
        r->requests[i].ring = r;
        r->requests[i].slot = i;
        r->requests[i].next = r->free;
        r->free = &r->requests[i];
    }
}

static bool unanswered(const struct blk_ring *r, const struct blk_entry *e)
{
    if (e->state == BLK_ENTRY_TAKEN)
        return (int32_t)(e->req_idx - r->req_cons) < 0;
    return e->state == BLK_ENTRY_ANSWERED && (int32_t)(e->rsp_idx - r->rsp_prod) >= 0;
}

/* Where q belongs on the list of what is done again: in the order of the ring, as a barrier comes
 * last. */
static struct blk_request **replay_place(struct blk_ring *r, const struct blk_entry *e)
{
    struct blk_request **at = &r->replay;

    while (*at && (int32_t)(r->journal->entry[(*at)->slot].req_idx - e->req_idx) < 0)
        at = &(*at)->next;
    return at;
}

static void recover(struct blk_ring *r)
{
    struct blk_request *q = r->free, *next, **at;
    unsigned n = 0;

    r->req_cons = r->journal->req_cons;
    r->free = NULL;
    for (; q; q = next) {
        struct blk_entry *e = &r->journal->entry[q->slot];

        next = q->next;
        if (unanswered(r, e)) {
            e->state = BLK_ENTRY_TAKEN;
            at = replay_place(r, e);
            n++;
        } else {
            e->state = BLK_ENTRY_FREE;
            at = &r->free;
        }
        q->next = *at;
        *at = q;
    }
    if (r->journal->entries != r->entries || n != r->req_cons - r->rsp_prod)
        r->broken = "the ring does not fit what was recorded of it";
}

static bool allocate(struct blk_ring *r, bool persistent)
{
    r->requests = calloc(r->entries, sizeof(*r->requests));
    r->memory = aligned_alloc(PAGE_BYTES, (size_t)BLK_BUFFER_PAGES * PAGE_BYTES);
    r->indirect = malloc(BLK_SWEEP_MAX * sizeof(*r->indirect));
    if (persistent)
        r->pages = calloc(1, sizeof(*r->pages));
    return r->requests && r->memory && r->indirect && (r->pages || !persistent);
}

struct blk_ring *blk_ring_new(struct blkif_sring *shared, uint32_t entries,
                              struct blk_journal *journal, bool recovering, struct grants *grants,
                              bool persistent)
{
    struct blk_ring *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->shared = shared;
    r->entries = entries;
    r->journal = journal;
    r->done_end = &r->done;
    r->copies.grants = grants;
    r->copies.failed = copy_failed;
    if (!allocate(r, persistent)) {
        blk_ring_free(r);
        return NULL;
    }
    if (persistent)
        r->pages->grants = grants;
    r->memory_index = -1;
    r->req_cons = r->rsp_prod = SHARED_READ(shared->rsp_prod);
    free_all(r);
    if (recovering && journal->entries) {
        recover(r);
    } else {
        memset(journal, 0, blk_journal_bytes(entries));
        journal->req_cons = r->req_cons;
        journal->entries = entries;
    }
    return r;
}

void blk_ring_free(struct blk_ring *r)
{
    if (r->pages)
        pages_unmap_all(r->pages);
    free(r->pages);
    free(r->requests);
    free(r->memory);
    free(r->indirect);
    free(r);
}
