/* SPDX-License-Identifier: MIT */
/* The transmit engine. Each slot is read once; what would make the ring's meaning uncertain stops
 * the ring, what concerns one frame costs that frame. */
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "net_tx.h"

/* A frame while its slots are read. */
struct assembly {
    struct net_tx *tx;
    struct net_frame *frame;
    unsigned waiting; /* slots not read yet */
    unsigned slots;   /* with data */
    struct netif_tx_request slot[XEN_NETIF_NR_SLOTS_MIN];
};

static bool violation(struct net_tx *tx, const char *what)
{
    tx->side.broken = what;
    return false;
}

static bool next_slot(struct assembly *a, void *request, unsigned bytes, int frame)
{
    struct net_tx *tx = a->tx;

    if (!a->waiting)
        return violation(tx, "a frame is not complete");
    a->waiting--;
    net_side_read(&tx->side, tx->slots, request, bytes);
    if (frame >= 0)
        tx->id_of[tx->slots] = ((struct netif_tx_request *)request)->id;
    tx->frame_of[tx->slots++] = (int16_t)frame;
    return true;
}

static bool read_extras(struct assembly *a)
{
    struct netif_extra_info extra;

    do {
        if (!next_slot(a, &extra, sizeof(extra), -1))
            return false;
        if (extra.type == XEN_NETIF_EXTRA_TYPE_NONE || extra.type >= XEN_NETIF_EXTRA_TYPE_MAX)
            return violation(a->tx, "extra information of no known type");
        if (extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
            if (!extra.u.gso.size || (extra.u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
                                      extra.u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6))
                return violation(a->tx, "segmentation of no known kind");
            a->frame->gso_type = extra.u.gso.type;
            a->frame->gso_size = extra.u.gso.size;
        } else if (extra.type != XEN_NETIF_EXTRA_TYPE_HASH) {
            a->frame->failed = true; /* multicast lists were not offered */
        }
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return true;
}

/* The first slot's size is the whole frame's: what the others do not have is its own. */
static bool read_slots(struct assembly *a, int index)
{
    struct netif_tx_request slot = a->slot[0];
    unsigned rest = slot.size;

    while (slot.flags & NETTXF_more_data) {
        if (a->slots > NET_SLOTS_FATAL)
            return violation(a->tx, "a frame takes too many slots");
        if (!next_slot(a, &slot, sizeof(slot), index))
            return false;
        if (slot.offset + slot.size > PAGE_BYTES)
            return violation(a->tx, "a slot crosses the end of its page");
        if (a->slots >= XEN_NETIF_NR_SLOTS_MIN || slot.size > rest) {
            a->frame->failed = true;
        } else {
            rest -= slot.size;
            a->slot[a->slots] = slot;
        }
        a->slots++;
    }
    a->slot[0].size = (uint16_t)rest;
    if (!a->frame->failed && a->slot[0].offset + rest > PAGE_BYTES)
        return violation(a->tx, "the first slot crosses the end of its page");
    return true;
}

/* The frame is placed so that its second slot has the same offset in a page as at the guest: so
 * have most others then, and each is copied at once. */
static void fetch(struct assembly *a)
{
    struct net_tx *tx = a->tx;
    unsigned start = tx->used + (unsigned)FRAME_HEAD;
    uint8_t *to;

    if (a->slots > 1)
        start += (a->slot[1].offset - a->slot[0].size - start) % PAGE_BYTES;
    to = tx->memory + start;
    a->frame->buffer = to - FRAME_HEAD;
    tx->used = start + a->frame->bytes;
    for (unsigned i = 0; i < a->slots; i++) {
        const struct netif_tx_request *slot = &a->slot[i];

        if (slot->size)
            copies_add(&tx->copies, false, slot->gref, slot->offset, to, slot->size, a->frame);
        to += slot->size;
    }
}

static bool read_frame(struct net_tx *tx, unsigned waiting)
{
    int index = (int)tx->frames;
    struct assembly a = {.tx = tx, .frame = &tx->frame[index], .waiting = waiting};

    *a.frame = (struct net_frame){.bytes = 0};
    next_slot(&a, &a.slot[0], sizeof(a.slot[0]), index);
    a.slots = 1;
    a.frame->bytes = a.slot[0].size;
    a.frame->csum_blank = a.slot[0].flags & NETTXF_csum_blank;
    a.frame->data_validated = a.slot[0].flags & NETTXF_data_validated;
    if ((a.slot[0].flags & NETTXF_extra_info) && !read_extras(&a))
        return false;
    if (!read_slots(&a, index))
        return false;
    tx->frames++;
    if (a.frame->bytes < ETH_HLEN)
        a.frame->failed = true;
    if (!a.frame->failed)
        fetch(&a);
    return true;
}

static void copy_failed(void *owner)
{
    ((struct net_frame *)owner)->failed = true;
}

/* Hands on the good ones, side by side. */
static void send(struct net_tx *tx)
{
    struct net_frame good[NET_TX_FRAMES];
    unsigned n = 0;

    for (unsigned i = 0; i < tx->frames; i++) {
        struct net_frame *f = &tx->frame[i];

        f->failed = f->failed || !net_offload(f);
        if (f->failed) {
            tx->count.errors++;
            continue;
        }
        good[n++] = *f;
        tx->count.frames++;
        tx->count.bytes += f->bytes;
    }
    if (n)
        tx->sender->send(tx->sender, good, n);
}

static void answer(struct net_tx *tx)
{
    for (unsigned i = 0; i < tx->slots; i++) {
        struct netif_tx_response rsp = {0, NETIF_RSP_NULL};

        if (tx->frame_of[i] >= 0) {
            rsp.id = tx->id_of[i];
            rsp.status = tx->frame[tx->frame_of[i]].failed ? NETIF_RSP_ERROR : NETIF_RSP_OKAY;
        }
        memcpy(tx->response[i], &rsp, sizeof(rsp));
    }
    net_side_push(&tx->side, tx->response, tx->slots);
}

bool net_tx_sweep(struct net_tx *tx)
{
    unsigned waiting = tx->side.broken ? 0 : net_side_waiting(&tx->side);

    tx->used = tx->frames = tx->slots = 0;
    while (!tx->side.broken && tx->slots < waiting && tx->frames < NET_TX_FRAMES &&
           tx->used + PAGE_BYTES + FRAME_SPACE <= NET_TX_MEMORY) {
        if (!read_frame(tx, waiting - tx->slots))
            break;
    }
    if (tx->side.broken)
        return false;
    copies_flush(&tx->copies);
    send(tx);
    answer(tx);
    return net_side_ask(&tx->side, 1);
}

struct net_tx *net_tx_new(struct grants *grants)
{
    struct net_tx *tx = calloc(1, sizeof(*tx));

    if (!tx)
        return NULL;
    tx->copies.grants = grants;
    tx->copies.failed = copy_failed;
    tx->memory = grants->allocate(grants, NET_TX_MEMORY / PAGE_BYTES);
    if (!tx->memory) {
        free(tx);
        return NULL;
    }
    return tx;
}

void net_tx_free(struct net_tx *tx)
{
    if (tx && tx->memory)
        tx->copies.grants->release(tx->copies.grants, tx->memory, NET_TX_MEMORY / PAGE_BYTES);
    free(tx);
}
