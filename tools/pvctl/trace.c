/* SPDX-License-Identifier: MIT */
/* trace: from the hypervisor's buffer to a file. The hypervisor tells by VIRQ_TBUF when a part of
 * the buffer is full; the rest is fetched at the end. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pvctl.h"
#include "trace_file.h"
#include <xenevtchn.h>

static const char help[] =
    "usage: pvctl trace DOMAIN [OPTION...]\n"
    "Records the domain's hypercalls until Ctrl-C, or until it ends. All but iret have a record: "
    "number, "
    "arguments, result,\n"
    "time, and where it was called from. Calls within a multicall have one each.\n"
    "  --output FILE   where to (" RUN_DIR "/NUMBER.trace, where `pvctl advise` looks for it)\n"
    "  --seconds N     for so long\n"
    "  --stop          only end a trace whose pvctl was killed\n"
    "  --buffer KIB    memory of the hypervisor for records that were not fetched yet, 64 to 16384 "
    "(4096)\n";

#define PIECE         65536
#define LOOK_AGAIN_MS 20

struct recorder {
    struct ctl *c;
    uint32_t id;
    int file;
    void *buffer;
    struct trace_header header;
    struct timespec begin;
    struct event_base *base;
    xenevtchn_handle *evtchn;
    bool gone; /* the domain, and what had not been fetched */
};

/* ---- Fetching. ---- */

static void write_file(struct recorder *r, const void *data, size_t n)
{
    while (n) {
        ssize_t done = write(r->file, data, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            int error = errno;

            op_prepare(PARAVANE_trace_stop, r->id);
            op_call();
            die("the trace cannot be written: %s", strerror(error));
        }
        data = (const char *)data + done;
        n -= (size_t)done;
    }
}

static void fetch(struct recorder *r)
{
    for (;;) {
        struct paravane_op *op = op_prepare(PARAVANE_trace_read, r->id);
        struct paravane_trace_read *t = &op->u.trace_read;

        t->buffer = (uint64_t)r->buffer;
        t->size = PIECE;
        if (op_call()) {
            r->gone = true;
            event_base_loopbreak(r->base);
            return;
        }
        r->header.written = t->written;
        r->header.lost = t->lost;
        r->header.own = t->own;
        write_file(r, r->buffer, t->size);
        if (t->size < PIECE)
            return; /* that was all, but for what domain 0 itself adds by this if it is traced */
    }
}

/* ---- Events. ---- */

static void on_virq(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;
    xenevtchn_port_or_error_t port = xenevtchn_pending(r->evtchn);

    (void)fd;
    (void)what;
    if (port < 0)
        return;
    xenevtchn_unmask(r->evtchn, (evtchn_port_t)port);
    fetch(r);
}

static void on_time_to_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    fetch(arg);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(r->base);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;
    char **event = xs_check_watch(r->c->xs);
    xc_dominfo_t info;

    for (; event; event = xs_check_watch(r->c->xs)) {
        free(event);
        if (!guest_info(r->c, r->id, &info) || info.dying || info.shutdown)
            on_end(fd, what, r);
    }
}

/* The interrupt has one receiver: who traces a second domain at the same time looks now and then.
 */
static void wait_for_records(struct recorder *r)
{
    struct timeval again = {.tv_usec = LOOK_AGAIN_MS * 1000};

    r->evtchn = xenevtchn_open(NULL, 0);
    if (r->evtchn && xenevtchn_bind_virq(r->evtchn, VIRQ_TBUF) >= 0)
        event_add(event_new(r->base, xenevtchn_fd(r->evtchn), EV_READ | EV_PERSIST, on_virq, r),
                  NULL);
    else
        event_add(event_new(r->base, -1, EV_PERSIST, on_time_to_look, r), &again);
}

/* ---- The command. ---- */

static void start(struct recorder *r, uint32_t kib)
{
    struct paravane_op *op = op_prepare(PARAVANE_trace_start, r->id);

    op->u.trace_start.kib = kib;
    if (!op_call())
        return;
    if (errno == EBUSY)
        die("domain %u is being traced already; if that pvctl was killed, `pvctl trace --stop` "
            "ends "
            "its trace",
            r->id);
    die("domain %u cannot be traced: %s", r->id,
        errno == ENOSYS ? "this hypervisor is not Paravane" : strerror(errno));
}

static void open_file(struct recorder *r, const char *name)
{
    char usual[64];

    if (!name) {
        mkdir(RUN_DIR, 0700);
        snprintf(usual, sizeof(usual), TRACE_NAME, r->id);
        name = usual;
    }
    r->file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r->file < 0)
        die("%s: %s", name, strerror(errno));
    write_file(r, &r->header, sizeof(r->header));
}

