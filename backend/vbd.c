/* SPDX-License-Identifier: MIT */
/* Virtual block devices: a disk, served through one ring or several. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "disk.h"
#include "journal.h"
#include "log.h"
#include "xen.h"

#define QUEUES_MAX 8
#define SWEEP      16 /* requests that a ring takes before it is another's turn */

struct vbd_queue {
    struct work work;
    struct vbd *vbd;
    struct xen_channel channel;
    struct blk_ring *ring;
    struct blkif_sring *shared;
    unsigned pages;
    struct blk_journal *journal;
    size_t journal_bytes;
};

struct vbd {
    struct device dev;
    struct disk disk;
    struct xen_grants grants;
    bool persistent;
    bool told_busy;
    struct blk_counters ended; /* what connections that have ended counted, and the report has of it */
    unsigned queues;
    struct vbd_queue queue[QUEUES_MAX];
};

static bool queue_idle(const struct vbd_queue *q)
{
    return !q->ring->inflight && !q->ring->done;
}

static bool queue_run(struct work *work)
{
    struct vbd_queue *q = (struct vbd_queue *)work;
    struct device *dev = &q->vbd->dev;
    bool more;

    blk_ring_settle(q->ring);
    if (dev->stopping) {
        if (queue_idle(q))
            device_check_soon(dev);
        return false;
    }
    more = blk_ring_sweep(q->ring, SWEEP);
    if (q->ring->broken)
        device_fail(dev, q->ring->broken);
    else if (!more)
        xen_channel_unmask(&q->channel);
    return more || q->ring->done;
}

static void queue_completed(struct blk_ring *ring)
{
    work_schedule(&((struct vbd_queue *)ring->owner)->work);
}

static struct device *vbd_create(void)
{
    struct vbd *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    disk_completed = queue_completed;
    disk_io_init(&v->disk);
    return &v->dev;
}

static void journal_name(const struct vbd *v, unsigned queue, char name[64])
{
    snprintf(name, 64, "vbd-%u-%u-%u", v->dev.domid, v->dev.id, queue);
}

static void vbd_destroy(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;
    char name[64];

    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        journal_name(v, i, name);
        journal_remove(name);
    }

    disk_close(&v->disk);
    free(v);
}

/* --- What is offered --- */

/* The toolstack names the image in "params", maybe after a type; a hotplug script that has set
 * something up on it leaves "physical-device-path". */
static bool image_path(const struct vbd *v, char path[STORE_PATH])
{
    char value[STORE_PATH];
    const char *name = value;

    if (store_text(v->dev.back, "physical-device-path", path, STORE_PATH))
        return true;
    if (!store_text(v->dev.back, "params", value, sizeof(value)))
        return false;
    while (*name != '/' && strchr(name, ':'))
        name = strchr(name, ':') + 1;
    snprintf(path, STORE_PATH, "%s", name);
    return *path;
}

static enum device_result vbd_offer(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;
    char path[STORE_PATH], mode[8] = "r";
    const char *back = dev->back;

    if (!image_path(v, path))
        return DEVICE_LATER;
    store_text(back, "mode", mode, sizeof(mode));
    switch (disk_open(&v->disk, path, !strchr(mode, 'w'), !device_options.buffered)) {
    case DISK_BUSY:
        if (!v->told_busy)
            log_say(LOG_WARNING, "%s waits: %s is in use by another device or program", back, path);
        v->told_busy = true;
        return DEVICE_LATER;
    case DISK_FAILED:
        return DEVICE_FAILED;
    case DISK_OPEN:
        break;
    }
    log_say(LOG_INFO, "%s is %s, %" PRIu64 " sectors%s%s", back, path, v->disk.limits.sectors,
            v->disk.limits.read_only ? ", read-only" : "", v->disk.direct ? ", direct" : "");
    do {
        store_begin();
        store_put(back, "feature-max-indirect-segments", "%u", BLK_SEGMENTS_MAX);
        store_put(back, "multi-queue-max-queues", "%u",
                  device_options.queues < QUEUES_MAX ? device_options.queues : QUEUES_MAX);
        store_put(back, "max-ring-page-order", "%u", BLK_RING_ORDER);
        store_put(back, "hotplug-status", "connected");
    } while (!store_commit());
    return DEVICE_OK;
}

