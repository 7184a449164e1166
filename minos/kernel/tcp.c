/* SPDX-License-Identifier: MIT */
/*
 * TCP, as much as a server and a client need: data in order only, go-back-N when an acknowledgement
 * does not come, the peer's window obeyed, no options but the segment size.
 */
#include "lib.h"
#include "net.h"
#include "proc.h"

struct tcp_header {
    uint16_t source, destination;
    uint32_t sequence, acknowledged;
    uint8_t size; /* of the header in words, in the high half */
    uint8_t flags;
    uint16_t window, checksum, urgent;
} __attribute__((packed));

#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16

#define SEGMENT     1460
#define CONNECTIONS 32
#define BACKLOG     8
#define RETRY       (300 * NSEC_PER_MSEC)
#define RETRIES     8
#define LINGER      (2 * NSEC_PER_SEC) /* of a connection that both sides have closed */

enum tcp_state { CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED, OPEN, LINGERING };

static struct tcp {
    enum tcp_state state;
    bool held; /* by an open file, or by its listener until accepted */
    bool accepted;
    bool closing; /* our side wants to end: a FIN follows the data */
    bool fin_sent, fin_acked, fin_received;
    int error; /* what readers and writers are told after a break */
    uint16_t port, peer_port;
    uint32_t peer;
    struct tcp *listener;
    /* Sent: una is not acknowledged, nxt comes next, win is what the peer takes beyond una. The
     * data from una on is in `out`. */
    uint32_t una, nxt, win;
    uint32_t expected; /* sequence number of what comes next */
    bool ack_due;
    struct ring in, out;
    uint64_t deadline; /* of retransmission, or of lingering */
    unsigned retries;
} connections[CONNECTIONS];

static uint16_t next_port = 49152;

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void release(struct tcp *t)
{
    ring_free(&t->in);
    ring_free(&t->out);
    *t = (struct tcp){.state = CLOSED};
}

static struct tcp *tcp_new(void)
{
    for (struct tcp *t = connections; t < connections + CONNECTIONS; t++) {
        if (t->state != CLOSED || t->held)
            continue;
        if (!ring_init(&t->in) || !ring_init(&t->out)) {
            release(t);
            return NULL;
        }
        t->una = t->nxt = machine_time() >> 10; /* moves on between connections */
        return t;
    }
    return NULL;
}

/* --- Output --- */

static void send_segment(struct tcp *t, uint32_t sequence, uint8_t flags, size_t size)
{
    struct tcp_header *h = (struct tcp_header *)ip_payload;
    size_t head = sizeof(*h);

    *h = (struct tcp_header){.source = swap16(t->port),
                             .destination = swap16(t->peer_port),
                             .sequence = swap32(sequence),
                             .acknowledged = swap32(flags & ACK ? t->expected : 0),
                             .flags = flags,
                             .window = swap16(RING_SIZE - t->in.used)};
    if (flags & SYN) {
        memcpy(h + 1, (uint8_t[]){2, 4, SEGMENT >> 8, SEGMENT & 255}, 4);
        head += 4;
    }
    h->size = head / 4 << 4;
    if (size)
        ring_peek(&t->out, sequence - t->una, (uint8_t *)h + head, size);
    h->checksum = checksum_transport(net_address, t->peer, IP_TCP, h, head + size);
    ip_send(t->peer, IP_TCP, head + size);
    if (flags & ACK)
        t->ack_due = false;
}

static void arm(struct tcp *t)
{
    t->deadline = machine_time() + (RETRY << MIN(t->retries, 5u));
}

/* Sends what may be sent: data within the window, then the FIN, else an acknowledgement if due. */
static void output(struct tcp *t)
{
    if (t->state != OPEN)
        return;
    for (;;) {
        uint32_t sent = t->nxt - t->una;
        uint32_t allowed = MIN(t->win, t->out.used);
        size_t size = sent < allowed ? MIN(allowed - sent, SEGMENT) : 0;

        if (!size || t->fin_sent)
            break;
        if (t->una == t->nxt)
            arm(t);
        send_segment(t, t->nxt, ACK | PSH, size);
        t->nxt += size;
    }
    if (t->closing && !t->fin_sent && t->nxt - t->una == t->out.used) {
        if (t->una == t->nxt)
            arm(t);
        send_segment(t, t->nxt++, ACK | FIN, 0);
        t->fin_sent = true;
    }
    if (t->ack_due)
        send_segment(t, t->nxt, ACK, 0);
}

/* Goes back to what is not acknowledged. */
static void retransmit(struct tcp *t)
{
    if (t->state == SYN_SENT || t->state == SYN_RECEIVED) {
        send_segment(t, t->una, t->state == SYN_SENT ? SYN : SYN | ACK, 0);
    } else {
        t->nxt = t->una;
        t->fin_sent = false;
        if (!t->win)
            t->win = 1; /* asks whether the window has opened */
        output(t);
    }
    arm(t);
}

/* --- The ends --- */

static void wake_all(struct tcp *t)
{
    wake(t);
    if (t->listener)
        wake(t->listener);
}

