/* SPDX-License-Identifier: MIT */
/* Ethernet, ARP and IPv4: whom a packet is for, and where it goes next. */
#include "lib.h"
#include "machine.h"
#include "net.h"

#define TYPE_IP  0x0800
#define TYPE_ARP 0x0806

struct ethernet {
    uint8_t destination[MAC_SIZE], source[MAC_SIZE];
    uint16_t type;
} __attribute__((packed));

struct arp {
    uint16_t hardware, protocol;
    uint8_t hardware_size, protocol_size;
    uint16_t operation;
    uint8_t sender_mac[MAC_SIZE];
    uint32_t sender;
    uint8_t target_mac[MAC_SIZE];
    uint32_t target;
} __attribute__((packed));

#define ARP_REQUEST 1
#define ARP_REPLY   2
#define IP_FRAGMENT 0x3fff /* offset, or more to come */

uint32_t net_address;
static uint32_t netmask, gateway;
static const struct net_device *card;

/* The frame under construction. Nothing sleeps between filling it and sending it. */
static uint8_t out[FRAME_MAX] __attribute__((aligned(16)));
static struct ethernet *const out_ethernet = (struct ethernet *)out;
static struct ip_header *const out_ip = (struct ip_header *)(out + sizeof(struct ethernet));
uint8_t *const ip_payload = out + sizeof(struct ethernet) + sizeof(struct ip_header);

#define NEIGHBOURS 16

static struct neighbour {
    uint32_t address;
    uint8_t mac[MAC_SIZE];
} neighbours[NEIGHBOURS];
static unsigned next_neighbour;

void net_register(const struct net_device *device)
{
    const uint8_t *m = device->mac;

    if (card)
        return;
    card = device;
    kprintf("minos: network card %s, %02x:%02x:%02x:%02x:%02x:%02x\n", device->name, m[0], m[1],
            m[2], m[3], m[4], m[5]);
}

static uint32_t parse_address(const char **s)
{
    uint32_t a = 0;

    for (int i = 0; i < 4; i++) {
        a = a << 8 | (parse_number(s) & 255);
        if (**s == '.')
            ++*s;
    }
    return a;
}

void net_init(void)
{
    const char *ip = option("ip="), *gw = option("gw=");
    unsigned bits = 24;

    if (!ip)
        ip = "10.0.2.15/24";
    if (!gw)
        gw = "10.0.2.2";
    net_address = parse_address(&ip);
    if (*ip++ == '/')
        bits = MIN(parse_number(&ip), 32);
    netmask = bits ? ~0u << (32 - bits) : 0;
    gateway = parse_address(&gw);
}

void net_tick(void)
{
    if (card)
        tcp_tick();
}

/* --- Checksums --- */

uint32_t checksum_add(uint32_t sum, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t s = sum;

    for (; size >= 4; size -= 4, p += 4)
        s += *(const uint32_t *)p;
    if (size >= 2)
        s += *(const uint16_t *)p, p += 2, size -= 2;
    if (size)
        s += *p;
    s = (s & 0xffffffff) + (s >> 32);
    s = (s & 0xffffffff) + (s >> 32);
    s = (s & 0xffff) + (s >> 16);
    return (s & 0xffff) + (s >> 16);
}

uint16_t checksum_end(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return ~((sum & 0xffff) + (sum >> 16));
}

uint16_t checksum_transport(uint32_t source, uint32_t destination, uint8_t protocol,
                            const void *packet, size_t size)
{
    struct {
        uint32_t source, destination;
        uint8_t zero, protocol;
        uint16_t size;
    } __attribute__((packed))
    pseudo = {swap32(source), swap32(destination), 0, protocol, swap16(size)};

    return checksum_end(checksum_add(checksum_add(0, &pseudo, sizeof(pseudo)), packet, size));
}

/* --- ARP --- */

static void learn(uint32_t address, const uint8_t *mac)
{
    struct neighbour *n = NULL;

    for (unsigned i = 0; i < NEIGHBOURS && !n; i++)
        if (neighbours[i].address == address)
            n = &neighbours[i];
    if (!n)
        n = &neighbours[next_neighbour++ % NEIGHBOURS];
    n->address = address;
    memcpy(n->mac, mac, MAC_SIZE);
}

