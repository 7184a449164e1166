/* SPDX-License-Identifier: MIT */
/* Frames of a domain, for the calls that move many of them (pages.c, memory_op.c,
 * memory_exchange.c). */
#ifndef HV_DOM_PAGES_H
#define HV_DOM_PAGES_H

#include <hv/domain.h>

/* Highest order of an extent: what is cleared or moved in one go, without a preemption point. */
#define EXTENT_ORDER_MAX 9

/* Counts frames against the limit before they are there. False: too many, or the domain is dying.
 */
bool domain_charge(struct domain *d, uint64_t count);
/* The same for frames in whose place others are about to go: the limit is kept in the end. */
void domain_charge_swap(struct domain *d, uint64_t count);
void domain_uncharge(struct domain *d, uint64_t count);
/* Frames from heap_alloc() become d's; they are charged already. */
void domain_adopt_frames(struct domain *d, mfn_t first, unsigned order);

/* A dying domain drops the reference for being allocated: the frame goes to pages_left, and from
 * there, mostly at once, with its last use. */
void domain_give_up_frame(struct frame *f);

/* The caller holds a reference. If beside it there is but the one of being allocated, and no typed
 * use, both are taken away: nobody can get at the frame any more, and the caller either releases it
 * or takes the claim back (the frame is then as before, without the caller's reference). False: the
 * frame is in use; nothing changed. */
bool frame_claim(struct frame *f);
void frame_unclaim(struct frame *f);
void frame_release_claimed(struct frame *f);

#endif
