/* SPDX-License-Identifier: MIT */
/* Network devices: a ring for what the guest sends (tx), one for what it receives (rx). A frame
 * takes one slot or several; slots with extra information stand behind the first one. */
#ifndef PVABI_IO_NETIF_H
#define PVABI_IO_NETIF_H

#include <pvabi/io/ring.h>

/* Slots of one frame that every back end accepts. */
#define XEN_NETIF_NR_SLOTS_MIN 18
#define XEN_NETIF_MAX_TX_SIZE  0xffff

/* Flags of netif_tx_request. */
#define NETTXF_csum_blank     (1u << 0) /* the checksum field holds the pseudo header's sum only */
#define NETTXF_data_validated (1u << 1) /* the checksum is known to be right */
#define NETTXF_more_data      (1u << 2) /* the frame goes on in the next slot */
#define NETTXF_extra_info     (1u << 3) /* slots of netif_extra_info follow */

struct netif_tx_request {
    grant_ref_t gref;
    uint16_t offset;
    uint16_t flags;
    uint16_t id;
    uint16_t size; /* in the first slot: of the whole frame */
};
PVABI_SIZE(struct netif_tx_request, 12);

#define XEN_NETIF_EXTRA_TYPE_NONE      0
#define XEN_NETIF_EXTRA_TYPE_GSO       1
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD 2
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL 3
#define XEN_NETIF_EXTRA_TYPE_HASH      4
#define XEN_NETIF_EXTRA_TYPE_MAX       5

#define XEN_NETIF_EXTRA_FLAG_MORE (1u << 0)

#define XEN_NETIF_GSO_TYPE_NONE  0
#define XEN_NETIF_GSO_TYPE_TCPV4 1
#define XEN_NETIF_GSO_TYPE_TCPV6 2

struct netif_extra_info {
    uint8_t type;  /* XEN_NETIF_EXTRA_TYPE_* */
    uint8_t flags; /* XEN_NETIF_EXTRA_FLAG_* */
    union {
        struct {
            uint16_t size; /* of the data of one segment */
            uint8_t type;  /* XEN_NETIF_GSO_TYPE_* */
            uint8_t pad;
            uint16_t features;
        } gso;
        struct {
            uint8_t addr[6];
        } mcast;
        struct {
            uint8_t type;
            uint8_t algorithm;
            uint8_t value[4];
        } hash;
        uint16_t pad[3];
    } u;
};
PVABI_SIZE(struct netif_extra_info, 8);

#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR   (-1)
#define NETIF_RSP_OKAY    0
#define NETIF_RSP_NULL    1 /* for a slot of netif_extra_info */

struct netif_tx_response {
    uint16_t id;
    int16_t status; /* NETIF_RSP_* */
};
PVABI_SIZE(struct netif_tx_response, 4);

struct netif_rx_request {
    uint16_t id;
    uint16_t pad;
    grant_ref_t gref;
};
PVABI_SIZE(struct netif_rx_request, 8);

/* Flags of netif_rx_response. */
#define NETRXF_data_validated (1u << 0)
#define NETRXF_csum_blank     (1u << 1)
#define NETRXF_more_data      (1u << 2)
#define NETRXF_extra_info     (1u << 3)
#define NETRXF_gso_prefix     (1u << 4)

struct netif_rx_response {
    uint16_t id;
    uint16_t offset;
    uint16_t flags;
    int16_t status; /* bytes in this slot, or NETIF_RSP_* if negative */
};
PVABI_SIZE(struct netif_rx_response, 8);

PVABI_RING(netif_tx, struct netif_tx_request, struct netif_tx_response);
PVABI_RING(netif_rx, struct netif_rx_request, struct netif_rx_response);

#endif
