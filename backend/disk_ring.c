/* SPDX-License-Identifier: MIT */
/* Requests to disks through one io_uring: gathered, submitted together, completed in any order. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <string.h>

#include "disk.h"
#include "log.h"

#define RING_ENTRIES 512
#define MEMORIES                                                                                   \
    64 /* rings whose memory stays pinned; that of others is pinned for each request               \
        */

static struct io_uring uring;
static unsigned unsubmitted;
static bool memories[MEMORIES]; /* that are in use */
static bool have_memories;
/* Requests that found no place in the ring; they go first. */
static struct blk_request *backlog, **backlog_end = &backlog;

void (*disk_completed)(struct blk_ring *ring);

static uint64_t bytes_of(const struct blk_request *q)
{
    return q->step == BLK_READ || q->step == BLK_WRITE ? q->sectors * BLK_SECTOR : 0;
}

static void prepare(struct io_uring_sqe *sqe, const struct disk *d, struct blk_request *q)
{
    uint64_t offset = q->sector * BLK_SECTOR;
    unsigned bytes = (unsigned)bytes_of(q);

    switch (q->step) {
    case BLK_READ:
        if (q->ring->memory_index >= 0)
            io_uring_prep_read_fixed(sqe, d->fd, q->buffer, bytes, offset, q->ring->memory_index);
        else
            io_uring_prep_read(sqe, d->fd, q->buffer, bytes, offset);
        break;
    case BLK_WRITE:
        if (q->ring->memory_index >= 0)
            io_uring_prep_write_fixed(sqe, d->fd, q->buffer, bytes, offset, q->ring->memory_index);
        else
            io_uring_prep_write(sqe, d->fd, q->buffer, bytes, offset);
        break;
    case BLK_FLUSH:
        io_uring_prep_fsync(sqe, d->fd, IORING_FSYNC_DATASYNC);
        break;
    case BLK_DISCARD:
        io_uring_prep_fallocate(sqe, d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                (off_t)offset, (off_t)(q->sectors * BLK_SECTOR));
        break;
    }
    io_uring_sqe_set_data(sqe, q);
}

static bool place(struct blk_request *q)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring);

    if (!sqe) {
        io_uring_submit(&uring);
        unsubmitted = 0;
        sqe = io_uring_get_sqe(&uring);
    }
    if (!sqe)
        return false;
    prepare(sqe, (struct disk *)q->ring->io, q);
    unsubmitted++;
    return true;
}

static void queue(struct blk_request *q)
{
    if (!backlog && place(q))
        return;
    q->next = NULL;
    *backlog_end = q;
    backlog_end = &q->next;
}

static void submit(struct blk_io *io, struct blk_request *q)
{
    /* Data that could not be made durable is lost: no later flush may say otherwise. */
    if (q->step == BLK_FLUSH && ((struct disk *)io)->sync_failed)
        blk_ring_complete(q, EIO);
    else
        queue(q);
}

void disk_ring_submit(void)
{
    while (backlog) {
        struct blk_request *q = backlog;

        if (!place(q))
            break;
        backlog = q->next;
        if (!backlog)
            backlog_end = &backlog;
    }
    if (!unsubmitted)
        return;
    unsubmitted = 0;
    /* What completes at once is reaped without another call. */
    if (io_uring_submit_and_get_events(&uring) < 0)
        unsubmitted = 1; /* for lack of memory: the next pass tries again */
}

static void complete(struct blk_request *q, int result)
{
    struct disk *d = (struct disk *)q->ring->io;
    struct blk_ring *ring = q->ring;

    if (result == -EAGAIN || result == -EINTR) {
        queue(q);
        return;
    }
    if (result >= 0 && (uint64_t)result != bytes_of(q))
        result = -EIO;
    if (result < 0) {
        log_say(LOG_WARNING, "step %d at sector %llu failed: %s", q->step,
                (unsigned long long)q->sector, strerror(-result));
        if (q->step == BLK_FLUSH)
            d->sync_failed = true;
    }
    blk_ring_complete(q, result < 0 ? -result : 0);
    disk_completed(ring);
}

bool disk_ring_reap(void)
{
    struct io_uring_cqe *cqe;
    unsigned n = 0;

    while (io_uring_peek_cqe(&uring, &cqe) == 0) {
        struct blk_request *q = io_uring_cqe_get_data(cqe);
        int result = cqe->res;

        io_uring_cqe_seen(&uring, cqe);
        complete(q, result);
        n++;
    }
    return n;
}

static bool set_memory(unsigned index, void *start, size_t bytes)
{
    struct iovec memory = {start, bytes};
    __u64 tag = 0;

    return io_uring_register_buffers_update_tag(&uring, index, &memory, &tag, 1) == 1;
}

void disk_memory_pin(struct blk_ring *r)
{
    unsigned i = 0;

    while (i < MEMORIES && memories[i])
        i++;
    if (!have_memories || i == MEMORIES ||
        !set_memory(i, r->memory, (size_t)BLK_BUFFER_PAGES * PAGE_BYTES))
        return;
    memories[i] = true;
    r->memory_index = (int)i;
}

void disk_memory_unpin(struct blk_ring *r)
{
    if (r->memory_index < 0)
        return;
    set_memory((unsigned)r->memory_index, NULL, 0);
    memories[r->memory_index] = false;
    r->memory_index = -1;
}

void disk_io_init(struct disk *d)
{
    d->io.submit = submit;
    d->fd = -1;
}

int disk_ring_fd(void)
{
    return uring.ring_fd;
}

bool disk_ring_open(void)
{
    int error = io_uring_queue_init(RING_ENTRIES, &uring,
                                    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                        IORING_SETUP_TASKRUN_FLAG);

    if (error == -EINVAL) /* before Linux 6.1 */
        error = io_uring_queue_init(RING_ENTRIES, &uring, 0);
    if (error)
        log_say(LOG_ERROR, "io_uring is not to be had: %s", strerror(-error));
    have_memories = !error && !io_uring_register_buffers_sparse(&uring, MEMORIES);
    return !error;
}
