/* SPDX-License-Identifier: MIT */
/*
 * The keeper of a domain: one process, from its start to its end. It empties the console ring,
 * passes on what is typed, sees the domain end by the store's @releaseDomain, and clears up.
 *
 *   guest's console ring <--> keeper --> terminal (run), or log file and clients of
 * RUN_DIR/DOMID.sock (create)
 *
 * The ring is the guest's to write: indices are checked against its size before they are used.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "pvctl.h"
#include <backend/store_link.h>
#include <xen/io/console.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define CONSOLE_GRANT 0 /* which the domain builder grants to domain 0 */
#define CLIENTS_MAX   8
#define ESCAPE        0x1d /* Ctrl-] */

struct keeper {
    struct ctl *c;
    uint32_t id;
    bool attached;
    struct event_base *base;
    xenevtchn_handle *evtchn;
    xengnttab_handle *gnttab;
    struct xencons_interface *ring;
    evtchn_port_t port; /* our end */
    int log, listener, client[CLIENTS_MAX];
    struct event *client_event[CLIENTS_MAX];
    struct event *typing;      /* standard input, while it is no terminal */
    struct event *store_event; /* the store's connection, if c->xs is there */
    struct event *store_end;   /* likewise: its daemon's end */
    unsigned interrupts;
    int status; /* -1: it goes on */
};

/* Standard input may be a file, which epoll does not take. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    event_config_avoid_method(config, "epoll");
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base)
        die("no event loop");
    return base;
}

static void write_all(int fd, const char *buf, size_t n)
{
    while (n) {
        ssize_t done = write(fd, buf, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        buf += done;
        n -= (size_t)done;
    }
}

static void out(struct keeper *k, const char *buf, size_t n)
{
    write_all(k->attached ? STDOUT_FILENO : k->log, buf, n);
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (k->client[i] >= 0)
            write_all(k->client[i], buf, n);
}

static void drain(struct keeper *k)
{
    struct xencons_interface *r = k->ring;
    char buf[sizeof(r->out)];
    uint32_t prod = __atomic_load_n(&r->out_prod, __ATOMIC_ACQUIRE), cons = r->out_cons,
             n = prod - cons;

    if (!n)
        return;
    if (n > sizeof(r->out)) { /* nonsense: begin anew */
        __atomic_store_n(&r->out_cons, prod, __ATOMIC_RELEASE);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        buf[i] = r->out[MASK_XENCONS_IDX(cons + i, r->out)];
    __atomic_store_n(&r->out_cons, prod, __ATOMIC_RELEASE);
    xenevtchn_notify(k->evtchn, k->port);
    out(k, buf, n);
}

static unsigned room_to_type(const struct keeper *k)
{
    uint32_t used = k->ring->in_prod - __atomic_load_n(&k->ring->in_cons, __ATOMIC_ACQUIRE);

    return used < sizeof(k->ring->in) ? (unsigned)(sizeof(k->ring->in) - used) : 0;
}

/* What does not fit is lost, as on a serial line. */
static void type(struct keeper *k, const char *buf, size_t n)
{
    struct xencons_interface *r = k->ring;
    uint32_t cons = __atomic_load_n(&r->in_cons, __ATOMIC_ACQUIRE), prod = r->in_prod;

    for (size_t i = 0; i < n && prod - cons < sizeof(r->in); i++)
        r->in[MASK_XENCONS_IDX(prod++, r->in)] = buf[i];
    __atomic_store_n(&r->in_prod, prod, __ATOMIC_RELEASE);
    xenevtchn_notify(k->evtchn, k->port);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;
    xenevtchn_port_or_error_t port = xenevtchn_pending(k->evtchn);

    (void)fd;
    (void)what;
    if (port < 0)
        return;
    xenevtchn_unmask(k->evtchn, (evtchn_port_t)port);
    drain(k);
    if (k->typing && room_to_type(k))
        event_add(k->typing, NULL);
}

/* ---- The end. ---- */

static int exit_status(struct keeper *k)
{
    char *text = node_read(k->c, k->id, "data/exit-status");
    int status = text ? atoi(text) & 255 : 0;

    free(text);
    return status;
}

