/* SPDX-License-Identifier: MIT */
/* TAP devices with virtio_net headers, one descriptor for each queue. */
#ifndef BACKEND_TAP_H
#define BACKEND_TAP_H

#include <net/if.h>
#include <stdbool.h>

/* Opens one more queue of the named device, which is made if it is not there; -1 with a message. */
int tap_open(const char *name);
/* What the guest can take: blank checksums, TCP segments of either version to be cut. */
bool tap_offload(int fd, bool checksums, bool tcp4, bool tcp6);
/* Whether the device stays when nobody has it open. */
void tap_keep(int fd, bool keep);
bool tap_up(const char *name, unsigned mtu); /* 0: leave the MTU */
bool tap_join(const char *name, const char *bridge);

#endif
