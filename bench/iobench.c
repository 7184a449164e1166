/* SPDX-License-Identifier: MIT */
/* How fast a disk and a network card of a guest are: bytes moved and nanoseconds taken, which
 * instruction counting makes executed instructions. A static program: bench/backend.sh runs it in a
 * guest, and its server in dom0. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define PIECE     (128 * 1024) /* that programs hand to TCP at once */

static const char usage[] =
    "usage: iobench disk DEVICE read|write BLOCK DEPTH BYTES [random]\n"
    "       iobench tcp ADDRESS PORT read|write BYTES\n"
    "       iobench serve PORT\n"
    "disk and tcp print the bytes that were moved and the nanoseconds that it took; the first "
    "eighth\n"
    "goes ahead uncounted. serve answers tcp's connections until it is killed.\n";

static void fail(const char *what)
{
    fprintf(stderr, "iobench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);

    if (end == text || *end || !n) {
        fputs(usage, stderr);
        exit(2);
    }
    return n;
}

static bool writes(const char *what)
{
    if (strcmp(what, "read") && strcmp(what, "write")) {
        fputs(usage, stderr);
        exit(2);
    }
    return *what == 'w';
}

/* --- Disk: O_DIRECT, with that many requests under way --- */

struct disk {
    int fd;
    uint64_t blocks, next, state;
    size_t block;
    bool write, random;
    unsigned depth;
    aio_context_t aio;
    struct iocb request[DEPTH_MAX];
};

static off_t place(struct disk *d)
{
    if (!d->random)
        return (off_t)(d->next++ % d->blocks * d->block);
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (off_t)((d->state >> 33) % d->blocks * d->block);
}

static void submit(struct disk *d, struct iocb **list, long n)
{
    for (long i = 0; i < n; i++)
        list[i]->aio_offset = place(d);
    if (syscall(SYS_io_submit, d->aio, n, list) != n)
        fail("io_submit");
}

/* Requests that are complete are begun anew in one call, as many as are still wanted. */
static void transfer(struct disk *d, uint64_t total)
{
    struct iocb *list[DEPTH_MAX];
    struct io_event done[DEPTH_MAX];
    uint64_t begun = d->depth;
    unsigned under_way = d->depth;

    for (unsigned i = 0; i < d->depth; i++)
        list[i] = &d->request[i];
    submit(d, list, d->depth);
    while (under_way) {
        long n = syscall(SYS_io_getevents, d->aio, 1, DEPTH_MAX, done, NULL), again = 0;

        if (n < 1)
            fail("io_getevents");
        for (long i = 0; i < n; i++) {
            if (done[i].res != (int64_t)d->block) {
                errno = done[i].res < 0 ? (int)-done[i].res : EIO;
                fail("a request");
            }
            if (begun + (uint64_t)again < total)
                list[again++] = (struct iocb *)(uintptr_t)done[i].obj;
        }
        begun += (uint64_t)again;
        under_way -= (unsigned)(n - again);
        if (again)
            submit(d, list, again);
    }
}

static void prepare(struct disk *d, const char *path)
{
    uint64_t bytes;
    char *memory;

    d->fd = open(path, O_RDWR | O_DIRECT);
    if (d->fd < 0 || ioctl(d->fd, BLKGETSIZE64, &bytes))
        fail(path);
    d->blocks = bytes / d->block;
    memory = aligned_alloc(4096, d->block * d->depth);
    if (!d->blocks || !memory || syscall(SYS_io_setup, d->depth, &d->aio))
        fail("set-up");
    memset(memory, 0x5a, d->block * d->depth);
    for (unsigned i = 0; i < d->depth; i++) {
        d->request[i].aio_data = i;
        d->request[i].aio_fildes = (uint32_t)d->fd;
        d->request[i].aio_lio_opcode = d->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
        d->request[i].aio_buf = (uintptr_t)memory + i * d->block;
        d->request[i].aio_nbytes = d->block;
    }
}

static void disk(char **argv, bool random)
{
    struct disk d = {.write = writes(argv[3]), .block = number(argv[4]), .random = random};
    uint64_t total = number(argv[6]) / d.block, start;

    d.depth = (unsigned)number(argv[5]);
    if (d.depth > DEPTH_MAX || total < d.depth) {
        fprintf(stderr, "iobench: at most %d requests at once, and no more than there are\n",
                DEPTH_MAX);
        exit(2);
    }
    prepare(&d, argv[2]);
    transfer(&d, total / 8 < d.depth ? d.depth : total / 8);
    start = now();
    transfer(&d, total);
    printf("%" PRIu64 " %" PRIu64 "\n", total * d.block, now() - start);
}

/* --- TCP: who sends is told how much by the other's request --- */

struct request {
    uint64_t bytes;
    uint64_t to_server; /* 1: the client sends them */
};

static char piece[PIECE];

static void move(int fd, bool out, uint64_t bytes)
{
    while (bytes) {
        size_t want = bytes < sizeof(piece) ? (size_t)bytes : sizeof(piece);
        ssize_t n = out ? write(fd, piece, want) : read(fd, piece, want);

        if (n <= 0)
            fail(out ? "write" : "read");
        bytes -= (uint64_t)n;
    }
}

/* One part of a transfer; the receiver's last word is a byte, so that the sender knows that all has
 * arrived. */
static void part(int fd, bool out, uint64_t bytes)
{
    char last = 0;

    move(fd, out, bytes);
    if ((out ? read(fd, &last, 1) : write(fd, &last, 1)) != 1)
        fail("the last byte");
}

static void serve(char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)number(argv[2]))};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1))
        fail("no port to serve");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        struct request r;

        if (fd < 0)
            fail("accept");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        while (recv(fd, &r, sizeof(r), MSG_WAITALL) == sizeof(r))
            part(fd, !r.to_server, r.bytes);
        close(fd);
    }
}

static void ask(int fd, bool out, uint64_t bytes)
{
    struct request r = {bytes, out};

    if (write(fd, &r, sizeof(r)) != sizeof(r))
        fail("request");
    part(fd, out, bytes);
}

static void tcp(char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)number(argv[3]))};
    bool out = writes(argv[4]);
    uint64_t bytes = number(argv[5]), start;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (inet_pton(AF_INET, argv[2], &address.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)))
        fail(argv[2]);
    /* Or the last piece waits for an answer that the other side delays. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ask(fd, out, bytes / 8 + 1);
    start = now();
    ask(fd, out, bytes);
    printf("%" PRIu64 " %" PRIu64 "\n", bytes, now() - start);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool random = argc == 8 && !strcmp(argv[7], "random");

    if (!strcmp(what, "disk") && (argc == 7 || random)) {
        disk(argv, random);
    } else if (!strcmp(what, "tcp") && argc == 6) {
        tcp(argv);
    } else if (!strcmp(what, "serve") && argc == 3) {
        serve(argv);
    } else if (!strcmp(what, "--help")) {
        fputs(usage, stdout);
    } else {
        fputs(usage, stderr);
        return 2;
    }
    return 0;
}
