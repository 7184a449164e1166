/* SPDX-License-Identifier: MIT */
/* ICMP echo and UDP. */
#include "lib.h"
#include "net.h"
#include "proc.h"

/* --- ICMP --- */

struct icmp {
    uint8_t type, code;
    uint16_t checksum, id, sequence;
} __attribute__((packed));

#define ECHO_REPLY   0
#define ECHO_REQUEST 8
#define PING_ID      0x6d6e
#define PING_SIZE    56

static uint16_t answered; /* sequence number of the last reply to us */

void icmp_input(uint32_t source, const void *packet, size_t size)
{
    const struct icmp *in = packet;
    struct icmp *out = (struct icmp *)ip_payload;

    if (size < sizeof(*in) || size > IP_MAX - sizeof(struct ip_header) ||
        checksum_end(checksum_add(0, packet, size)))
        return;
    if (in->type == ECHO_REPLY && in->id == swap16(PING_ID)) {
        answered = swap16(in->sequence);
        wake(&answered);
    } else if (in->type == ECHO_REQUEST) {
        memcpy(out, in, size);
        out->type = ECHO_REPLY;
        out->checksum = 0;
        out->checksum = checksum_end(checksum_add(0, out, size));
        ip_send(source, IP_ICMP, size);
    }
}

static void send_echo(uint32_t address, uint16_t sequence)
{
    struct icmp *out = (struct icmp *)ip_payload;

    memset(out, 0, sizeof(*out) + PING_SIZE);
    out->type = ECHO_REQUEST;
    out->id = swap16(PING_ID);
    out->sequence = swap16(sequence);
    out->checksum = checksum_end(checksum_add(0, out, sizeof(*out) + PING_SIZE));
    ip_send(address, IP_ICMP, sizeof(*out) + PING_SIZE);
}

long icmp_ping(uint32_t address, uint16_t sequence, uint64_t timeout_ms)
{
    uint64_t start = machine_time();

    answered = ~sequence;
    send_echo(address, sequence);
    while (answered != sequence) {
        int error = wait_for(&answered, start + timeout_ms * NSEC_PER_MSEC);

        if (error)
            return error == -EAGAIN ? -ETIMEDOUT : error;
    }
    return (machine_time() - start) / 1000;
}

/* --- UDP --- */

struct udp_header {
    uint16_t source, destination, size, checksum;
} __attribute__((packed));

#define UDP_SOCKETS 16
#define UDP_MAX     1024 /* bytes of a datagram that are kept */

/* Waits in a socket's ring in front of its data. */
struct datagram {
    struct minos_endpoint from;
    uint32_t size;
};

static struct udp_socket {
    uint16_t port; /* 0: unused */
    struct ring ring;
} sockets[UDP_SOCKETS];

static struct udp_socket *socket_of(uint16_t port)
{
    for (struct udp_socket *s = sockets; s < sockets + UDP_SOCKETS; s++)
        if (s->port == port)
            return s;
    return NULL;
}

void udp_input(uint32_t source, const void *packet, size_t size, bool checked)
{
    const struct udp_header *h = packet;
    struct datagram d;
    struct udp_socket *s;

    if (size < sizeof(*h) || swap16(h->size) < sizeof(*h) || swap16(h->size) > size)
        return;
    if (!checked && h->checksum &&
        checksum_transport(source, net_address, IP_UDP, packet, swap16(h->size)))
        return;
    s = h->destination ? socket_of(swap16(h->destination)) : NULL;
    d = (struct datagram){{source, swap16(h->source)},
                          MIN(swap16(h->size) - sizeof(*h), (size_t)UDP_MAX)};
    if (!s || RING_SIZE - s->ring.used < sizeof(d) + d.size)
        return;
    ring_write(&s->ring, &d, sizeof(d));
    ring_write(&s->ring, h + 1, d.size);
    wake(s);
}

static void udp_close(struct file *f)
{
    struct udp_socket *s = f->object;

    ring_free(&s->ring);
    s->port = 0;
}

static const struct file_ops udp_ops = {.close = udp_close};

int udp_open(uint16_t port)
{
    struct udp_socket *s = socket_of(0);

    if (!port || socket_of(port))
        return -EADDRINUSE;
    if (!s || !ring_init(&s->ring))
        return -ENOMEM;
    s->port = port;
    return file_install(file_new(&udp_ops, s, 0));
}

long udp_send(struct file *f, const struct minos_endpoint *to, uintptr_t data, size_t size)
{
    struct udp_header *h = (struct udp_header *)ip_payload;
    struct udp_socket *s;

    if (!f || f->ops != &udp_ops)
        return -EBADF;
    if (size > UDP_MAX)
        return -EINVAL;
    if (copy_from_user(h + 1, data, size))
        return -EFAULT;
    s = f->object;
    *h = (struct udp_header){swap16(s->port), swap16(to->port), swap16(sizeof(*h) + size), 0};
    h->checksum = checksum_transport(net_address, to->address, IP_UDP, h, sizeof(*h) + size);
    if (!h->checksum)
        h->checksum = 0xffff;
    ip_send(to->address, IP_UDP, sizeof(*h) + size);
    return size;
}

long udp_receive(struct file *f, struct minos_endpoint *from, uintptr_t buffer, size_t size)
{
    struct udp_socket *s;
    struct datagram d;
    long n;

    if (!f || f->ops != &udp_ops)
        return -EBADF;
    s = f->object;
    while (!s->ring.used) {
        int error = wait_for(s, FOREVER);

        if (error)
            return error;
    }
    ring_peek(&s->ring, 0, &d, sizeof(d));
    ring_drop(&s->ring, sizeof(d));
    *from = d.from;
    n = ring_read_user(&s->ring, buffer, MIN(size, d.size));
    if (n >= 0)
        ring_drop(&s->ring, d.size - n);
    return n;
}
