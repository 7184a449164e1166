/* SPDX-License-Identifier: MIT */
/* The ring that a domain shares with the store: bytes both ways, a page the other side may change
 * at any time. */
#ifndef XSL_RING_H
#define XSL_RING_H

#include "conn.h"
#include "domain.h"

extern const struct transport ring_transport;

void ring_attach(
    struct domain *d); /* goes on where the ring is, and says what the store is able to do */
void ring_reset(struct domain *d);
/* Goes on where a former process says it was; it may have sent more than it could say. */
void ring_resume(struct domain *d, uint32_t req_cons, uint32_t rsp_prod);

void ring_input(struct domain *d);   /* its port was notified */
void ring_kick_all(struct store *s); /* notifies those whose ring was read or written since */

#endif
