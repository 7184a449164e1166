/* SPDX-License-Identifier: MIT */
/* The process: starting, going on where a former one ended, the loop, and giving way to a newer
 * one. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "conn.h"
#include "control.h"
#include "holder.h"
#include "io.h"
#include "journal.h"
#include "log.h"
#include "options.h"
#include "restore.h"
#include "ring.h"
#include "socket.h"
#include "xen.h"

#define RESUME                                                                                     \
    "XENSTORE_LITE_RESUME" /* what a process that gives way to the next one leaves: its            \
                              descriptors */

static struct store store;
static struct options options;
static int listener;
static bool restart_wanted;

static void die(const char *what)
{
    fprintf(stderr, "xenstore-lite: %s: %s\n", what, strerror(errno));
    syslog(LOG_ERR, "%s: %m", what);
    exit(1);
}

static const char *file_name(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", options.directory, name);
    return path;
}

/* --- Giving way --- */

static void want_restart(void)
{
    restart_wanted = true;
}

static void keep_across_exec(int fd)
{
    fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) & ~FD_CLOEXEC);
}

/* Everything is settled, and in the journal. The next program is told which socket is which
 * connection's. */
static void restart(char **argv)
{
    struct conn *c;
    char *text;
    size_t len;
    FILE *f;

    restart_wanted = false;
    f = store.journal ? open_memstream(&text, &len) : NULL;
    if (!f)
        return;
    fprintf(f, "%d %d", listener, holder_link());
    TAILQ_FOREACH(c, &store.conns, link)
        if (c->fd >= 0) {
            keep_across_exec(c->fd);
            fprintf(f, " %u %d", c->id, c->fd);
        }
    fclose(f);
    keep_across_exec(listener);
    if (holder_link() >= 0)
        keep_across_exec(holder_link());
    setenv(RESUME, text, 1);
    free(text);
    signal(SIGUSR1, SIG_IGN); /* until the new program is ready for the next */
    execv("/proc/self/exe", argv);
    syslog(LOG_ERR, "cannot start the new program: %m; the old one goes on");
}

/* --- Going on --- */

static struct conn *adopt_socket(struct store *s, uint32_t id)
{
    int fd = holder_socket(id);

    if (fd < 0)
        return NULL;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return socket_add(s, fd);
}

static void read_boot_id(char *id, size_t size)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (!f || !fgets(id, (int)size, f))
        die("/proc/sys/kernel/random/boot_id");
    fclose(f);
    id[strcspn(id, "\n")] = 0;
}

static void go_on(void)
{
    const struct unfinished *unfinished;
    uint64_t in, out;
    struct journal *j;
    char boot[64];
    const char *records;
    size_t len;

    read_boot_id(boot, sizeof(boot));
    j = journal_open(file_name("journal"), boot);
    if (!j)
        die(file_name("journal"));
    records = journal_records(j, &len);
    if (!restore_store(&store, adopt_socket, records, len)) {
        unlink(file_name("journal"));
        abort(); /* the next one starts with nothing */
    }
    unfinished = journal_left_unfinished(j);
    if (holder_counts(&in, &out))
        restore_io(&store, unfinished, in, out);
    holder_drop_rest();
    io_start();
    journal_start(&store, j);
    if (store.xen)
        domain_look_around(&store); /* at what was not noticed */
}

/* --- The loop --- */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)what;
    (void)arg;
    if (number == SIGUSR1)
        restart_wanted = true;
    else if (number == SIGHUP && options.trace_file)
        log_open(options.trace_file);
    else if (number == SIGTERM || number == SIGINT)
        exit(0); /* the journal stays, for the next process */
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static uint64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* libxenstore writes a request in two or three parts. Who is scheduled as a batch does not take the
 * processor from the client after the first of them, only to wait for the next: it runs when the
 * client waits for the reply. */
static void let_clients_finish(void)
{
    const struct sched_param none = {0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_BATCH, &none);
}

static void serve(struct event_base *base, char **argv)
{
    static const int signals[] = {SIGUSR1, SIGHUP, SIGTERM, SIGINT};
    struct event *tick = evtimer_new(base, on_tick, NULL);
    struct timeval soon = {0};
    unsigned wait;

    let_clients_finish();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        event_add(evsignal_new(base, signals[i], on_signal, NULL), NULL);
    for (;;) {
        store.now = milliseconds();
        wait = conn_settle_all(&store);
        ring_kick_all(&store);
        if (restart_wanted)
            restart(argv);
        soon.tv_usec = wait * 1000;
        if (wait)
            event_add(tick, &soon);
        if (event_base_loop(base, EVLOOP_ONCE) < 0)
            abort();
    }
}

/* --- Starting --- */

/* Takes what restart() left. */
static bool resume(const char *left)
{
    unsigned conn;
    int held, fd, used;

    if (!left || sscanf(left, "%d %d%n", &listener, &held, &used) != 2)
        return false;
    fcntl(listener, F_SETFD, FD_CLOEXEC);
    if (held >= 0)
        holder_use_link(held);
    for (left += used; sscanf(left, " %u %d%n", &conn, &fd, &used) == 2; left += used)
        holder_note(conn, fd);
    unsetenv(RESUME);
    return true;
}

static void listen_anew(void)
{
    mkdir(options.directory, 0755);
    listener = socket_bind(file_name("socket"));
    if (listener < 0)
        die(file_name("socket"));
}

static void write_pid(void)
{
    FILE *f;

    if (options.print_pid) {
        printf("%ld\n", (long)getpid());
        fflush(stdout);
    }
    if (!options.pid_file)
        return;
    f = fopen(options.pid_file, "we");
    if (!f)
        die(options.pid_file);
    fprintf(f, "%ld\n", (long)getpid());
    fclose(f);
}

int main(int argc, char **argv)
{
    struct event_base *base;
    bool resumed;

    openlog("xenstore-lite", LOG_PID, LOG_DAEMON);
    store_init(&store);
    options_parse(&options, &store, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    resumed = resume(getenv(RESUME));
    if (!resumed)
        listen_anew();
    if (options.trace_file && !log_open(options.trace_file))
        die(options.trace_file);
    log_requests = options.verbose;
    if (!resumed) {
        if (!options.no_fork && daemon(1, 0))
            die("daemon");
        write_pid();
        if (!options.no_holder && !options.no_journal && !holder_run())
            die("signals");
    }
    base = event_base_new();
    if (!base || !socket_serve(base, &store, listener))
        die("event loop");
    if (!options.no_domains && (!xen_open(&store) || !xen_serve(base, &store)))
        die("no hypervisor to be served (--no-domain-init does without)");
    if (!options.no_journal) {
        go_on();
        control_restart = want_restart;
    }
    serve(base, argv);
}
