/* SPDX-License-Identifier: MIT */
/* States of the two ends of a split driver, in their "state" keys. */
#ifndef PVABI_IO_XENBUS_H
#define PVABI_IO_XENBUS_H

enum xenbus_state {
    XenbusStateUnknown = 0, /* no such key */
    XenbusStateInitialising = 1,
    XenbusStateInitWait = 2, /* the back end has said what it can do */
    XenbusStateInitialised = 3,
    XenbusStateConnected = 4,
    XenbusStateClosing = 5,
    XenbusStateClosed = 6,
    XenbusStateReconfiguring = 7,
    XenbusStateReconfigured = 8,
};

#endif
