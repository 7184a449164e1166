/* SPDX-License-Identifier: MIT */
/* The life of devices, by the states of both ends. The store is read anew for every decision. Front
 * ends can change their states as fast as they like; each device is looked at a few times a second
 * at most. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pvabi/io/xenbus.h>

#include "device.h"
#include "log.h"

#define CHECK_INTERVAL  20  /* milliseconds */
#define WAIT_MAX        640 /* between looks at a device that waits for something */
#define RESUME_ATTEMPTS 30  /* while a predecessor that was killed still holds ports */

static const struct device_class *const classes[] = {&vbd_class, &vif_class};
#define CLASSES (sizeof(classes) / sizeof(*classes))

struct device_options device_options;
static struct device *devices;
static bool leaving;

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- Coming and going --- */

static struct device *find(const struct device_class *class, unsigned domid, unsigned id)
{
    struct device *dev = devices;

    while (dev && (dev->class != class || dev->domid != domid || dev->id != id))
        dev = dev->next;
    return dev;
}

static bool check_work(struct work *work);

static struct device *add(const struct device_class *class, unsigned domid, unsigned id)
{
    struct device *dev = class->create();

    if (!dev)
        return NULL;
    dev->class = class;
    dev->domid = domid;
    dev->id = id;
    dev->work.run = check_work;
    dev->wait = CHECK_INTERVAL;
    snprintf(dev->back, sizeof(dev->back), "backend/%s/%u/%u", class->name, domid, id);
    dev->next = devices;
    devices = dev;
    return dev;
}

static void drop(struct device *dev)
{
    struct device **at = &devices;

    while (*at != dev)
        at = &(*at)->next;
    *at = dev->next;
    work_cancel(&dev->work);
    if (dev->known)
        store_unwatch(dev->front, dev->back);
    log_say(dev->known ? LOG_INFO : LOG_DEBUG, "%s is gone", dev->back);
    dev->class->destroy(dev);
}

/* The front end's directory is watched by the key that matters, with our own directory as token. */
static bool learn(struct device *dev)
{
    char path[STORE_PATH - 8];

    if (dev->known)
        return true;
    if (!store_text(dev->back, "frontend", path, sizeof(path)))
        return false;
    snprintf(dev->front, sizeof(dev->front), "%s/state", path);
    dev->known = store_watch(dev->front, dev->back);
    return dev->known;
}

void device_front_dir(const struct device *dev, char dir[STORE_PATH])
{
    snprintf(dir, STORE_PATH, "%s", dev->front);
    *strrchr(dir, '/') = '\0';
}

static int front_state(const struct device *dev)
{
    char dir[STORE_PATH];

    device_front_dir(dev, dir);
    return (int)store_number(dir, "state", XenbusStateUnknown);
}

/* --- Steps --- */

static void set_state(struct device *dev, int state)
{
    log_say(LOG_DEBUG, "%s goes to state %d", dev->back, state);
    store_set_state(dev->back, state);
}

static void stop(struct device *dev, int state)
{
    bool first = !dev->stopping;

    dev->after_stop = state;
    dev->stopping = true;
    if (dev->connected && first)
        dev->class->stop(dev);
}

static bool finish_stop(struct device *dev)
{
    if (dev->connected) {
        if (!dev->class->idle(dev))
            return false;
        dev->class->release(dev);
        dev->connected = false;
        log_say(LOG_INFO, "%s is disconnected", dev->back);
    }
    dev->stopping = dev->failed = false;
    if (!dev->gone && dev->after_stop) {
        set_state(dev, dev->after_stop);
        dev->gone = dev->after_stop == XenbusStateClosed && !store_number(dev->back, "online", 1);
    }
    return true;
}

void device_fail(struct device *dev, const char *why)
{
    if (dev->failed)
        return;
    dev->failed = true;
    log_say(LOG_WARNING, "%s serves its front end no more: %s", dev->back, why);
    store_put(dev->back, "error", "%s", why);
}

/* What a device waits for may take long, a locked image for instance: it is looked at less and less
 * often. */
