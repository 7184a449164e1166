/* SPDX-License-Identifier: MIT */
/* Virtual network devices: a TAP device, served through one pair of rings or several. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "journal.h"
#include "log.h"
#include "loop.h"
#include "net_rx.h"
#include "tap.h"
#include "xen.h"

#define QUEUES_MAX 8

struct vif_journals {
    struct net_journal tx, rx;
};

struct vif_queue {
    struct work work;
    struct vif *vif;
    struct net_sender sender;
    struct net_receiver receiver;
    struct xen_channel channel[2]; /* the second only if rx has its own */
    struct net_tx *tx;
    struct net_rx *rx;
    void *tx_ring, *rx_ring;
    struct vif_journals *journals;
    struct event *readable;
    bool listening;  /* the event is set */
    bool has_frames; /* the TAP device had some when it was last asked */
    int fd;
};

struct vif {
    struct device dev;
    struct xen_grants grants;
    char name[IFNAMSIZ];
    int fd; /* the first queue's */
    struct net_counters ended_tx, ended_rx; /* what connections that have ended counted */
    unsigned queues;
    struct vif_queue queue[QUEUES_MAX];
};

/* --- Traffic --- */

static void tap_send(struct net_sender *sender, struct net_frame *frames, unsigned n)
{
    struct vif_queue *q = (struct vif_queue *)((char *)sender - offsetof(struct vif_queue, sender));

    for (unsigned i = 0; i < n; i++) {
        if (write(q->fd, frames[i].buffer, FRAME_HEAD + frames[i].bytes) < 0)
            q->tx->count.dropped++;
    }
}

static long tap_receive(struct net_receiver *receiver, uint8_t *buffer, unsigned size)
{
    struct vif_queue *q =
        (struct vif_queue *)((char *)receiver - offsetof(struct vif_queue, receiver));

    return read(q->fd, buffer, size);
}

static void tap_readable(evutil_socket_t fd, short what, void *queue)
{
    (void)fd;
    (void)what;
    ((struct vif_queue *)queue)->has_frames = true;
    work_schedule(&((struct vif_queue *)queue)->work);
}

/* While the guest has no room, the TAP device is not listened to. */
static void listen_to_tap(struct vif_queue *q, bool listen)
{
    if (q->listening == listen)
        return;
    q->listening = listen;
    if (listen)
        event_add(q->readable, NULL);
    else
        event_del(q->readable);
}

static bool queue_run(struct work *work)
{
    struct vif_queue *q = (struct vif_queue *)work;
    enum net_rx_result received = NET_RX_EMPTY;
    bool more;

    if (q->vif->dev.stopping)
        return false;
    more = net_tx_sweep(q->tx);
    if (q->has_frames)
        received = net_rx_sweep(q->rx);
    q->has_frames = received != NET_RX_EMPTY;
    if (q->tx->side.broken || q->rx->side.broken) {
        device_fail(&q->vif->dev, q->tx->side.broken ? q->tx->side.broken : q->rx->side.broken);
        return false;
    }
    listen_to_tap(q, received != NET_RX_FULL);
    if (more || received == NET_RX_MORE)
        return true;
    xen_channel_unmask(&q->channel[0]);
    xen_channel_unmask(&q->channel[1]);
    return false;
}

/* --- What is offered --- */

static struct device *vif_create(void)
{
    struct vif *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->fd = -1;
    return &v->dev;
}

static void journal_name(const struct vif *v, unsigned queue, char name[64])
{
    snprintf(name, 64, "vif-%u-%u-%u", v->dev.domid, v->dev.id, queue);
}

static void vif_destroy(struct device *dev)
{
    struct vif *v = (struct vif *)dev;
    char name[64];

    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        journal_name(v, i, name);
        journal_remove(name);
    }

    if (v->fd >= 0) {
        tap_keep(v->fd, false);
        close(v->fd);
    }
    free(v);
}

/* The names of interfaces come from the toolstack; with a bridge given, no script is needed. */
static bool set_up(struct vif *v)
{
    const char *back = v->dev.back;
    char bridge[IFNAMSIZ], script[STORE_PATH];

    if (!store_text(back, "vifname", v->name, sizeof(v->name)) || !*v->name)
        snprintf(v->name, sizeof(v->name), "vif%u.%u", v->dev.domid % 0x8000, v->dev.id % 1000);
    v->fd = tap_open(v->name);
    if (v->fd < 0 || !tap_up(v->name, (unsigned)store_number(back, "mtu", 0)))
        return false;
    if (store_text(back, "bridge", bridge, sizeof(bridge)) && *bridge) {
        if (!tap_join(v->name, bridge))
            return false;
        store_put(back, "hotplug-status", "connected");
    } else if (!store_text(back, "script", script, sizeof(script))) {
        store_put(back, "hotplug-status", "connected");
    }
    return true;
}

