/* SPDX-License-Identifier: MIT */
/* Frames of a domain, for the calls that move many of them (pages.c, memory_op.c,
 * memory_exchange.c). */
#ifndef HV_DOM_PAGES_H
#define HV_DOM_PAGES_H

#include <hv/domain.h>

/* Highest order of an extent: what is cleared or moved in one go, without a preemption point. */
#define EXTENT_ORDER_MAX 9

/* Counts so many frames more, or less, whatever the limit. */
void domain_count(struct domain *d, int64_t change);
/* Frames from heap_alloc() become d's; they are charged already. */
void domain_adopt_frames(struct domain *d, mfn_t first, unsigned order);

/* A dying domain drops the reference for being allocated: the frame goes to pages_left, and from
 * there, mostly at once, with its last use. */
void domain_give_up_frame(struct frame *f);

/* A frame that a guest gives away. If its only reference is that of being allocated, it is taken
 * away: nobody can get at the frame any more, and the caller either releases it or takes the claim
 * back. Else an error after a sentence; nothing changed. */
int domain_claim_frame(struct domain *d, uint64_t n);
void frame_unclaim(struct frame *f);
void frame_release_claimed(struct frame *f);

#endif
