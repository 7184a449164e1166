/* SPDX-License-Identifier: MIT */
/* A frame on its way between a TAP device and a guest, in private memory, and what is left to
 * others to compute in it: checksums and segmentation, as virtio_net_hdr has it for the TAP device.
 */
#ifndef BACKEND_NET_FRAME_H
#define BACKEND_NET_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#define FRAME_MAX 65535u
/* The TAP device's header precedes the frame. */
#define FRAME_HEAD  sizeof(struct virtio_net_hdr)
#define FRAME_SPACE (FRAME_HEAD + FRAME_MAX + 2)

struct net_frame {
    uint8_t *buffer; /* FRAME_HEAD bytes, then the frame */
    unsigned bytes;  /* of the frame */
    /* What the guest said of a frame that it sends. */
    bool csum_blank, data_validated;
    uint8_t gso_type; /* XEN_NETIF_GSO_TYPE_* */
    uint16_t gso_size;
    bool failed;
};

static inline uint8_t *frame_data(const struct net_frame *f)
{
    return f->buffer + FRAME_HEAD;
}

/* Fills in the header of a frame from a guest. False if the frame is not what the guest said. */
bool net_offload(struct net_frame *f);

#endif