static enum device_result vif_offer(struct device *dev)
{
    static const char *const features[] = {"feature-sg",        "feature-gso-tcpv4",
                                           "feature-gso-tcpv6", "feature-ipv6-csum-offload",
                                           "feature-rx-copy",   "feature-split-event-channels"};
    struct vif *v = (struct vif *)dev;

    if (v->fd < 0 && !set_up(v))
        return DEVICE_FAILED;
    do {
        store_begin();
        for (unsigned i = 0; i < sizeof(features) / sizeof(*features); i++)
            store_put(dev->back, features[i], "1");
        store_put(dev->back, "feature-rx-flip", "0");
        store_put(dev->back, "multi-queue-max-queues", "%u",
                  device_options.queues < QUEUES_MAX ? device_options.queues : QUEUES_MAX);
    } while (!store_commit());
    return DEVICE_OK;
}

static void vif_describe(struct device *dev)
{
    (void)dev; /* all was said before */
}

/* --- Connecting --- */

static bool queue_memory(struct vif_queue *q, const struct journal_key *key, bool resume)
{
    struct grants *grants = &q->vif->grants.grants;
    char name[64];
    bool known;

    journal_name(q->vif, (unsigned)(q - q->vif->queue), name);
    q->journals = journal_open(name, key, resume, sizeof(*q->journals), &known);
    q->tx_ring = grants->map(grants, &key->refs[0], 1, true);
    q->rx_ring = grants->map(grants, &key->refs[1], 1, true);
    q->tx = net_tx_new(grants);
    q->rx = net_rx_new(grants);
    if (!q->journals || !q->tx_ring || !q->rx_ring || !q->tx || !q->rx)
        return false;
    net_side_init(&q->tx->side, q->tx_ring, true, &q->journals->tx, resume && known);
    net_side_init(&q->rx->side, q->rx_ring, false, &q->journals->rx, resume && known);
    return true;
}

static bool queue_events(struct vif_queue *q, const uint32_t port[2])
{
    bool split = port[1] != UINT32_MAX;

    q->tx->side.notifier = &q->channel[0].notifier;
    q->rx->side.notifier = &q->channel[split].notifier;
    return xen_channel_bind(&q->channel[0], q->vif->dev.domid, port[0], &q->work) &&
           (!split || xen_channel_bind(&q->channel[1], q->vif->dev.domid, port[1], &q->work));
}

static bool queue_keys(const char *dir, struct journal_key *key, uint32_t port[2])
{
    uint64_t tx = store_number(dir, "tx-ring-ref", UINT64_MAX);
    uint64_t rx = store_number(dir, "rx-ring-ref", UINT64_MAX);

    port[1] = UINT32_MAX;
    port[0] = (uint32_t)store_number(dir, "event-channel", UINT32_MAX);
    if (port[0] == UINT32_MAX) {
        port[0] = (uint32_t)store_number(dir, "event-channel-tx", UINT32_MAX);
        port[1] = (uint32_t)store_number(dir, "event-channel-rx", UINT32_MAX);
        if (port[1] == UINT32_MAX)
            return false;
    }
    key->refs[0] = (uint32_t)tx;
    key->refs[1] = (uint32_t)rx;
    key->port = port[0];
    return tx <= UINT32_MAX && rx <= UINT32_MAX && port[0] != UINT32_MAX;
}

static bool queue_connect(struct vif_queue *q, const char *dir, bool resume)
{
    struct journal_key key;
    uint32_t port[2];

    memset(&key, 0, sizeof(key));
    key.domid = q->vif->dev.domid;
    if (!queue_keys(dir, &key, port) || !queue_memory(q, &key, resume) || !queue_events(q, port))
        return false;
    q->sender.send = tap_send;
    q->receiver.receive = tap_receive;
    q->tx->sender = &q->sender;
    q->rx->receiver = &q->receiver;
    q->fd = q == q->vif->queue ? q->vif->fd : tap_open(q->vif->name);
    if (q->fd < 0)
        return false;
    q->readable = event_new(loop_base, q->fd, EV_READ | EV_PERSIST, tap_readable, q);
    return q->readable;
}

static void add_ended(struct net_counters *sum, const struct net_counters *c)
{
    sum->frames += c->frames;
    sum->bytes += c->bytes;
    sum->dropped += c->dropped;
    sum->errors += c->errors;
}

static void report_ended(FILE *to, const char *name, const struct net_counters *c)
{
    fprintf(to,
            "\"%s\":{\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"dropped\":%" PRIu64
            ",\"errors\":%" PRIu64 "}",
            name, c->frames, c->bytes, c->dropped, c->errors);
}

