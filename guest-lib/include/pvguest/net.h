/* SPDX-License-Identifier: MIT */
/* A network card whose other end is another domain's: whole frames, copied once on each way. */
#ifndef PVGUEST_NET_H
#define PVGUEST_NET_H

#include <pvguest/ring.h>
#include <pvguest/xenbus.h>
#include <pvabi/io/netif.h>

#define PV_NET_FRAME   1514 /* bytes of the largest frame */
#define PV_NET_BUFFERS 64   /* pages for each direction */

struct pv_net {
    struct pv_device device;
    uint8_t mac[6];
    /* Set by the guest before opening; called from the event upcall. The frame is gone afterwards.
     * `checked`: it came from the same machine, its checksums need not be looked at. */
    void (*receive)(struct pv_net *n, const void *frame, size_t size, bool checked);
    /* The driver's. */
    struct pv_ring tx, rx;
    unsigned port;
    void *tx_pages[PV_NET_BUFFERS], *rx_pages[PV_NET_BUFFERS];
    unsigned tx_refs[PV_NET_BUFFERS], rx_refs[PV_NET_BUFFERS];
    bool tx_busy[PV_NET_BUFFERS];
};

/* Connects the domain's card number `index`. -XEN_ENODEV: there is none. At most four cards. */
long pv_net_open(struct pv_net *n, unsigned index);
/* False: no room, or too long; the frame is lost. */
bool pv_net_send(struct pv_net *n, const void *frame, size_t size);
/* Takes in what came; the upcall does it too. */
void pv_net_poll(struct pv_net *n);

#endif
