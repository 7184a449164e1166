/* SPDX-License-Identifier: MIT */
/* The backend daemon: options, the event loop, beginning and end. Callbacks only schedule work;
 * after each wait the work is done in passes, and what the passes gathered goes out in single
 * calls. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "device.h"
#include "disk.h"
#include "log.h"
#include "loop.h"
#include "xen.h"

#define PASSES 16 /* before other events are looked at */
#define AGAIN_INTERVAL                                                                             \
    {                                                                                              \
        0, 20 * 1000                                                                               \
    }
#define STORE_INTERVAL                                                                             \
    {                                                                                              \
        0, 250 * 1000                                                                              \
    }
#define DEFAULT_RUN_DIR "/run/paravane-backend"

struct event_base *loop_base;

static struct event *store_readable, *store_link, *again, *store_retry;
static char control_path[STORE_PATH];
static bool ending;

static const char usage[] =
    "usage: backend [OPTION...]\n"
    "Serves the virtual disks (vbd) and network devices (vif) of guests whose back end is this\n"
    "domain. Killed and started again, it goes on where it was.\n"
    "  --run-dir DIR    files that a successor needs, and the control socket (" DEFAULT_RUN_DIR
    ")\n"
    "  --queues N       rings offered for one device (4)\n"
    "  --buffered       disks through the page cache, even where O_DIRECT works\n"
    "  --log LEVEL      error, warning, info or debug (info)\n"
    "  --json           print the counters of the daemon that runs, and exit\n"
    "  --help\n"
    "Signals: SIGINT, SIGTERM: finish what is under way, and leave; guests wait for the next\n"
    "start. SIGUSR1: print the counters on standard output.\n";

/* --- The store --- */

static void read_store(evutil_socket_t fd, short what, void *unused)
{
    char token[STORE_PATH], *path;

    (void)fd;
    (void)what;
    (void)unused;
    while ((path = store_event(token))) {
        devices_event(path, token);
        free(path);
    }
}

static void store_gone(evutil_socket_t fd, short what, void *unused)
{
    (void)fd;
    (void)what;
    (void)unused;
    store_ended();
}

static bool attach_store(void)
{
    if (!store_open())
        return false;
    store_readable = event_new(loop_base, store_fd(), EV_READ | EV_PERSIST, read_store, NULL);
    store_link = event_new(loop_base, store_link_fd(), EV_READ, store_gone, NULL);
    return store_readable && store_link && !event_add(store_readable, NULL) &&
           !event_add(store_link, NULL) && devices_attach();
}

static void retry_store(evutil_socket_t fd, short what, void *unused)
{
    (void)fd;
    (void)what;
    (void)unused;
    if (store_readable)
        event_free(store_readable);
    if (store_link)
        event_free(store_link);
    store_readable = store_link = NULL;
    if (attach_store())
        log_say(LOG_INFO, "the store is there again");
}

/* --- Passes --- */

static void look_again(evutil_socket_t fd, short what, void *unused)
{
    (void)fd;
    (void)what;
    (void)unused;
}

static void read_events(evutil_socket_t fd, short what, void *unused)
{
    (void)fd;
    (void)what;
    (void)unused;
    xen_events_read();
}

/* The requests that are complete are reaped after every wait. */
static void disks_ready(evutil_socket_t fd, short what, void *unused)
{
    (void)fd;
    (void)what;
    (void)unused;
}

static void settle(void)
{
    static const struct timeval again_interval = AGAIN_INTERVAL, store_interval = STORE_INTERVAL;

    disk_ring_reap();
    for (unsigned i = 0; i < PASSES && work_waits(); i++) {
        work_pass();
        disk_ring_submit();
        disk_ring_reap();
    }
    xen_events_unmask();
    if (ending)
        return;
    if (store_broken()) {
        if (!evtimer_pending(store_retry, NULL)) {
            log_say(LOG_WARNING, "the store is lost");
            evtimer_add(store_retry, &store_interval);
        }
    } else if (devices_again() && !evtimer_pending(again, NULL)) {
        evtimer_add(again, &again_interval);
    }
}

