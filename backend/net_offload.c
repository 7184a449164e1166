/* SPDX-License-Identifier: MIT */
/* From what a guest says of its frame to a header that the TAP device may believe: the places of
 * headers come from the frame itself, within its bounds. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include <pvabi/io/netif.h>

#include "net_frame.h"

#define TCP_MIN          20
#define TCP_CHECKSUM     16
#define UDP_MIN          8
#define UDP_CHECKSUM     6
#define IPV4_MIN         20
#define IPV4_FRAGMENT    0x1fff
#define IPV6_HEAD        40
#define IPV6_OPTIONS     8 /* extension headers that are followed */
#define VLAN_TAGS        2
#define ETHERTYPE_8021AD 0x88a8

struct headers {
    unsigned network, transport; /* offsets in the frame */
    uint8_t protocol;            /* IPPROTO_TCP or IPPROTO_UDP */
    bool v6;
};

static unsigned word_at(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool parse_v4(const uint8_t *data, unsigned bytes, struct headers *h)
{
    const uint8_t *ip = data + h->network;
    unsigned length;

    if (bytes - h->network < IPV4_MIN)
        return false;
    length = (ip[0] & 15u) * 4;
    if (ip[0] >> 4 != 4 || length < IPV4_MIN || word_at(ip + 6) & IPV4_FRAGMENT)
        return false;
    h->protocol = ip[9];
    h->transport = h->network + length;
    return true;
}

static bool parse_v6(const uint8_t *data, unsigned bytes, struct headers *h)
{
    unsigned at = h->network + IPV6_HEAD;
    uint8_t next;

    if (bytes < at || data[h->network] >> 4 != 6)
        return false;
    next = data[h->network + 6];
    for (unsigned i = 0; i < IPV6_OPTIONS; i++) {
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) {
            h->protocol = next;
            h->transport = at;
            h->v6 = true;
            return true;
        }
        if (bytes < at + 8)
            return false;
        next = data[at];
        at += 8 * (data[at + 1] + 1u);
    }
    return false;
}

static bool parse(const uint8_t *data, unsigned bytes, struct headers *h)
{
    unsigned at = ETH_HLEN, type = word_at(data + 12), minimum;

    for (unsigned i = 0; i < VLAN_TAGS && (type == ETH_P_8021Q || type == ETHERTYPE_8021AD); i++) {
        if (bytes < at + 4)
            return false;
        type = word_at(data + at + 2);
        at += 4;
    }
    memset(h, 0, sizeof(*h));
    h->network = at;
    if (type == ETH_P_IP ? !parse_v4(data, bytes, h)
                         : type != ETH_P_IPV6 || !parse_v6(data, bytes, h))
        return false;
    if (h->protocol != IPPROTO_TCP && h->protocol != IPPROTO_UDP)
        return false;
    minimum = h->protocol == IPPROTO_TCP ? TCP_MIN : UDP_MIN;
    return h->transport <= bytes && bytes - h->transport >= minimum;
}

/* What the checksum field holds when the rest is left to others. */
static void seed_checksum(uint8_t *data, unsigned bytes, const struct headers *h, unsigned field)
{
    const uint8_t *address = data + h->network + (h->v6 ? 8 : 12);
    unsigned words = h->v6 ? 16 : 4;
    uint32_t sum = h->protocol + (bytes - h->transport);

    for (unsigned i = 0; i < words; i++)
        sum += word_at(address + 2 * i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    data[h->transport + field] = (uint8_t)(sum >> 8);
    data[h->transport + field + 1] = (uint8_t)sum;
}

static bool segment(struct net_frame *f, const struct headers *h, struct virtio_net_hdr *head)
{
    bool v6 = f->gso_type == XEN_NETIF_GSO_TYPE_TCPV6;
    unsigned length;

    if (h->protocol != IPPROTO_TCP || v6 != h->v6)
        return false;
    length = (frame_data(f)[h->transport + 12] >> 4) * 4u;
    if (length < TCP_MIN || length > f->bytes - h->transport)
        return false;
    head->gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    head->gso_size = f->gso_size;
    head->hdr_len = (uint16_t)(h->transport + length);
    if (!f->csum_blank)
        seed_checksum(frame_data(f), f->bytes, h, TCP_CHECKSUM);
    return true;
}

bool net_offload(struct net_frame *f)
{
    struct virtio_net_hdr head;
    struct headers h;

    memset(&head, 0, sizeof(head));
    if (f->data_validated && !f->csum_blank)
        head.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    if (f->csum_blank || f->gso_type) {
        if (!parse(frame_data(f), f->bytes, &h) || (f->gso_type && !segment(f, &h, &head)))
            return false;
        head.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        head.csum_start = (uint16_t)h.transport;
        head.csum_offset = h.protocol == IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
    }
    memcpy(f->buffer, &head, sizeof(head));
    return true;
}