static void vbd_describe(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;
    const struct disk *d = &v->disk;
    const char *back = dev->back;
    char type[16] = "";
    unsigned info = d->limits.read_only ? VDISK_READONLY : 0;

    store_text(back, "device-type", type, sizeof(type));
    if (!strcmp(type, "cdrom"))
        info |= VDISK_CDROM;
    if (store_number(back, "removable", 0))
        info |= VDISK_REMOVABLE;
    do {
        store_begin();
        store_put(back, "sectors", "%" PRIu64, d->limits.sectors);
        store_put(back, "sector-size", "%u", d->limits.align * BLK_SECTOR);
        store_put(back, "physical-sector-size", "%u", d->physical_block);
        store_put(back, "info", "%u", info);
        store_put(back, "feature-flush-cache", "1");
        store_put(back, "feature-barrier", "1");
        store_put(back, "feature-persistent", "1");
        store_put(back, "feature-discard", "%d", d->limits.discard);
        store_put(back, "discard-granularity", "%u", d->discard_granularity);
        store_put(back, "discard-alignment", "%u", d->discard_alignment);
        store_put(back, "discard-secure", "0");
    } while (!store_commit());
}

/* --- Connecting --- */

static bool read_refs(struct vbd_queue *q, const char *dir, int order, struct journal_key *key)
{
    char name[16];

    q->pages = order < 0 ? 1 : 1u << order;
    for (unsigned i = 0; i < q->pages; i++) {
        uint64_t ref;

        snprintf(name, sizeof(name), order < 0 ? "ring-ref" : "ring-ref%u", i);
        ref = store_number(dir, name, UINT64_MAX);
        if (ref > UINT32_MAX)
            return false;
        key->refs[i] = (uint32_t)ref;
    }
    key->domid = q->vbd->dev.domid;
    key->port = (uint32_t)store_number(dir, "event-channel", UINT32_MAX);
    return key->port != UINT32_MAX;
}

static bool open_journal(struct vbd_queue *q, const struct journal_key *key, uint32_t entries,
                         bool *recover)
{
    char name[64];
    bool known;

    journal_name(q->vbd, (unsigned)(q - q->vbd->queue), name);
    q->journal_bytes = blk_journal_bytes(entries);
    q->journal = journal_open(name, key, *recover, q->journal_bytes, &known);
    *recover = *recover && known;
    return q->journal;
}

static bool queue_connect(struct vbd_queue *q, const char *dir, int order, bool recover)
{
    struct vbd *v = q->vbd;
    struct grants *grants = &v->grants.grants;
    struct journal_key key;
    uint32_t entries;

    memset(&key, 0, sizeof(key));
    if (!read_refs(q, dir, order, &key))
        return false;
    entries = pvabi_ring_entries(q->pages * PAGE_BYTES, sizeof(union blkif_sring_entry));
    q->shared = grants->map(grants, key.refs, q->pages, true);
    if (!q->shared || !open_journal(q, &key, entries, &recover))
        return false;
    q->ring = blk_ring_new(q->shared, entries, q->journal, recover, grants, v->persistent);
    if (!q->ring)
        return false;
    q->ring->limits = &v->disk.limits;
    q->ring->io = &v->disk.io;
    q->ring->notifier = &q->channel.notifier;
    q->ring->owner = q;
    disk_memory_pin(q->ring);
    return xen_channel_bind(&q->channel, v->dev.domid, key.port, &q->work);
}

static void add_ended(struct blk_counters *sum, const struct blk_counters *c)
{
    sum->reads += c->reads;
    sum->writes += c->writes;
    sum->flushes += c->flushes;
    sum->discards += c->discards;
    sum->errors += c->errors;
    sum->sectors_read += c->sectors_read;
    sum->sectors_written += c->sectors_written;
}

static void queue_release(struct vbd_queue *q)
{
    struct grants *grants = &q->vbd->grants.grants;

    work_cancel(&q->work);
    xen_channel_unbind(&q->channel);
    if (q->ring) {
        add_ended(&q->vbd->ended, &q->ring->count);
        disk_memory_unpin(q->ring);
        blk_ring_free(q->ring);
    }
    if (q->journal)
        journal_close(q->journal, q->journal_bytes);
    if (q->shared)
        grants->unmap(grants, q->shared, q->pages);
    q->ring = NULL;
    q->journal = NULL;
    q->shared = NULL;
}

