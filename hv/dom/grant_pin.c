/* SPDX-License-Identifier: MIT */
/* Grants in use: from a shared entry, which its owner may change at any time, to an active entry,
 * which only we change. */
#include "grant.h"

/* Attempts against an owner that keeps changing its entry. */
#define CLAIM_TRIES 4

static cold noinline int refuse_entry(const struct domain *granter, uint32_t ref, uint64_t entry,
                                      domid_t user, bool writable)
{
    return refuse(
        GNTST_general_error,
        "grant %u of domain %u: flags %#x, domain %u, frame %#x do not permit domain %u to %s", ref,
        granter->id, (unsigned)entry & 0xffff, (unsigned)(entry >> 16) & 0xffff,
        (unsigned)(entry >> 32), user, writable ? "write" : "read");
}

/* Marks the shared entry as in use if it grants that to the user; *frame is what it granted at that
 * moment. */
static int claim(const struct domain *granter, uint32_t ref, uint64_t *entry, domid_t user,
                 bool writable, uint32_t *frame)
{
    const uint64_t who = GTF_type_mask | 0xffffull << 16 | (writable ? GTF_readonly : 0);
    const uint64_t want = GTF_permit_access | (uint64_t)user << 16;
    const uint64_t busy = GTF_reading | (writable ? GTF_writing : 0);
    uint64_t old = READ_ONCE(*entry);

    for (unsigned i = 0; i < CLAIM_TRIES; i++) {
        if (unlikely((old & who) != want))
            return refuse_entry(granter, ref, old, user, writable);
        if (likely(__atomic_compare_exchange_n(entry, &old, old | busy, false, __ATOMIC_SEQ_CST,
                                               __ATOMIC_SEQ_CST))) {
            *frame = (uint32_t)(old >> 32);
            return GNTST_okay;
        }
    }
    return refuse(GNTST_general_error, "grant %u of domain %u keeps changing", ref, granter->id);
}

int grant_pin(struct domain *granter, uint32_t ref, domid_t user, bool writable, mfn_t *m)
{
    struct grant_table *t = granter->grants;
    uint32_t page = ref / GRANTS_PER_FRAME, i = ref % GRANTS_PER_FRAME, frame = 0;
    struct active *a;
    uint8_t *pins;
    bool first;

    if (unlikely(page >= t->frames))
        return refuse(GNTST_bad_gntref, "grant %u of domain %u: its table has %u", ref, granter->id,
                      (unsigned)(t->frames * GRANTS_PER_FRAME));
    page %= GRANT_FRAMES_MAX; /* on mispredicted paths, too */
    a = &t->active[page][i];
    first = !(a->readers | a->writers);
    if (unlikely(!first && a->domid != user))
        return refuse(GNTST_general_error, "grant %u of domain %u is in use by domain %u, not %u",
                      ref, granter->id, a->domid, user);
    pins = writable ? &a->writers : &a->readers;
    if (unlikely(*pins == UINT8_MAX))
        return refuse(GNTST_no_space, "grant %u of domain %u is in use %d times", ref, granter->id,
                      UINT8_MAX);
    if (first || (writable && !a->writers)) {
        int status = claim(granter, ref, &t->shared[page][i], user, writable, &frame);

        if (unlikely(status))
            return status;
        if (first) {
            a->mfn = frame;
            a->domid = user;
        }
    }
    ++*pins;
    t->pins++;
    *m = mfn(a->mfn);
    return GNTST_okay;
}

void grant_unpin(struct domain *granter, uint32_t ref, bool writable)
{
    struct grant_table *t = granter->grants;
    uint32_t page = ref / GRANTS_PER_FRAME, i = ref % GRANTS_PER_FRAME;
    struct active *a = &t->active[page][i];
    uint64_t idle = 0;

    --*(writable ? &a->writers : &a->readers);
    t->pins--;
    if (writable && !a->writers)
        idle |= GTF_writing;
    if (!(a->readers | a->writers))
        idle |= GTF_reading;
    if (idle)
        __atomic_fetch_and(&t->shared[page][i], ~idle, __ATOMIC_SEQ_CST);
}

int grant_refuse_frame(const struct domain *owner, mfn_t m, bool writable)
{
    const char *access = writable ? "writing" : "reading";
    const struct frame *f;

    if (!mfn_valid(m))
        return refuse(GNTST_bad_page, "frame %#lx for %s: there is no such memory", m.n, access);
    f = mfn_frame(m);
    if (f->owner != owner)
        return refuse(GNTST_bad_page, "frame %#lx for %s: it is not domain %u's", m.n, access,
                      owner->id);
    return refuse(GNTST_bad_page, "frame %#lx for %s: its type is %s", m.n, access,
                  frame_type_name(word_type(READ_ONCE(f->word))));
}
