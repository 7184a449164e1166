/* SPDX-License-Identifier: MIT */
/* Sockets in the event loop: level triggered reading, writing only while output waits. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event_struct.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "conn.h"
#include "holder.h"
#include "io.h"
#include "journal.h"
#include "mem.h"

struct client {
    struct conn *conn;
    struct event in, out;
};

static struct event_base *base;
static struct event *accept_event;

int socket_bind(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(path, 0600) ||
        listen(fd, 128)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void receive(struct conn *c)
{
    struct unfinished *u = journal_unfinished(c->store);
    char local[sizeof(u->inbox)], *data = u ? u->inbox : local;
    ssize_t n;

    if (u)
        journal_begin_read(c->store, c->id);
    n = read(c->fd, data, sizeof(local));
    if (n > 0) {
        io_in += (uint64_t)n;
        journal_received(c, data, (size_t)n);
    }
    if (u)
        u->reading = 0;
    if (n > 0)
        conn_input(c, data, (size_t)n);
    else if (!n || (errno != EAGAIN && errno != EINTR))
        conn_close(c, XENSTORE_ERROR_COMM);
}

/* conn_settle_all() records what was sent. */
static ssize_t send_some(struct conn *c, const char *data, size_t len)
{
    struct unfinished *u = journal_unfinished(c->store);
    ssize_t n;

    if (u)
        journal_begin_write(c->store, c->id);
    n = write(c->fd, data, len);
    if (n > 0)
        io_out += (uint64_t)n;
    else if (u)
        u->writing = 0;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

static void interest(struct conn *c, bool in, bool out)
{
    struct client *client = c->carrier;

    if (in)
        event_add(&client->in, NULL);
    else
        event_del(&client->in);
    if (out)
        event_add(&client->out, NULL);
    else
        event_del(&client->out);
}

static bool close_socket(struct conn *c, int xenstore_error)
{
    struct client *client = c->carrier;

    (void)xenstore_error;
    event_del(&client->in);
    event_del(&client->out);
    close(c->fd);
    holder_forget(c->id);
    free(client);
    return true;
}

static const struct transport transport = {
    .send = send_some,
    .interest = interest,
    .receive = receive,
    .close = close_socket,
};

static void on_readable(evutil_socket_t fd, short what, void *client)
{
    (void)fd;
    (void)what;
    receive(((struct client *)client)->conn);
}

/* Whoever waits for output is served after all events: see conn_settle_all(). */
static void on_writable(evutil_socket_t fd, short what, void *client)
{
    (void)fd;
    (void)what;
    (void)client;
}

struct conn *socket_add(struct store *s, int fd)
{
    struct client *client = mem_zalloc(sizeof(*client));

    client->conn = conn_open(s, 0, &transport, client);
    client->conn->fd = fd;
    event_assign(&client->in, base, fd, EV_READ | EV_PERSIST, on_readable, client);
    event_assign(&client->out, base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
    event_add(&client->in, NULL);
    return client->conn;
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    event_add(accept_event, NULL);
}

static void on_connection(evutil_socket_t listener, short what, void *store)
{
    static const struct timeval pause = {1, 0};
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct conn *c;

    (void)what;
    if (fd >= 0) {
        c = socket_add(store, fd);
        journal_conn(c);
        holder_keep(c->id, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        event_del(accept_event);
        event_base_once(base, -1, EV_TIMEOUT, on_pause_over, NULL, &pause);
    }
}

bool socket_serve(struct event_base *event_base, struct store *s, int listener)
{
    base = event_base;
    accept_event = event_new(base, listener, EV_READ | EV_PERSIST, on_connection, s);
    return accept_event && !event_add(accept_event, NULL);
}