/* Domains end: ours? */
static void look(struct keeper *k)
{
    xc_dominfo_t info;

    if (!guest_info(k->c, k->id, &info) || info.dying) {
        progress("domain %u was destroyed", k->id);
        k->status = EXIT_CRASH;
    } else if (info.shutdown && info.shutdown_reason == SHUTDOWN_crash) {
        progress("domain %u crashed: `pvctl why %u` tells what the hypervisor said", k->id, k->id);
        k->status = EXIT_CRASH;
    } else if (info.shutdown && info.shutdown_reason != SHUTDOWN_suspend) {
        k->status = exit_status(k);
    } else {
        return;
    }
    event_base_loopbreak(k->base);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;
    char **event;

    (void)fd;
    (void)what;
    while ((event = xs_check_watch(k->c->xs))) {
        free(event);
        look(k);
    }
}

static void on_store_end(evutil_socket_t fd, short what, void *arg);

static bool connect_store(struct keeper *k)
{
    int link = store_link();

    k->c->xs = link >= 0 ? xs_open(0) : NULL;
    if (!k->c->xs) {
        close(link);
        return false;
    }
    k->store_event = event_new(k->base, xs_fileno(k->c->xs), EV_READ | EV_PERSIST, on_store, k);
    k->store_end = event_new(k->base, link, EV_READ, on_store_end, k);
    event_add(k->store_event, NULL);
    event_add(k->store_end, NULL);
    xs_watch(k->c->xs, "@releaseDomain", "end");
    return true;
}

static void on_store_wanted(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval again = {.tv_usec = 250000};
    struct keeper *k = arg;

    (void)fd;
    (void)what;
    if (connect_store(k))
        look(k); /* it may have ended meanwhile */
    else
        event_base_once(k->base, -1, EV_TIMEOUT, on_store_wanted, k, &again);
}

/* The store's daemon has ended, and left its connections to no successor. */
static void on_store_end(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;

    event_free(k->store_event);
    event_free(k->store_end);
    close(fd);
    xs_close(k->c->xs);
    k->c->xs = NULL;
    on_store_wanted(-1, what, k);
}

/* The first time asks the guest, the second ends it. */
static void interrupt(struct keeper *k, int status)
{
    if (!k->interrupts++) {
        progress("asking the guest to power off; once more ends it");
        if (k->c->xs)
            node_write(k->c, k->id, "control/shutdown", "poweroff");
        return;
    }
    k->status = status;
    event_base_loopbreak(k->base);
}

/* Ctrl-C of `run` without a terminal, and SIGTERM. */
static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    (void)what;
    interrupt(arg, 128 + (int)sig);
}

/* ---- The terminal, and those who attach. ---- */

static void on_stdin(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;
    char buf[256];
    unsigned room = k->typing ? room_to_type(k) : sizeof(buf);
    ssize_t n;

    (void)what;
    if (!room) { /* the event that the guest sends when it has read goes on with it */
        event_del(k->typing);
        return;
    }
    n = read(fd, buf, room < sizeof(buf) ? room : sizeof(buf));
    if (n <= 0) {
        event_free(event_base_get_running_event(k->base));
        k->typing = NULL;
        return;
    }
    if (!k->typing && memchr(buf, ESCAPE, (size_t)n))
        interrupt(k, 128 + SIGINT);
    else
        type(k, buf, (size_t)n);
}

static void listen_to_stdin(struct keeper *k)
{
    struct event *e = event_new(k->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_stdin, k);

    if (!isatty(STDIN_FILENO))
        k->typing = e;
    event_add(e, NULL);
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;
    char buf[256];
    ssize_t n = read(fd, buf, sizeof(buf));

    (void)what;
    if (n > 0) {
        type(k, buf, (size_t)n);
        return;
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (k->client[i] != fd)
            continue;
        event_free(k->client_event[i]);
        k->client[i] = -1;
        close(fd);
    }
}

static void on_connect(evutil_socket_t fd, short what, void *arg)
{
    struct keeper *k = arg;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)what;
    for (unsigned i = 0; client >= 0 && i < CLIENTS_MAX; i++) {
        struct timeval patience = {.tv_sec = 1}; /* for a client that reads nothing */

        if (k->client[i] >= 0)
            continue;
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        k->client[i] = client;
        k->client_event[i] = event_new(k->base, client, EV_READ | EV_PERSIST, on_client, k);
        event_add(k->client_event[i], NULL);
        return;
    }
    if (client >= 0)
        close(client);
}

static bool raw_terminal(struct termios *before)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before))
        return false;
    raw = *before;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    return !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void socket_name(struct sockaddr_un *a, uint32_t id)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(a->sun_path, sizeof(a->sun_path), RUN_DIR "/%u.sock", id);
}