static void fail(struct tcp *t, int error)
{
    t->error = error;
    t->state = CLOSED;
    wake_all(t);
    if (!t->held)
        release(t);
}

static void check_finished(struct tcp *t)
{
    if (t->state == OPEN && t->fin_acked && t->fin_received) {
        t->state = LINGERING;
        t->deadline = machine_time() + LINGER;
    }
}

void tcp_tick(void)
{
    uint64_t now = machine_time();

    for (struct tcp *t = connections; t < connections + CONNECTIONS; t++) {
        bool opening = t->state == SYN_SENT || t->state == SYN_RECEIVED;
        bool waits = opening || t->una != t->nxt || t->out.used || (t->closing && !t->fin_acked);

        if (t->state == CLOSED || t->state == LISTEN || now < t->deadline)
            continue;
        if (t->state == LINGERING || (t->fin_acked && !t->held)) {
            if (!t->held)
                release(t);
        } else if (waits && ++t->retries > RETRIES) {
            fail(t, -ETIMEDOUT);
        } else if (waits) {
            retransmit(t);
        }
    }
}

/* --- Input --- */

static struct tcp *find(uint16_t port, uint32_t peer, uint16_t peer_port)
{
    struct tcp *listener = NULL;

    for (struct tcp *t = connections; t < connections + CONNECTIONS; t++) {
        if (t->state == CLOSED || t->port != port)
            continue;
        if (t->state == LISTEN)
            listener = t;
        else if (t->peer == peer && t->peer_port == peer_port)
            return t;
    }
    return listener;
}

static void open_passively(struct tcp *listener, uint32_t source, const struct tcp_header *h)
{
    struct tcp *t;
    unsigned waiting = 0;

    for (t = connections; t < connections + CONNECTIONS; t++)
        waiting += t->listener == listener && !t->accepted;
    if (waiting >= BACKLOG || !(t = tcp_new()))
        return;
    t->state = SYN_RECEIVED;
    t->held = true;
    t->listener = listener;
    t->port = listener->port;
    t->peer = source;
    t->peer_port = swap16(h->source);
    t->expected = swap32(h->sequence) + 1;
    t->win = swap16(h->window);
    send_segment(t, t->nxt++, SYN | ACK, 0);
    arm(t);
}

/* A segment that belongs nowhere. */
static void refuse(uint32_t source, const struct tcp_header *h, size_t size)
{
    struct tcp t = {.port = swap16(h->destination),
                    .peer_port = swap16(h->source),
                    .peer = source,
                    .expected = swap32(h->sequence) + size + !!(h->flags & SYN)};

    if (!(h->flags & RST))
        send_segment(&t, h->flags & ACK ? swap32(h->acknowledged) : 0, RST | ACK, 0);
}

static void acknowledged(struct tcp *t, uint32_t ack)
{
    uint32_t bytes = ack - t->una;

    if (t->state == SYN_RECEIVED || t->state == SYN_SENT) {
        t->state = OPEN;
        bytes--; /* the SYN's number */
    }
    if (bytes > t->out.used) {
        bytes = t->out.used; /* the FIN's */
        t->fin_acked = true;
    }
    ring_drop(&t->out, bytes);
    t->una = ack;
    if (before(t->nxt, ack))
        t->nxt = ack; /* after going back, what was sent before arrived after all */
    arm(t);
    if (t->fin_acked)
        t->deadline = machine_time() + LINGER; /* for the peer's FIN, if nobody reads any more */
    wake_all(t);
}

static void take_data(struct tcp *t, uint32_t sequence, const uint8_t *data, size_t size, bool fin)
{
    uint32_t known = t->expected - sequence;

    if (!size && !fin)
        return;
    t->ack_due = true;
    if (before(t->expected, sequence) || known > size + fin || t->fin_received)
        return;
    if (known < size) {
        size_t taken = ring_write(&t->in, data + known, size - known);

        t->expected += taken;
        fin = fin && taken == size - known;
    }
    if (fin) {
        t->expected++;
        t->fin_received = true;
    }
    wake_all(t);
}

static bool acceptable_opening(struct tcp *t, const struct tcp_header *h)
{
    if (t->state != SYN_SENT)
        return true;
    if ((h->flags & (SYN | ACK)) != (SYN | ACK) || swap32(h->acknowledged) != t->nxt)
        return false;
    t->expected = swap32(h->sequence) + 1;
    t->ack_due = true;
    return true;
}

static void input(struct tcp *t, const struct tcp_header *h, const uint8_t *data, size_t size)
{
    uint32_t ack = swap32(h->acknowledged);
    bool opening = t->state == SYN_SENT;

    if (h->flags & RST) {
        if (t->state != SYN_SENT || ack == t->nxt)
            fail(t, -ECONNRESET);
        return;
    }
    if (!(h->flags & ACK) || !acceptable_opening(t, h))
        return;
    if (h->flags & SYN && !opening) {
        t->ack_due = true; /* our acknowledgement was lost */
        output(t);
        return;
    }
    t->retries = 0;
    /* Behind the data lies one more number: the SYN's, or the FIN's. After going back, what had
     * been sent before may still be acknowledged. */
    if (before(t->una, ack) && ack - t->una <= t->out.used + (t->closing || t->state != OPEN))
        acknowledged(t, ack);
    t->win = swap16(h->window);
    take_data(t, swap32(h->sequence) + opening, data, size, h->flags & FIN);
    output(t);
    check_finished(t);
    if (t->state == LINGERING && t->ack_due)
        send_segment(t, t->nxt, ACK, 0);
}

