/* SPDX-License-Identifier: MIT */
/* One network card, IPv4 on Ethernet: ARP, ICMP echo, UDP, TCP. Options: ip=A.B.C.D/N and
 * gw=A.B.C.D. */
#ifndef MINOS_NET_H
#define MINOS_NET_H

#include <minos/abi.h>
#include "types.h"

#define MAC_SIZE  6
#define FRAME_MAX 1514 /* Ethernet header and 1500 bytes */
#define IP_MAX    1500

/* --- For drivers --- */

struct net_device {
    const char *name;
    uint8_t mac[MAC_SIZE];
    /* Takes a copy. False when there is no room: the packet is lost. */
    bool (*send)(const void *frame, size_t size);
};

void net_register(const struct net_device *device);
/* A frame came. `checked`: checksums need not be looked at. */
void net_input(const void *frame, size_t size, bool checked);

/* --- For the kernel --- */

void net_init(void);
void net_tick(void); /* ten times a second */

long icmp_ping(uint32_t address, uint16_t sequence, uint64_t timeout_ms);

struct file;
int udp_open(uint16_t port);
long udp_send(struct file *f, const struct minos_endpoint *to, uintptr_t data, size_t size);
long udp_receive(struct file *f, struct minos_endpoint *from, uintptr_t buffer, size_t size);

int tcp_listen(uint16_t port);
int tcp_accept(struct file *f);
int tcp_connect(uint32_t address, uint16_t port);

/* --- Among the protocols; numbers in packets are big-endian --- */

struct ip_header {
    uint8_t version_size, service;
    uint16_t size, id, fragment;
    uint8_t ttl, protocol;
    uint16_t checksum;
    uint32_t source, destination;
} __attribute__((packed));

#define IP_ICMP 1
#define IP_TCP  6
#define IP_UDP  17

extern uint32_t net_address; /* ours */

static inline uint16_t swap16(uint16_t x)
{
    return __builtin_bswap16(x);
}

static inline uint32_t swap32(uint32_t x)
{
    return __builtin_bswap32(x);
}

/* The sum of 16-bit words, to be folded by checksum_end. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t size);
uint16_t checksum_end(uint32_t sum);
/* That of a UDP or TCP packet, pseudo header included; 0 over one whose checksum is right. */
uint16_t checksum_transport(uint32_t source, uint32_t destination, uint8_t protocol,
                            const void *packet, size_t size);
/* Where the payload of the next packet goes, and sending it. */
extern uint8_t *const ip_payload;
void ip_send(uint32_t destination, uint8_t protocol, size_t size);

void icmp_input(uint32_t source, const void *packet, size_t size);
void udp_input(uint32_t source, const void *packet, size_t size, bool checked);
void tcp_input(uint32_t source, const void *packet, size_t size, bool checked);
void tcp_tick(void);

#endif