/* The keeper of a domain waits for who holds this. */
static int hold(uint32_t id)
{
    char name[64];
    int fd;

    mkdir(RUN_DIR, 0700);
    snprintf(name, sizeof(name), RUN_DIR "/%u.tracing", id);
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX))
        die("%s: %s", name, strerror(errno));
    return fd;
}

void trace_wait(uint32_t id)
{
    char name[64];
    int fd;

    snprintf(name, sizeof(name), RUN_DIR "/%u.tracing", id);
    fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    flock(fd, LOCK_EX);
    unlink(name);
    close(fd);
}

static void end(struct recorder *r)
{
    struct timespec now;

    fetch(r);
    op_prepare(PARAVANE_trace_stop, r->id);
    op_call();
    clock_gettime(CLOCK_MONOTONIC, &now);
    r->header.ns =
        (uint64_t)((now.tv_sec - r->begin.tv_sec) * 1000000000 + now.tv_nsec - r->begin.tv_nsec);
    if (pwrite(r->file, &r->header, sizeof(r->header), 0) != sizeof(r->header) || close(r->file))
        die("the trace cannot be written: %s", strerror(errno));
    progress("%lu records in %.3f s%s", (unsigned long)r->header.written,
             (double)r->header.ns / 1e9,
             r->gone ? "; the domain was destroyed meanwhile, the last ones may be missing" : "");
    if (r->header.lost)
        progress("%lu records found no room: a larger --buffer keeps them",
                 (unsigned long)r->header.lost);
}

static void record(struct recorder *r, unsigned seconds)
{
    struct timeval limit = {.tv_sec = seconds};
    xc_dominfo_t info;

    r->base = event_base_new();
    if (!r->base)
        die("no event loop");
    wait_for_records(r);
    event_add(event_new(r->base, xs_fileno(r->c->xs), EV_READ | EV_PERSIST, on_store, r), NULL);
    xs_watch(r->c->xs, "@releaseDomain", "end");
    evsignal_add(evsignal_new(r->base, SIGINT, on_end, r), NULL);
    evsignal_add(evsignal_new(r->base, SIGTERM, on_end, r), NULL);
    if (seconds)
        event_add(evtimer_new(r->base, on_end, r), &limit);
    if (guest_info(r->c, r->id, &info) && !info.shutdown && !info.dying)
        event_base_dispatch(r->base);
}

static unsigned number(const char *text, const char *what, unsigned least, unsigned most)
{
    char *end_of_it;
    unsigned long n = strtoul(text, &end_of_it, 10);

    if (*text && !*end_of_it && n >= least && n <= most)
        return (unsigned)n;
    fprintf(stderr, "pvctl: %s '%s': a number from %u to %u\n", what, text, least, most);
    exit(EXIT_USAGE);
}

struct options {
    const char *output, *domain;
    unsigned seconds, kib;
    bool only_stop;
};

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'}, {"seconds", required_argument, NULL, 's'},
        {"buffer", required_argument, NULL, 'b'}, {"stop", no_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    int option;

    *o = (struct options){.kib = 4096};
    argv--, argc++; /* getopt skips the first */
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'o':
            o->output = optarg;
            break;
        case 's':
            o->seconds = number(optarg, "seconds", 1, 1u << 30);
            break;
        case 'b':
            o->kib = number(optarg, "buffer", PARAVANE_TRACE_KIB_MIN, PARAVANE_TRACE_KIB_MAX);
            break;
        case 'x':
            o->only_stop = true;
            break;
        default:
            fputs(help, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : EXIT_USAGE);
        }
    }
    if (optind != argc - 1) {
        fputs(help, stderr);
        exit(EXIT_USAGE);
    }
    o->domain = argv[optind];
}

static int stop_only(uint32_t id)
{
    op_prepare(PARAVANE_trace_stop, id);
    if (!op_call())
        return 0;
    progress("the trace of domain %u cannot be ended: %s", id, strerror(errno));
    return 1;
}

int cmd_trace(struct ctl *c, int argc, char **argv)
{
    struct recorder r = {.c = c, .header = {.magic = TRACE_MAGIC}};
    xc_physinfo_t machine;
    struct options o;
    char *name;
    int held;

    parse(argc, argv, &o);
    r.id = guest_find(c, o.domain);
    if (o.only_stop)
        return stop_only(r.id);
    name = guest_name(c, r.id);
    snprintf(r.header.name, sizeof(r.header.name), "%s", name);
    free(name);
    r.header.domain = r.id;
    r.header.tsc_khz = xc_physinfo(c->xc, &machine) ? 0 : machine.cpu_khz;
    r.buffer = op_buffer(PIECE);
    held = hold(r.id);
    open_file(&r, o.output);
    start(&r, o.kib);
    clock_gettime(CLOCK_MONOTONIC, &r.begin);
    progress("tracing domain %u (%s)", r.id, r.header.name);
    record(&r, o.seconds);
    end(&r);
    close(held);
    return 0;
}