static void run(void)
{
    while (!ending || !devices_idle()) {
        event_base_loop(loop_base, EVLOOP_ONCE | (work_waits() ? EVLOOP_NONBLOCK : 0));
        settle();
    }
}

/* --- Beginning and end --- */

static void end(evutil_socket_t signal, short what, void *unused)
{
    (void)signal;
    (void)what;
    (void)unused;
    if (!ending)
        devices_stop_all();
    ending = true;
}

static void print_report(evutil_socket_t signal, short what, void *unused)
{
    (void)signal;
    (void)what;
    (void)unused;
    devices_report(stdout);
    fflush(stdout);
}

static bool watch(int fd, short what, event_callback_fn callback)
{
    struct event *event = event_new(loop_base, fd, what | EV_PERSIST, callback, NULL);

    return event && !event_add(event, NULL);
}

/* One daemon for each run directory. The lock ends with the process, however that ends. */
static bool lock_run_dir(void)
{
    char path[STORE_PATH];
    int fd;

    if (mkdir(device_options.run_dir, 0700) && errno != EEXIST) {
        log_say(LOG_ERROR, "%s cannot be made: %s", device_options.run_dir, strerror(errno));
        return false;
    }
    snprintf(path, sizeof(path), "%s/lock", device_options.run_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
        return true;
    log_say(LOG_ERROR, "%s: %s", path,
            fd < 0 ? strerror(errno) : "another daemon runs with this directory");
    return false;
}

/* The time of day is needed by timers only; a cached one would be read at every turn. */
static struct event_base *base_without_clock(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static bool begin(void)
{
    loop_base = base_without_clock();
    if (!loop_base || !lock_run_dir() || !xen_open() || !disk_ring_open())
        return false;
    again = evtimer_new(loop_base, look_again, NULL);
    store_retry = evtimer_new(loop_base, retry_store, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!again || !store_retry || !watch(SIGINT, EV_SIGNAL, end) ||
        !watch(SIGTERM, EV_SIGNAL, end) || !watch(SIGUSR1, EV_SIGNAL, print_report) ||
        !watch(xen_events_fd(), EV_READ, read_events) ||
        !watch(disk_ring_fd(), EV_READ, disks_ready) || !control_listen(control_path))
        return false;
    if (!attach_store())
        log_say(LOG_WARNING, "there is no store yet");
    return true;
}

enum { OPTION_RUN_DIR = 256, OPTION_QUEUES, OPTION_BUFFERED, OPTION_LOG, OPTION_JSON, OPTION_HELP };

/* -1: go on; otherwise the exit status. */
static int take_options(int argc, char **argv, bool *ask)
{
    static const struct option options[] = {{"run-dir", required_argument, NULL, OPTION_RUN_DIR},
                                            {"queues", required_argument, NULL, OPTION_QUEUES},
                                            {"buffered", no_argument, NULL, OPTION_BUFFERED},
                                            {"log", required_argument, NULL, OPTION_LOG},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"help", no_argument, NULL, OPTION_HELP},
                                            {NULL, 0, NULL, 0}};
    int option;
    bool good = true;

    device_options = (struct device_options){.queues = 4, .run_dir = DEFAULT_RUN_DIR};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case OPTION_RUN_DIR:
            device_options.run_dir = optarg;
            break;
        case OPTION_QUEUES:
            device_options.queues = (unsigned)strtoul(optarg, NULL, 10);
            good = good && device_options.queues;
            break;
        case OPTION_BUFFERED:
            device_options.buffered = true;
            break;
        case OPTION_LOG:
            good = good && log_set_level(optarg);
            break;
        case OPTION_JSON:
            *ask = true;
            break;
        case OPTION_HELP:
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            good = false;
        }
    }
    if (good && optind == argc)
        return -1;
    fputs(usage, stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bool ask = false;
    int status = take_options(argc, argv, &ask);

    if (status >= 0)
        return status;
    snprintf(control_path, sizeof(control_path), "%s/control", device_options.run_dir);
    if (ask)
        return control_ask(control_path) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (!begin())
        return EXIT_FAILURE;
    run();
    devices_leave();
    store_close();
    control_close(control_path);
    return EXIT_SUCCESS;
}