void tcp_input(uint32_t source, const void *packet, size_t size, bool checked)
{
    const struct tcp_header *h = packet;
    size_t head;
    struct tcp *t;

    if (size < sizeof(*h))
        return;
    head = (h->size >> 4) * 4;
    if (head < sizeof(*h) || head > size ||
        (!checked && checksum_transport(source, net_address, IP_TCP, packet, size)))
        return;
    t = find(swap16(h->destination), source, swap16(h->source));
    if (t && t->state != LISTEN)
        input(t, h, (const uint8_t *)packet + head, size - head);
    else if (t && (h->flags & (SYN | ACK | RST)) == SYN)
        open_passively(t, source, h);
    else
        refuse(source, h, size - head + !!(h->flags & FIN));
}

/* --- Files --- */

static long tcp_read(struct file *f, uintptr_t buffer, size_t size)
{
    struct tcp *t = f->object;
    bool was_full;
    long n;

    while (!t->in.used && !t->fin_received && t->state == OPEN) {
        int error = wait_for(t, FOREVER);

        if (error)
            return error;
    }
    if (!t->in.used)
        return t->error;
    was_full = RING_SIZE - t->in.used < SEGMENT;
    n = ring_read_user(&t->in, buffer, size);
    if (was_full && t->state == OPEN && RING_SIZE - t->in.used >= SEGMENT)
        send_segment(t, t->nxt, ACK, 0); /* tells the peer of the room */
    return n;
}

static long tcp_write(struct file *f, uintptr_t buffer, size_t size)
{
    struct tcp *t = f->object;
    size_t done = 0;

    while (done < size) {
        long n;
        int error;

        if (t->state != OPEN)
            return t->error ? t->error : -EPIPE;
        n = ring_write_user(&t->out, buffer + done, size - done);
        if (n < 0)
            return n;
        done += n;
        output(t);
        error = n ? 0 : wait_for(t, FOREVER);
        if (error)
            return error;
    }
    return done;
}

static void let_go(struct tcp *t)
{
    t->held = false;
    t->closing = true;
    if (t->state == OPEN)
        output(t);
    else if (t->state != LINGERING)
        release(t);
}

static void tcp_close(struct file *f)
{
    struct tcp *t = f->object;

    if (t->state == LISTEN) {
        for (struct tcp *c = connections; c < connections + CONNECTIONS; c++) {
            if (c->listener != t)
                continue;
            c->listener = NULL;
            if (!c->accepted)
                let_go(c);
        }
        t->held = false;
        release(t);
        return;
    }
    let_go(t);
}

static const struct file_ops tcp_ops = {tcp_read, tcp_write, tcp_close};
static const struct file_ops listen_ops = {.close = tcp_close};

int tcp_listen(uint16_t port)
{
    struct tcp *t;

    for (t = connections; t < connections + CONNECTIONS; t++)
        if (t->state == LISTEN && t->port == port)
            return -EADDRINUSE;
    t = tcp_new();
    if (!t)
        return -ENOMEM;
    t->state = LISTEN;
    t->held = true;
    t->port = port;
    return file_install(file_new(&listen_ops, t, 0));
}

int tcp_accept(struct file *f)
{
    struct tcp *listener;
    int error;

    if (!f || f->ops != &listen_ops)
        return -EBADF;
    listener = f->object;
    for (;;) {
        for (struct tcp *t = connections; t < connections + CONNECTIONS; t++) {
            if (t->listener != listener || t->accepted)
                continue;
            if (t->state == OPEN || t->state == LINGERING) {
                t->accepted = true;
                return file_install(file_new(&tcp_ops, t, O_READ | O_WRITE));
            }
            if (t->state == CLOSED)
                release(t);
        }
        error = wait_for(listener, FOREVER);
        if (error)
            return error;
    }
}

int tcp_connect(uint32_t address, uint16_t port)
{
    struct tcp *t = tcp_new();

    if (!t)
        return -ENOMEM;
    t->state = SYN_SENT;
    t->held = true;
    t->port = next_port++ | 0xc000;
    t->peer = address;
    t->peer_port = port;
    send_segment(t, t->nxt++, SYN, 0);
    arm(t);
    while (t->state == SYN_SENT) {
        int error = wait_for(t, FOREVER);

        if (error) {
            release(t);
            return error;
        }
    }
    if (t->state == CLOSED) {
        int error = t->error;

        release(t);
        return error;
    }
    return file_install(file_new(&tcp_ops, t, O_READ | O_WRITE));
}