static void look_later(struct device *dev)
{
    dev->later = true;
    dev->wait = dev->wait * 2 < WAIT_MAX ? dev->wait * 2 : WAIT_MAX;
}

static void offer(struct device *dev)
{
    switch (dev->class->offer(dev)) {
    case DEVICE_OK:
        dev->offered = true;
        dev->wait = CHECK_INTERVAL;
        break;
    case DEVICE_LATER:
        look_later(dev);
        break;
    case DEVICE_FAILED:
        device_fail(dev, "what it stands for cannot be opened");
        break;
    }
}

static void connect(struct device *dev, bool resume)
{
    enum device_result result = dev->class->connect(dev, resume);

    if (resume && result == DEVICE_FAILED && ++dev->attempts < RESUME_ATTEMPTS)
        result = DEVICE_LATER;
    switch (result) {
    case DEVICE_OK:
        dev->connected = true;
        dev->attempts = 0;
        dev->wait = CHECK_INTERVAL;
        dev->class->describe(dev);
        set_state(dev, XenbusStateConnected);
        log_say(LOG_INFO, "%s is connected%s", dev->back, resume ? " again" : "");
        break;
    case DEVICE_LATER:
        look_later(dev);
        break;
    case DEVICE_FAILED:
        device_fail(dev, "what the front end has written cannot be used");
        set_state(dev, XenbusStateClosing);
        break;
    }
}

/* The front end is there and has not closed. */
static void meet(struct device *dev, int back, int front)
{
    if (!dev->offered)
        offer(dev);
    if (!dev->offered)
        return;
    if (back < XenbusStateInitWait ||
        (front == XenbusStateInitialising && back != XenbusStateInitWait)) {
        set_state(dev, XenbusStateInitWait);
        back = XenbusStateInitWait;
    }
    if (front < dev->class->front_ready || front > XenbusStateConnected || dev->connected)
        return;
    if (back == XenbusStateInitWait || back == XenbusStateInitialised)
        connect(dev, false);
    else if (back == XenbusStateConnected)
        connect(dev, true);
}

static void decide(struct device *dev)
{
    int back, front;

    if (!learn(dev)) {
        if (store_broken())
            return;
        dev->gone = true;
        stop(dev, 0);
        return;
    }
    back = (int)store_number(dev->back, "state", XenbusStateUnknown);
    front = front_state(dev);
    if (store_broken())
        return;
    if (back == XenbusStateUnknown && !store_exists(dev->back, "frontend")) {
        dev->gone = !store_broken();
        if (dev->gone)
            stop(dev, 0);
        return;
    }
    switch (front) {
    case XenbusStateInitialising:
        if (dev->connected)
            stop(dev, XenbusStateInitWait); /* a new front end, which never saw the old one close */
        else if (!dev->failed)
            meet(dev, back, front);
        break;
    case XenbusStateInitWait:
    case XenbusStateInitialised:
    case XenbusStateConnected:
        if (!dev->failed)
            meet(dev, back, front);
        break;
    case XenbusStateClosing:
        if (back != XenbusStateClosing && back != XenbusStateClosed)
            stop(dev, XenbusStateClosing);
        break;
    case XenbusStateUnknown:
    case XenbusStateClosed:
        /* A toolstack that has only begun may not have written the front end's side yet. */
        if (dev->connected || (back != XenbusStateClosed && back > XenbusStateInitialising))
            stop(dev, XenbusStateClosed);
        break;
    default:
        break;
    }
}

static void check(struct device *dev)
{
    dev->later = false;
    dev->checked = now_ms();
    if (!dev->stopping)
        decide(dev);
    if (!dev->stopping || !finish_stop(dev))
        return;
    if (dev->gone)
        drop(dev);
    else
        dev->later = true; /* what changed meanwhile */
}

static bool check_work(struct work *work)
{
    struct device *dev = (struct device *)((char *)work - offsetof(struct device, work));

    if (!leaving)
        check(dev);
    return false;
}

void device_check_soon(struct device *dev)
{
    work_schedule(&dev->work);
}

/* --- The store's news --- */

