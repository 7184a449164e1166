/* SPDX-License-Identifier: MIT */
/* The front end's half of a shared ring: how many slots are free, who wants an event when. */
#ifndef PVGUEST_RING_H
#define PVGUEST_RING_H

#include <pvguest/hypercall.h>
#include <pvabi/io/ring.h>

/* The head that every ring begins with. */
struct pv_ring_head {
    RING_IDX req_prod, req_event, rsp_prod, rsp_event;
};

struct pv_ring {
    struct pv_ring_head *shared;
    unsigned size;
    RING_IDX prod, cons; /* ours: requests written, responses read */
};

/* A zeroed page becomes a ring of entries of that size. */
pv_inline void pv_ring_init(struct pv_ring *r, void *page, unsigned entry_size)
{
    *r = (struct pv_ring){.shared = page, .size = pvabi_ring_entries(PAGE_SIZE, entry_size)};
    r->shared->req_event = r->shared->rsp_event = 1;
}

pv_inline unsigned pv_ring_free(const struct pv_ring *r)
{
    return r->size - (r->prod - r->cons);
}

/* Shows the requests up to prod; whether the other side wants to be told. */
pv_inline bool pv_ring_push(struct pv_ring *r)
{
    RING_IDX old = r->shared->req_prod;

    pv_barrier(); /* requests before the index that shows them */
    pv_store(&r->shared->req_prod, r->prod);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* and that before the other side's wish is read */
    return r->prod - pv_load(&r->shared->req_event) < r->prod - old;
}

/* Responses that wait. More than were asked for are the other side's fault and not counted. */
pv_inline unsigned pv_ring_responses(const struct pv_ring *r)
{
    unsigned n = pv_load(&r->shared->rsp_prod) - r->cons;

    pv_barrier(); /* the index before what it shows */
    return n <= r->prod - r->cons ? n : 0;
}

/* Asks for an event with the next response; true when one has come meanwhile. */
pv_inline bool pv_ring_wait(struct pv_ring *r)
{
    pv_store(&r->shared->rsp_event, r->cons + 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return pv_ring_responses(r);
}

#endif
