/* SPDX-License-Identifier: MIT */
/* Typed uses that are no entries: roots, pins, descriptor pages. */
#include "types.h"

/* "frame 0x123 (L2 page table of d3) cannot be ..." after a refusal whose sentence is still to say.
 */
static int type_refuse(struct pt_call *c, int rc, mfn_t m, enum frame_type t)
{
    char request[24] = "", frame[48];

    if (rc && c->why) {
        if (c->request != NO_REQUEST)
            snprintf(request, sizeof(request), "operation %u: ", c->request);
        frame_describe(frame, sizeof(frame), m);
        rc = refuse(rc, "%sframe %#lx, %s, cannot be used as %s: %s", request, m.n, frame,
                    frame_type_name(t), c->why);
        c->why = NULL;
    }
    return rc;
}

void typed_put(struct domain *d, uint64_t frame, enum frame_type t)
{
    struct pt_call c = PT_CALL(d);
    mfn_t m = mfn(frame);

    if (type_put_shared(mfn_frame(m)))
        return;
    pt_lock_walk(d);
    table_put(&c, m, t);
    unlock(&d->pt_lock);
}

static int typed_get(struct pt_call *c, mfn_t m, enum frame_type t)
{
    int rc = -XEN_ESRCH;

    if (typed_try(c->d, m, t))
        return 0;
    pt_lock_walk(c->d);
    if (c->d->dying)
        c->why = "its domain is dying";
    else
        rc = table_get(c, m, t);
    unlock(&c->d->pt_lock);
    return type_refuse(c, rc, m, t);
}

int root_get_slow(struct domain *d, uint64_t frame, unsigned request)
{
    struct pt_call c = {.d = d, .pg = d, .request = request};

    return typed_get(&c, mfn(frame), FT_L4);
}

int pt_get_root(struct domain *d, mfn_t m)
{
    return root_get(d, m, NO_REQUEST);
}

void pt_put_root(struct domain *d, mfn_t m)
{
    root_put(d, m);
}

int seg_get(struct domain *d, mfn_t m)
{
    struct pt_call c = PT_CALL(d);

    return typed_get(&c, m, FT_SEG);
}

void seg_put(struct domain *d, mfn_t m)
{
    typed_put(d, m.n, FT_SEG);
}

int pin_table(struct pt_call *c, mfn_t m, enum frame_type t)
{
    int rc = -XEN_ESRCH;

    pt_lock_walk(c->d);
    if (c->d->dying) {
        c->why = "its domain is dying";
    } else {
        rc = table_get(c, m, t);
        if (!rc && (__atomic_fetch_or(&mfn_frame(m)->word, FW_PIN, __ATOMIC_SEQ_CST) & FW_PIN)) {
            table_put(c, m, t);
            c->why = "it is pinned already";
            rc = -XEN_EINVAL;
        }
    }
    unlock(&c->d->pt_lock);
    return type_refuse(c, rc, m, t);
}

int unpin_table(struct pt_call *c, mfn_t m)
{
    struct frame *f = mfn_frame(m);
    enum frame_type t;
    uint64_t w;

    if (!mfn_valid(m) || !frame_get_ref(f, c->d))
        return refuse(-XEN_EPERM, "unpin of frame %#lx, which is not a frame of d%u", m.n,
                      c->d->id);
    pt_lock_walk(c->d);
    w = READ_ONCE(f->word);
    t = word_type(w);
    if (w & FW_PIN) {
        __atomic_and_fetch(&f->word, ~FW_PIN, __ATOMIC_SEQ_CST);
        table_put(c, m, t);
    }
    unlock(&c->d->pt_lock);
    frame_put_ref(f);
    if (w & FW_PIN)
        return 0;
    return refuse(-XEN_EINVAL, "unpin of frame %#lx, %s, which is not pinned", m.n,
                  frame_type_name(t));
}

int pt_pin(struct domain *d, mfn_t m, enum frame_type level)
{
    struct pt_call c = PT_CALL(d);

    return pin_table(&c, m, level);
}

int pt_unpin(struct domain *d, mfn_t m)
{
    struct pt_call c = PT_CALL(d);

    return unpin_table(&c, m);
}
