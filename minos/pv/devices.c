/* SPDX-License-Identifier: MIT */
/* The disk and the network card that another domain serves. */
#include <pvguest/blk.h>
#include <pvguest/net.h>

#include "pv.h"
#include "../kernel/block.h"
#include "../kernel/net.h"

/* --- Disk --- */

static struct pv_blk blk;

static struct slot {
    struct pv_blk_request request;
    struct block_request *kernels; /* NULL: free */
} slots[PV_BLK_REQUESTS];

static void block_ended(struct pv_blk_request *r, int error)
{
    struct slot *s = (struct slot *)r;
    struct block_request *kernels = s->kernels;

    s->kernels = NULL;
    block_done(kernels, error);
}

static bool block_submit(struct block_request *r)
{
    static const unsigned operations[] = {[BLOCK_READ] = BLKIF_OP_READ,
                                          [BLOCK_WRITE] = BLKIF_OP_WRITE,
                                          [BLOCK_FLUSH] = BLKIF_OP_FLUSH_DISKCACHE};
    struct slot *s = slots;
    long error;

    while (s < slots + PV_BLK_REQUESTS && s->kernels)
        s++;
    if (s == slots + PV_BLK_REQUESTS)
        return false;
    *s = (struct slot){{.operation = operations[r->operation],
                        .sector = r->sector,
                        .memory = phys_to_virt(r->memory),
                        .sectors = r->sectors,
                        .done = block_ended},
                       r};
    error = pv_blk_submit(&blk, &s->request);
    if (error) {
        s->kernels = NULL;
        if (error != -XEN_EBUSY)
            block_done(r, true);
    }
    return error != -XEN_EBUSY;
}

static struct block_device block = {.name = "xvd", .submit = block_submit};

static void block_init(void)
{
    if (pv_blk_open(&blk, 0))
        return;
    block.sectors = blk.sectors;
    block.read_only = blk.readonly;
    block.can_flush = blk.can_flush;
    block_register(&block);
}

/* --- Network card --- */

static struct pv_net card;

static void received(struct pv_net *n, const void *frame, size_t size, bool checked)
{
    (void)n;
    net_input(frame, size, checked);
}

static bool net_send(const void *frame, size_t size)
{
    return pv_net_send(&card, frame, size);
}

static struct net_device net = {.name = "vif", .send = net_send};

static void net_open(void)
{
    card.receive = received;
    if (pv_net_open(&card, 0))
        return;
    __builtin_memcpy(net.mac, card.mac, MAC_SIZE);
    net_register(&net);
}

void devices_init(void)
{
    block_init();
    net_open();
}
