/* SPDX-License-Identifier: MIT */
/* The receive engine: frames from the TAP device into slots of the guest, as many frames as have
 * room, with one call for all copies and one push. */
#include <stdlib.h>
#include <string.h>

#include "net_rx.h"

/* Frames begin with a page, as the pages that they go to are full ones: a piece is copied at once.
 * Their headers are at the end of the page before. */
static void gather(struct net_rx *rx)
{
    unsigned page = 1;

    rx->first = rx->frames = 0;
    rx->drained = false;
    while (rx->frames < NET_RX_FRAMES && page + FRAME_PAGES <= NET_RX_PAGES) {
        struct net_frame *f = &rx->frame[rx->frames];
        long n;

        f->buffer = rx->memory + page * (size_t)PAGE_BYTES - FRAME_HEAD;
        n = rx->receiver->receive(rx->receiver, f->buffer, FRAME_SPACE);
        if (n <= (long)FRAME_HEAD) {
            rx->drained = true;
            return;
        }
        f->bytes = (unsigned)(n - (long)FRAME_HEAD);
        rx->frames++;
        page += ((unsigned)n + PAGE_BYTES - 1) / PAGE_BYTES; /* with room for the next header */
    }
}

static unsigned data_slots(const struct net_frame *f)
{
    return (f->bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static uint8_t gso_of(const struct virtio_net_hdr *head)
{
    switch (head->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        return XEN_NETIF_GSO_TYPE_TCPV4;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        return XEN_NETIF_GSO_TYPE_TCPV6;
    default:
        return XEN_NETIF_GSO_TYPE_NONE;
    }
}

static uint16_t first_flags(const struct virtio_net_hdr *head, uint8_t gso)
{
    uint16_t flags = 0;

    if (head->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        flags = NETRXF_csum_blank | NETRXF_data_validated;
    else if (head->flags & VIRTIO_NET_HDR_F_DATA_VALID)
        flags = NETRXF_data_validated;
    if (gso)
        flags |= NETRXF_extra_info;
    return flags;
}

static void put_extra(struct net_rx *rx, uint8_t gso, uint16_t size)
{
    struct netif_extra_info extra;

    memset(&extra, 0, sizeof(extra));
    extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
    extra.u.gso.type = gso;
    extra.u.gso.size = size;
    memcpy(rx->response[rx->slots], &extra, sizeof(extra));
    rx->failed[rx->slots++] = false;
}

static void put_frame(struct net_rx *rx, struct net_frame *f)
{
    struct virtio_net_hdr head;
    unsigned done = 0;
    uint8_t gso;

    memcpy(&head, f->buffer, sizeof(head));
    gso = gso_of(&head);
    while (done < f->bytes) {
        unsigned bytes = f->bytes - done < PAGE_BYTES ? f->bytes - done : PAGE_BYTES;
        struct netif_rx_response rsp = {.status = (int16_t)bytes};
        struct netif_rx_request request;

        net_side_read(&rx->side, rx->slots, &request, sizeof(request));
        rsp.id = request.id;
        if (!done)
            rsp.flags = first_flags(&head, gso);
        if (done + bytes < f->bytes)
            rsp.flags |= NETRXF_more_data;
        memcpy(rx->response[rx->slots], &rsp, sizeof(rsp));
        rx->failed[rx->slots] = false;
        copies_add(&rx->copies, true, request.gref, 0, frame_data(f) + done, bytes,
                   &rx->failed[rx->slots]);
        rx->slots++;
        if (!done && gso)
            put_extra(rx, gso, head.gso_size);
        done += bytes;
    }
    rx->count.frames++;
    rx->count.bytes += f->bytes;
}

static void copy_failed(void *owner)
{
    *(bool *)owner = true;
}

static void answer(struct net_rx *rx)
{
    for (unsigned i = 0; i < rx->slots; i++) {
        struct netif_rx_response rsp;

        if (!rx->failed[i])
            continue;
        memcpy(&rsp, rx->response[i], sizeof(rsp));
        rsp.status = NETIF_RSP_ERROR;
        memcpy(rx->response[i], &rsp, sizeof(rsp));
        rx->count.errors++;
    }
    net_side_push(&rx->side, rx->response, rx->slots);
    rx->slots = 0;
}

/* Delivers frames while there is room. False if the guest has posted too few slots for the next
 * one. */
static bool deliver(struct net_rx *rx)
{
    unsigned room = net_side_waiting(&rx->side), need = 0;

    while (rx->first < rx->frames) {
        struct net_frame *f = &rx->frame[rx->first];
        struct virtio_net_hdr head;

        memcpy(&head, f->buffer, sizeof(head));
        need = data_slots(f) + (gso_of(&head) ? 1 : 0);
        if (f->bytes > FRAME_MAX || (need > 1 && !rx->scatter)) {
            rx->count.dropped++;
        } else {
            if (rx->slots + need > room)
                break;
            put_frame(rx, f);
        }
        rx->first++;
    }
    copies_flush(&rx->copies);
    answer(rx);
    return rx->first == rx->frames || net_side_ask(&rx->side, need);
}

enum net_rx_result net_rx_sweep(struct net_rx *rx)
{
    if (rx->side.broken)
        return NET_RX_FULL;
    if (rx->first == rx->frames)
        gather(rx);
    if (rx->first < rx->frames && !deliver(rx))
        return NET_RX_FULL;
    return rx->first == rx->frames && rx->drained ? NET_RX_EMPTY : NET_RX_MORE;
}

struct net_rx *net_rx_new(struct grants *grants)
{
    struct net_rx *rx = calloc(1, sizeof(*rx));

    if (!rx)
        return NULL;
    rx->copies.grants = grants;
    rx->copies.failed = copy_failed;
    rx->memory = grants->allocate(grants, NET_RX_PAGES);
    if (!rx->memory) {
        free(rx);
        return NULL;
    }
    return rx;
}

void net_rx_free(struct net_rx *rx)
{
    if (rx && rx->memory)
        rx->copies.grants->release(rx->copies.grants, rx->memory, NET_RX_PAGES);
    free(rx);
}