static void vbd_release(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;

    for (unsigned i = 0; i < v->queues; i++)
        queue_release(&v->queue[i]);
    v->queues = 0;
}

static enum device_result vbd_connect(struct device *dev, bool resume)
{
    struct vbd *v = (struct vbd *)dev;
    char front[STORE_PATH], dir[STORE_PATH + 16], protocol[32] = "x86_64-abi";
    uint64_t order, queues;

    device_front_dir(dev, front);
    order = store_number(front, "ring-page-order", UINT64_MAX);
    queues = store_number(front, "multi-queue-num-queues", 1);
    store_text(front, "protocol", protocol, sizeof(protocol));
    v->persistent = store_number(front, "feature-persistent", 0) == 1;
    if ((order != UINT64_MAX && order > BLK_RING_ORDER) || !queues ||
        queues > device_options.queues || queues > QUEUES_MAX || strcmp(protocol, "x86_64-abi"))
        return DEVICE_FAILED;
    xen_grants_init(&v->grants, dev->domid);
    for (unsigned i = 0; i < queues; i++) {
        struct vbd_queue *q = &v->queue[i];

        *q = (struct vbd_queue){.work.run = queue_run, .vbd = v, .channel.port = -1};
        v->queues = i + 1;
        snprintf(dir, sizeof(dir), queues > 1 ? "%s/queue-%u" : "%s", front, i);
        if (!queue_connect(q, dir, order == UINT64_MAX ? -1 : (int)order, resume)) {
            vbd_release(dev);
            return DEVICE_FAILED;
        }
    }
    for (unsigned i = 0; i < queues; i++) {
        /* A predecessor may have answered without notifying, and events while nobody listened are
         * lost. */
        if (resume)
            v->queue[i].channel.notifier.notify(&v->queue[i].channel.notifier);
        work_schedule(&v->queue[i].work);
    }
    return DEVICE_OK;
}

/* --- Stopping --- */

static void vbd_stop(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;

    for (unsigned i = 0; i < v->queues; i++)
        work_schedule(&v->queue[i].work);
}

static bool vbd_idle(struct device *dev)
{
    struct vbd *v = (struct vbd *)dev;

    for (unsigned i = 0; i < v->queues; i++) {
        if (!queue_idle(&v->queue[i]))
            return false;
    }
    return true;
}

static void vbd_report(struct device *dev, FILE *to)
{
    struct vbd *v = (struct vbd *)dev;
    const struct blk_counters *e = &v->ended;
    const char *comma = "";

    fprintf(to,
            ",\"ended\":{\"reads\":%" PRIu64 ",\"writes\":%" PRIu64 ",\"flushes\":%" PRIu64
            ",\"discards\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"sectors_read\":%" PRIu64
            ",\"sectors_written\":%" PRIu64 "}",
            e->reads, e->writes, e->flushes, e->discards, e->errors, e->sectors_read,
            e->sectors_written);
    fprintf(to, ",\"sectors\":%" PRIu64 ",\"persistent\":%s,\"queues\":[", v->disk.limits.sectors,
            v->persistent ? "true" : "false");
    for (unsigned i = 0; i < v->queues; i++) {
        const struct blk_ring *r = v->queue[i].ring;
        const struct blk_counters *c = &r->count;

        fprintf(to,
                "%s{\"reads\":%" PRIu64 ",\"writes\":%" PRIu64 ",\"flushes\":%" PRIu64
                ",\"discards\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"sectors_read\":%" PRIu64
                ",\"sectors_written\":%" PRIu64 ",\"events_out\":%" PRIu64
                ",\"mapped_segments\":%" PRIu64 ",\"copied_segments\":%" PRIu64
                ",\"copy_calls\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"in_flight\":%u}",
                comma, c->reads, c->writes, c->flushes, c->discards, c->errors, c->sectors_read,
                c->sectors_written, c->events_out, c->mapped_segments, c->copied_segments,
                r->copies.calls, c->replayed, r->inflight);
        comma = ",";
    }
    fprintf(to, "]");
}

const struct device_class vbd_class = {
    .name = "vbd",
    .create = vbd_create,
    .destroy = vbd_destroy,
    .offer = vbd_offer,
    .connect = vbd_connect,
    .describe = vbd_describe,
    .stop = vbd_stop,
    .idle = vbd_idle,
    .release = vbd_release,
    .report = vbd_report,
    .front_ready = 3,
};
