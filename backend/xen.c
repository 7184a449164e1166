/* SPDX-License-Identifier: MIT */
/* Grants and events through libxengnttab and libxenevtchn. One handle of each serves all devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xentoollog.h>

#include "copies.h"
#include "log.h"
#include "staging.h"
#include "xen.h"

#define UNMASK_MAX 256

static xengnttab_handle *gnttab;
static xenevtchn_handle *evtchn;

static struct xen_channel **channels; /* by local port */
static unsigned channels_size;
static evtchn_port_t unmask[UNMASK_MAX];
static unsigned unmask_n;

/* --- Grants --- */

/* A piece in memory that is granted to ourselves is named by its grant, up to the end of its page.
 * The bytes that the segment copies. */
static unsigned fill(xengnttab_grant_copy_segment_t *to, const struct grant_copy *from,
                     unsigned done, uint16_t domid)
{
    union xengnttab_copy_ptr *guest = from->to_guest ? &to->dest : &to->source;
    union xengnttab_copy_ptr *local = from->to_guest ? &to->source : &to->dest;
    char *address = (char *)from->local + done;
    unsigned bytes = from->len - done, offset = (uintptr_t)address % PAGE_BYTES;
    uint32_t ref;

    to->flags = from->to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
    if (staging_ref(address, &ref)) {
        local->foreign.ref = ref;
        local->foreign.offset = (uint16_t)offset;
        local->foreign.domid = STAGING_DOMID;
        to->flags |= GNTCOPY_source_gref | GNTCOPY_dest_gref;
        if (bytes > PAGE_BYTES - offset)
            bytes = PAGE_BYTES - offset;
    } else {
        local->virt = address;
    }
    guest->foreign.ref = from->ref;
    guest->foreign.offset = (uint16_t)(from->offset + done);
    guest->foreign.domid = domid;
    to->len = (uint16_t)bytes;
    to->status = GNTST_general_error;
    return bytes;
}

static void copy(struct grants *grants, struct grant_copy *pieces, unsigned n)
{
    /* A piece is in two pages of ours at most. */
    static xengnttab_grant_copy_segment_t segments[2 * COPIES_MAX];
    static struct grant_copy *piece_of[2 * COPIES_MAX];
    uint16_t domid = (uint16_t)((struct xen_grants *)grants)->domid;
    unsigned count = 0;
    int result;

    for (unsigned i = 0; i < n; i++) {
        for (unsigned done = 0; done < pieces[i].len; count++) {
            piece_of[count] = &pieces[i];
            done += fill(&segments[count], &pieces[i], done, domid);
        }
    }
    result = xengnttab_grant_copy(gnttab, count, segments);
    for (unsigned i = 0; i < n; i++)
        pieces[i].ok = result == 0;
    for (unsigned i = 0; i < count; i++) {
        if (segments[i].status != GNTST_okay)
            piece_of[i]->ok = false;
    }
}

static void *allocate(struct grants *grants, unsigned n)
{
    (void)grants;
    return staging_new(n);
}

static void release(struct grants *grants, void *pages, unsigned n)
{
    (void)grants;
    staging_free(pages, n);
}

static void *map(struct grants *grants, const uint32_t *refs, unsigned n, bool writable)
{
    return xengnttab_map_domain_grant_refs(gnttab, n, ((struct xen_grants *)grants)->domid,
                                           (uint32_t *)refs,
                                           writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

static void unmap(struct grants *grants, void *pages, unsigned n)
{
    if (xengnttab_unmap(gnttab, pages, n))
        log_say(LOG_ERROR, "%u pages of domain %u cannot be unmapped: %s", n,
                ((struct xen_grants *)grants)->domid, strerror(errno));
}

void xen_grants_init(struct xen_grants *g, uint32_t domid)
{
    g->grants = (struct grants){copy, map, unmap, allocate, release};
    g->domid = domid;
}

/* --- Events --- */

static void notify(struct notifier *notifier)
{
    struct xen_channel *c = (struct xen_channel *)notifier;

    if (c->port >= 0)
        xenevtchn_notify(evtchn, (evtchn_port_t)c->port);
}

static bool room_for(unsigned port)
{
    unsigned size = channels_size ? channels_size : 256;
    struct xen_channel **more;

    if (port < channels_size)
        return true;
    while (size <= port)
        size *= 2;
    more = realloc(channels, size * sizeof(*more));
    if (!more)
        return false;
    memset(more + channels_size, 0, (size - channels_size) * sizeof(*more));
    channels = more;
    channels_size = size;
    return true;
}

bool xen_channel_bind(struct xen_channel *c, uint32_t domid, uint32_t remote_port,
                      struct work *work)
{
    c->notifier.notify = notify;
    c->work = work;
    c->masked = false;
    c->port = xenevtchn_bind_interdomain(evtchn, domid, remote_port);
    if (c->port < 0)
        return false;
    if (!room_for((unsigned)c->port)) {
        xenevtchn_unbind(evtchn, (evtchn_port_t)c->port);
        c->port = -1;
        return false;
    }
    channels[c->port] = c;
    return true;
}

void xen_channel_unbind(struct xen_channel *c)
{
    if (c->port < 0)
        return;
    channels[c->port] = NULL;
    xen_events_unmask(); /* the list may hold this port */
    xenevtchn_unbind(evtchn, (evtchn_port_t)c->port);
    c->port = -1;
}

void xen_channel_unmask(struct xen_channel *c)
{
    if (c->port < 0 || !c->masked)
        return;
    c->masked = false;
    if (unmask_n == UNMASK_MAX)
        xen_events_unmask();
    unmask[unmask_n++] = (evtchn_port_t)c->port;
}

void xen_events_unmask(void)
{
    size_t bytes = unmask_n * sizeof(*unmask);

    unmask_n = 0;
    if (bytes && write(xen_events_fd(), unmask, bytes) != (ssize_t)bytes)
        log_say(LOG_ERROR, "ports cannot be unmasked: %s", strerror(errno));
}

void xen_events_read(void)
{
    evtchn_port_t ports[256];
    ssize_t bytes = read(xen_events_fd(), ports, sizeof(ports));

    for (ssize_t i = 0; i < bytes / (ssize_t)sizeof(*ports); i++) {
        struct xen_channel *c = ports[i] < channels_size ? channels[ports[i]] : NULL;

        if (!c)
            continue;
        c->masked = true;
        work_schedule(c->work);
    }
}

int xen_events_fd(void)
{
    return xenevtchn_fd(evtchn);
}

bool xen_open(void)
{
    /* The libraries report what callers report too, and front ends can cause it. */
    xentoollog_logger *quiet =
        (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);

    gnttab = xengnttab_open(quiet, 0);
    evtchn = xenevtchn_open(quiet, 0);
    if (!gnttab || !evtchn) {
        log_say(LOG_ERROR, "/dev/xen/%s cannot be opened: %s", gnttab ? "evtchn" : "gntdev",
                strerror(errno));
        return false;
    }
    fcntl(xen_events_fd(), F_SETFL, fcntl(xen_events_fd(), F_GETFL) | O_NONBLOCK);
    return true;
}