static void arp_send(uint16_t operation, uint32_t target, const uint8_t *target_mac)
{
    struct {
        struct ethernet ethernet;
        struct arp arp;
        uint8_t padding[18];
    } __attribute__((packed))
    p = {.arp = {swap16(1), swap16(TYPE_IP), MAC_SIZE, 4, swap16(operation)}};

    memset(p.ethernet.destination, 0xff, MAC_SIZE);
    if (target_mac) {
        memcpy(p.ethernet.destination, target_mac, MAC_SIZE);
        memcpy(p.arp.target_mac, target_mac, MAC_SIZE);
    }
    memcpy(p.ethernet.source, card->mac, MAC_SIZE);
    p.ethernet.type = swap16(TYPE_ARP);
    memcpy(p.arp.sender_mac, card->mac, MAC_SIZE);
    p.arp.sender = swap32(net_address);
    p.arp.target = swap32(target);
    card->send(&p, sizeof(p));
}

static void arp_input(const struct arp *a, size_t size)
{
    if (size < sizeof(*a) || swap16(a->protocol) != TYPE_IP || swap32(a->target) != net_address)
        return;
    learn(swap32(a->sender), a->sender_mac);
    if (swap16(a->operation) == ARP_REQUEST)
        arp_send(ARP_REPLY, swap32(a->sender), a->sender_mac);
}

/* --- IP --- */

static bool is_near(uint32_t address)
{
    return !((address ^ net_address) & netmask);
}

/* A packet to an unknown neighbour is lost, but he is asked for: whoever sent it tries again. */
void ip_send(uint32_t destination, uint8_t protocol, size_t size)
{
    static uint16_t id;
    uint32_t hop = is_near(destination) ? destination : gateway;
    size_t total = sizeof(struct ip_header) + size;
    const struct neighbour *n;

    if (!card)
        return;
    for (n = neighbours; n < neighbours + NEIGHBOURS && n->address != hop;)
        n++;
    if (n == neighbours + NEIGHBOURS) {
        arp_send(ARP_REQUEST, hop, NULL);
        return;
    }
    memcpy(out_ethernet->destination, n->mac, MAC_SIZE);
    memcpy(out_ethernet->source, card->mac, MAC_SIZE);
    out_ethernet->type = swap16(TYPE_IP);
    *out_ip = (struct ip_header){.version_size = 0x45,
                                 .size = swap16(total),
                                 .id = swap16(++id),
                                 .fragment = swap16(0x4000), /* not to be fragmented */
                                 .ttl = 64,
                                 .protocol = protocol,
                                 .source = swap32(net_address),
                                 .destination = swap32(destination)};
    out_ip->checksum = checksum_end(checksum_add(0, out_ip, sizeof(*out_ip)));
    card->send(out, sizeof(struct ethernet) + total);
}

static void ip_input(const uint8_t *sender_mac, const struct ip_header *ip, size_t size,
                     bool checked)
{
    size_t head = (ip->version_size & 15) * 4, total;
    uint32_t source;

    if (size < sizeof(*ip) || ip->version_size >> 4 != 4 || head < sizeof(*ip))
        return;
    total = swap16(ip->size);
    if (total < head || total > size || swap16(ip->fragment) & IP_FRAGMENT ||
        swap32(ip->destination) != net_address || checksum_end(checksum_add(0, ip, head)))
        return;
    source = swap32(ip->source);
    if (is_near(source))
        learn(source, sender_mac);
    if (ip->protocol == IP_ICMP)
        icmp_input(source, (const uint8_t *)ip + head, total - head);
    else if (ip->protocol == IP_UDP)
        udp_input(source, (const uint8_t *)ip + head, total - head, checked);
    else if (ip->protocol == IP_TCP)
        tcp_input(source, (const uint8_t *)ip + head, total - head, checked);
}

void net_input(const void *frame, size_t size, bool checked)
{
    const struct ethernet *e = frame;

    if (size < sizeof(*e))
        return;
    size -= sizeof(*e);
    if (swap16(e->type) == TYPE_ARP)
        arp_input((const void *)(e + 1), size);
    else if (swap16(e->type) == TYPE_IP)
        ip_input(e->source, (const void *)(e + 1), size, checked);
}
