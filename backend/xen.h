/* SPDX-License-Identifier: MIT */
/* Grants and event channels of the running hypervisor. */
#ifndef BACKEND_XEN_H
#define BACKEND_XEN_H

#include "port.h"
#include "work.h"

struct xen_grants {
    struct grants grants;
    uint32_t domid;
};

/* A port connected with a front end's. Its work is scheduled by each event; the port stays masked
 * until xen_channel_unmask(), so a front end cannot cause events faster than they are dealt with.
 */
struct xen_channel {
    struct notifier notifier;
    struct work *work;
    int port; /* -1: not bound */
    bool masked;
};

/* False, with a message, if the devices cannot be opened. */
bool xen_open(void);
int xen_events_fd(void);

void xen_grants_init(struct xen_grants *g, uint32_t domid);

bool xen_channel_bind(struct xen_channel *c, uint32_t domid, uint32_t remote_port,
                      struct work *work);
void xen_channel_unbind(struct xen_channel *c);
void xen_channel_unmask(struct xen_channel *c);

void xen_events_read(void);
void xen_events_unmask(void); /* all that were asked for, in one call */

#endif