static void listen_for_clients(struct keeper *k)
{
    struct sockaddr_un a;
    char log[64];

    mkdir(RUN_DIR, 0700);
    snprintf(log, sizeof(log), RUN_DIR "/%u.log", k->id);
    k->log = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    socket_name(&a, k->id);
    unlink(a.sun_path);
    k->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (k->log < 0 || k->listener < 0 || bind(k->listener, (struct sockaddr *)&a, sizeof(a)) ||
        listen(k->listener, 4))
        die("the console of domain %u cannot be offered in " RUN_DIR ": %s", k->id,
            strerror(errno));
    event_add(event_new(k->base, k->listener, EV_READ | EV_PERSIST, on_connect, k), NULL);
}

static void connect_console(struct keeper *k, const struct guest *g)
{
    xenevtchn_port_or_error_t port;

    k->evtchn = xenevtchn_open(NULL, 0);
    k->gnttab = xengnttab_open(NULL, 0);
    if (!k->evtchn || !k->gnttab)
        die("/dev/xen/evtchn or /dev/xen/gntdev cannot be opened: %s", strerror(errno));
    port = xenevtchn_bind_interdomain(k->evtchn, k->id, g->console_port);
    k->ring = xengnttab_map_grant_ref(k->gnttab, k->id, CONSOLE_GRANT, PROT_READ | PROT_WRITE);
    if (port < 0 || !k->ring)
        die("the console of domain %u cannot be connected: %s", k->id, strerror(errno));
    k->port = (evtchn_port_t)port;
}

int keeper_run(struct ctl *c, const struct guest *g, bool attached, struct json_object **usage)
{
    struct keeper k = {
        .c = c, .id = g->id, .attached = attached, .log = -1, .listener = -1, .status = -1};
    struct termios before;
    bool raw;

    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        k.client[i] = -1;
    signal(SIGPIPE, SIG_IGN);
    k.base = new_base();
    connect_console(&k, g);
    if (!attached)
        listen_for_clients(&k);
    else
        listen_to_stdin(&k);
    raw = attached && raw_terminal(&before);
    event_add(event_new(k.base, xenevtchn_fd(k.evtchn), EV_READ | EV_PERSIST, on_event, &k), NULL);
    xs_close(c->xs);
    if (!connect_store(&k))
        die("the store is gone");
    evsignal_add(evsignal_new(k.base, SIGINT, on_signal, &k), NULL);
    evsignal_add(evsignal_new(k.base, SIGTERM, on_signal, &k), NULL);
    if (xc_domain_unpause(c->xc, g->id))
        die("domain %u cannot be started: %s", g->id, strerror(errno));
    event_base_dispatch(k.base);
    while (!c->xs) /* clearing up needs the store */
        event_base_loop(k.base, EVLOOP_ONCE);
    drain(&k);
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (usage)
        *usage = usage_get(c, g->id);
    trace_wait(g->id);
    xengnttab_unmap(k.gnttab, k.ring, 1);
    xenevtchn_close(k.evtchn);
    guest_destroy(c, g->id);
    if (!attached) {
        struct sockaddr_un a;

        socket_name(&a, g->id);
        unlink(a.sun_path);
    }
    return k.status < 0 ? EXIT_BROKEN : k.status;
}

/* ---- The other side: pvctl console. ---- */

struct way {
    int to;
    struct event_base *base;
};

static void pass(evutil_socket_t from, short what, void *arg)
{
    const struct way *w = arg;
    char buf[1024];
    ssize_t n = read(from, buf, sizeof(buf));

    (void)what;
    if (n <= 0 || (from == STDIN_FILENO && memchr(buf, ESCAPE, (size_t)n)))
        event_base_loopbreak(w->base);
    else
        write_all(w->to, buf, (size_t)n);
}

int console_attach(uint32_t id)
{
    struct way in, back;
    struct sockaddr_un a;
    struct termios before;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool raw;

    socket_name(&a, id);
    if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)))
        die("domain %u has no console that can be attached to (only guests of `pvctl create` have)",
            id);
    in.base = back.base = new_base();
    in.to = s;
    back.to = STDOUT_FILENO;
    raw = raw_terminal(&before);
    event_add(event_new(in.base, STDIN_FILENO, EV_READ | EV_PERSIST, pass, &in), NULL);
    event_add(event_new(in.base, s, EV_READ | EV_PERSIST, pass, &back), NULL);
    event_base_dispatch(in.base);
    if (raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return 0;
}
