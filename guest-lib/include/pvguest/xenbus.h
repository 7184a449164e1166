/* SPDX-License-Identifier: MIT */
/* The two ends of a split driver find each other in the store, and agree on it by their states. */
#ifndef PVGUEST_XENBUS_H
#define PVGUEST_XENBUS_H

#include <pvguest/xs.h>
#include <pvabi/io/xenbus.h>

struct pv_device {
    char front[48];        /* "device/vbd/51712" */
    char back[PV_XS_PATH]; /* the other side's directory */
    unsigned backend;      /* its domain */
    unsigned number;       /* the last component of `front` */
};

/* The device of that type ("vbd", "vif") at `index` in the store's order. -XEN_ENODEV: there is
 * none. */
long pv_device_find(struct pv_device *d, const char *type, unsigned index);
/* Waits, five seconds at most, until the back end is in one of the states (1 << XenbusState...);
 * that state, or -XEN_ETIME. */
long pv_device_wait(const struct pv_device *d, unsigned states);
long pv_device_set_state(const struct pv_device *d, enum xenbus_state state);
/* Takes leave of the back end, for domains that go on living. */
void pv_device_close(const struct pv_device *d);

/* An entry of the front end's directory. */
struct pv_device_key {
    const char *name;
    const char *text; /* NULL: number */
    uint64_t number;
};
/* Writes them in one transaction. */
long pv_device_publish(const struct pv_device *d, const struct pv_device_key *keys, unsigned count);

#endif
