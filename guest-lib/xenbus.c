/* SPDX-License-Identifier: MIT */
/* Devices in the store. */
#include <pvguest/console.h>
#include <pvguest/time.h>
#include <pvguest/xenbus.h>

#define PATIENCE (5 * PV_SECOND)

long pv_device_find(struct pv_device *d, const char *type, unsigned index)
{
    static const char parent[] = "device/";
    char names[512];
    size_t type_len = strlen(type);
    long n;
    const char *name = names;

    *d = (struct pv_device){.number = 0};
    memcpy(d->front, parent, sizeof(parent) - 1);
    memcpy(d->front + sizeof(parent) - 1, type, type_len);
    n = pv_xs_list(0, d->front, names, sizeof(names));
    while (n > 0 && index && name < names + n) {
        name += strlen(name) + 1;
        index--;
    }
    if (n <= 0 || name >= names + n || strlen(name) > 12)
        return -XEN_ENODEV;
    d->front[sizeof(parent) - 1 + type_len] = '/';
    memcpy(d->front + sizeof(parent) + type_len, name, strlen(name) + 1);
    for (; *name >= '0' && *name <= '9'; name++)
        d->number = d->number * 10 + *name - '0';
    d->backend = pv_xs_read_number(d->front, "backend-id", 0);
    n = pv_xs_read(0, d->front, "backend", d->back, sizeof(d->back));
    return n < 0 ? n : 0;
}

static void woken(struct pv_watch *w)
{
    (void)w;
}

long pv_device_wait(const struct pv_device *d, unsigned states)
{
    struct pv_watch watch = {.path = d->back, .changed = woken};
    uint64_t deadline = pv_time() + PATIENCE;
    long error = pv_xs_watch(&watch);
    uint64_t state;

    if (error)
        return error;
    do
        state = pv_xs_read_number(d->back, "state", XenbusStateUnknown);
    while (!(states & 1u << (state & 31)) && pv_xs_wait(deadline));
    pv_xs_unwatch(&watch);
    return states & 1u << (state & 31) ? (long)state : -XEN_ETIME;
}

long pv_device_set_state(const struct pv_device *d, enum xenbus_state state)
{
    return pv_xs_write_number(0, d->front, "state", state);
}

void pv_device_close(const struct pv_device *d)
{
    unsigned closed = 1 << XenbusStateClosed | 1 << XenbusStateUnknown;

    pv_device_set_state(d, XenbusStateClosing);
    pv_device_wait(d, closed | 1 << XenbusStateClosing);
    pv_device_set_state(d, XenbusStateClosed);
    pv_device_wait(d, closed);
}

static long publish_once(const struct pv_device *d, const struct pv_device_key *keys,
                         unsigned count)
{
    uint32_t tx;
    long error = pv_xs_begin(&tx);

    if (error)
        return error;
    for (unsigned i = 0; i < count && !error; i++)
        error = keys[i].text ? pv_xs_write(tx, d->front, keys[i].name, keys[i].text)
                             : pv_xs_write_number(tx, d->front, keys[i].name, keys[i].number);
    if (!error)
        return pv_xs_end(tx, true);
    pv_xs_end(tx, false);
    return error;
}

long pv_device_publish(const struct pv_device *d, const struct pv_device_key *keys, unsigned count)
{
    long error;

    do
        error = publish_once(d, keys, count);
    while (error == -XEN_EAGAIN);
    return error;
}
