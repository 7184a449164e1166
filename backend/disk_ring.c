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

static struct io_uring uring;
static unsigned unsubmitted;
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

    switch (q->step) {
    case BLK_READ:
        if (q->pieces == 1)
            io_uring_prep_read(sqe, d->fd, q->iov[0].iov_base, (unsigned)q->iov[0].iov_len, offset);
        else
            io_uring_prep_readv(sqe, d->fd, q->iov, q->pieces, offset);
        break;
    case BLK_WRITE:
        if (q->pieces == 1)
            io_uring_prep_write(sqe, d->fd, q->iov[0].iov_base, (unsigned)q->iov[0].iov_len,
                                offset);
        else
            io_uring_prep_writev(sqe, d->fd, q->iov, q->pieces, offset);
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
    if (io_uring_submit(&uring) < 0)
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
    return !error;
}