static void queue_release(struct vif_queue *q)
{
    struct grants *grants = &q->vif->grants.grants;

    work_cancel(&q->work);
    if (q->readable)
        event_free(q->readable);
    xen_channel_unbind(&q->channel[0]);
    xen_channel_unbind(&q->channel[1]);
    if (q->tx)
        add_ended(&q->vif->ended_tx, &q->tx->count);
    if (q->rx)
        add_ended(&q->vif->ended_rx, &q->rx->count);
    net_tx_free(q->tx);
    net_rx_free(q->rx);
    if (q->journals)
        journal_close(q->journals, sizeof(*q->journals));
    if (q->tx_ring)
        grants->unmap(grants, q->tx_ring, 1);
    if (q->rx_ring)
        grants->unmap(grants, q->rx_ring, 1);
    if (q->fd >= 0 && q->fd != q->vif->fd)
        close(q->fd);
}

static void vif_release(struct device *dev)
{
    struct vif *v = (struct vif *)dev;

    for (unsigned i = 0; i < v->queues; i++)
        queue_release(&v->queue[i]);
    v->queues = 0;
}

static void use_features(struct vif *v, const char *front)
{
    bool scatter = store_number(front, "feature-sg", 0) == 1;
    bool checksums = !store_number(front, "feature-no-csum-offload", 0) &&
                     store_number(front, "feature-ipv6-csum-offload", 0) == 1;

    for (unsigned i = 0; i < v->queues; i++)
        v->queue[i].rx->scatter = scatter;
    tap_offload(v->fd, checksums, scatter && store_number(front, "feature-gso-tcpv4", 0) == 1,
                scatter && store_number(front, "feature-gso-tcpv6", 0) == 1);
}

static enum device_result vif_connect(struct device *dev, bool resume)
{
    struct vif *v = (struct vif *)dev;
    char front[STORE_PATH], dir[STORE_PATH + 16], status[16] = "";
    uint64_t queues;

    store_text(dev->back, "hotplug-status", status, sizeof(status));
    if (strcmp(status, "connected"))
        return DEVICE_LATER;
    device_front_dir(dev, front);
    queues = store_number(front, "multi-queue-num-queues", 1);
    if (!queues || queues > device_options.queues || queues > QUEUES_MAX ||
        store_number(front, "request-rx-copy", 0) != 1)
        return DEVICE_FAILED;
    xen_grants_init(&v->grants, dev->domid);
    for (unsigned i = 0; i < queues; i++) {
        struct vif_queue *q = &v->queue[i];

        *q = (struct vif_queue){
            .work.run = queue_run, .vif = v, .channel = {{.port = -1}, {.port = -1}}, .fd = -1};
        v->queues = i + 1;
        snprintf(dir, sizeof(dir), queues > 1 ? "%s/queue-%u" : "%s", front, i);
        if (!queue_connect(q, dir, resume)) {
            vif_release(dev);
            return DEVICE_FAILED;
        }
    }
    use_features(v, front);
    for (unsigned i = 0; i < queues; i++) {
        if (resume) {
            v->queue[i].tx->side.notifier->notify(v->queue[i].tx->side.notifier);
            v->queue[i].rx->side.notifier->notify(v->queue[i].rx->side.notifier);
        }
        work_schedule(&v->queue[i].work);
    }
    return DEVICE_OK;
}

/* --- Stopping: nothing is under way between two runs of a queue --- */

static void vif_stop(struct device *dev)
{
    device_check_soon(dev);
}

static bool vif_idle(struct device *dev)
{
    (void)dev;
    return true;
}

static void report_side(FILE *to, const char *name, const struct net_counters *c,
                        const struct net_side *side, const struct copies *copies)
{
    fprintf(to,
            "\"%s\":{\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"dropped\":%" PRIu64
            ",\"errors\":%" PRIu64 ",\"events_out\":%" PRIu64 ",\"copy_calls\":%" PRIu64 "}",
            name, c->frames, c->bytes, c->dropped, c->errors, side->events_out, copies->calls);
}

static void vif_report(struct device *dev, FILE *to)
{
    struct vif *v = (struct vif *)dev;

    fprintf(to, ",\"ended\":{");
    report_ended(to, "tx", &v->ended_tx);
    fprintf(to, ",");
    report_ended(to, "rx", &v->ended_rx);
    fprintf(to, "},\"interface\":\"%s\",\"queues\":[", v->name);
    for (unsigned i = 0; i < v->queues; i++) {
        const struct vif_queue *q = &v->queue[i];

        fprintf(to, "%s{", i ? "," : "");
        report_side(to, "tx", &q->tx->count, &q->tx->side, &q->tx->copies);
        fprintf(to, ",");
        report_side(to, "rx", &q->rx->count, &q->rx->side, &q->rx->copies);
        fprintf(to, "}");
    }
    fprintf(to, "]");
}

const struct device_class vif_class = {
    .name = "vif",
    .create = vif_create,
    .destroy = vif_destroy,
    .offer = vif_offer,
    .connect = vif_connect,
    .describe = vif_describe,
    .stop = vif_stop,
    .idle = vif_idle,
    .release = vif_release,
    .report = vif_report,
    .front_ready = 4,
};