/* Our own keys cause events too; those that others write are few. */
static bool matters(const char *key)
{
    static const char *const keys[] = {
        "",         "/state", "/online", "/params", "/physical-device-path", "/hotplug-status",
        "/frontend"};

    for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (!strcmp(key, keys[i]))
            return true;
    }
    return false;
}

static void changed(const struct device_class *class, const char *path)
{
    unsigned domid, id;
    struct device *dev;
    int end = 0;

    if (sscanf(path, "/%u/%u%n", &domid, &id, &end) < 2 || !end || !matters(path + end))
        return;
    dev = find(class, domid, id);
    if (!dev)
        dev = add(class, domid, id);
    if (!dev)
        return;
    if (now_ms() - dev->checked < CHECK_INTERVAL)
        dev->later = true;
    else
        work_schedule(&dev->work);
}

void devices_event(const char *path, const char *token)
{
    size_t n;

    for (unsigned i = 0; i < CLASSES; i++) {
        /* Events of our watches have relative paths, the tokens of front ends' are ours in full. */
        n = (size_t)snprintf(NULL, 0, "backend/%s", classes[i]->name);
        if (!strncmp(token, "backend/", 8) && !strncmp(token + 8, classes[i]->name, n - 8))
            changed(classes[i], (token[n] ? token : path) + n);
    }
}

bool devices_again(void)
{
    long now = now_ms();
    bool some = false;

    for (struct device *dev = devices; dev; dev = dev->next) {
        if (!dev->later)
            continue;
        some = true;
        if (now - dev->checked >= dev->wait)
            work_schedule(&dev->work);
    }
    return some;
}

static void scan(const struct device_class *class)
{
    char dir[32], path[STORE_PATH];
    unsigned n, m;
    char **domains, **ids;

    snprintf(dir, sizeof(dir), "backend/%s", class->name);
    domains = store_list(dir, &n);
    for (unsigned i = 0; i < n; i++) {
        if (snprintf(path, sizeof(path), "%s/%s", dir, domains[i]) >= (int)sizeof(path))
            continue;
        ids = store_list(path, &m);
        for (unsigned j = 0; j < m; j++) {
            if (snprintf(path, sizeof(path), "/%s/%s", domains[i], ids[j]) < (int)sizeof(path))
                changed(class, path);
        }
        free(ids);
    }
    free(domains);
}

bool devices_attach(void)
{
    char path[STORE_PATH];

    for (struct device *dev = devices; dev; dev = dev->next) {
        if (dev->known && !store_watch(dev->front, dev->back))
            return false;
        dev->later = true;
    }
    for (unsigned i = 0; i < CLASSES; i++) {
        snprintf(path, sizeof(path), "backend/%s", classes[i]->name);
        if (!store_watch(path, path))
            return false;
        scan(classes[i]);
    }
    return true;
}

/* --- The daemon's own end --- */

void devices_stop_all(void)
{
    leaving = true;
    for (struct device *dev = devices; dev; dev = dev->next) {
        dev->stopping = true;
        if (dev->connected)
            dev->class->stop(dev);
    }
}

bool devices_idle(void)
{
    for (struct device *dev = devices; dev; dev = dev->next) {
        if (dev->connected && !dev->class->idle(dev))
            return false;
    }
    return true;
}

void devices_leave(void)
{
    for (struct device *dev = devices; dev; dev = dev->next) {
        if (dev->connected)
            dev->class->release(dev);
    }
}

void devices_report(FILE *to)
{
    const char *comma = "";

    fprintf(to, "{\"devices\":[");
    for (struct device *dev = devices; dev; dev = dev->next) {
        fprintf(to,
                "%s{\"class\":\"%s\",\"domain\":%u,\"device\":%u,\"connected\":%s,\"failed\":%s",
                comma, dev->class->name, dev->domid, dev->id, dev->connected ? "true" : "false",
                dev->failed ? "true" : "false");
        dev->class->report(dev, to);
        fprintf(to, "}");
        comma = ",";
    }
    fprintf(to, "]}\n");
}
