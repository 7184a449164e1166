/* SPDX-License-Identifier: MIT */
/* Grants in use: from a shared entry, which its owner may change at any time, to an active entry,
 * which only we change. The first use of a grant that permits it is in grant.h; here are all other
 * cases. */
#include "grant.h"

/* Attempts against an owner that keeps changing its entry. */
#define CLAIM_TRIES 4

static cold noinline int refuse_entry(const struct domain *granter, uint32_t ref, uint64_t entry,
                                      domid_t user, bool writable)
{
    return deny(
        GNTST_general_error,
        "grant %u of domain %u: flags %#x, domain %u, frame %#x do not permit domain %u to %s", ref,
        granter->id, (unsigned)entry & 0xffff, (unsigned)(entry >> 16) & 0xffff,
        (unsigned)(entry >> 32), user, writable ? "write" : "read");
}

/* Marks the shared entry as in use if it grants that to the user; *frame is what it granted at that
 * moment. */
static int claim(const struct domain *granter, uint32_t ref, domid_t user, bool writable,
                 uint32_t *frame)
{
    const struct grant_need need = grant_need(user, writable);
    uint64_t *entry = entry_at(granter->grants, ref), old = READ_ONCE(*entry);

    for (unsigned i = 0; i < CLAIM_TRIES; i++) {
        if ((old & need.mask) != need.value)
            return refuse_entry(granter, ref, old, user, writable);
        if (__atomic_compare_exchange_n(entry, &old, old | need.busy, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            *frame = (uint32_t)(old >> 32);
            return GNTST_okay;
        }
    }
    return deny(GNTST_general_error, "grant %u of domain %u keeps changing", ref, granter->id);
}

int grant_pin_slow(struct domain *granter, uint32_t ref, domid_t user, bool writable, mfn_t *m)
{
    struct grant_table *t = granter->grants;
    struct active *a;
    uint32_t frame = 0;
    bool first;

    if (ref / GRANTS_PER_FRAME >= t->frames)
        return deny(GNTST_bad_gntref, "grant %u of domain %u: its table has %u", ref, granter->id,
                    (unsigned)(t->frames * GRANTS_PER_FRAME));
    a = active_at(t, ref);
    first = !(a->readers | a->writers);
    if (!first && a->domid != user)
        return deny(GNTST_general_error, "grant %u of domain %u is in use by domain %u, not %u",
                    ref, granter->id, a->domid, user);
    if ((writable ? a->writers : a->readers) == UINT8_MAX)
        return deny(GNTST_no_space, "grant %u of domain %u is in use %d times", ref, granter->id,
                    UINT8_MAX);
    if (first || (writable && !a->writers)) {
        int status = claim(granter, ref, user, writable, &frame);

        if (status)
            return status;
        if (first) {
            a->word = frame | ACTIVE_DOMID(user);
        } else if (frame != a->mfn) { /* readers hold what the entry said earlier */
            __atomic_fetch_and(entry_at(t, ref), ~(uint64_t)GTF_writing, __ATOMIC_SEQ_CST);
            return deny(GNTST_general_error,
                        "grant %u of domain %u: frame %#x is mapped by it, and now its "
                        "entry says frame %#x",
                        ref, granter->id, a->mfn, frame);
        }
    }
    a->word += writable ? ACTIVE_WRITER : ACTIVE_READER;
    t->pins++;
    *m = mfn(a->mfn);
    return GNTST_okay;
}

int grant_hold_slow(struct domain *owner, mfn_t m, bool writable)
{
    const char *access = writable ? "writing" : "reading";
    struct frame *f;

    if (!mfn_valid(m))
        return deny(GNTST_bad_page, "frame %#lx for %s: there is no such memory", m.n, access);
    f = mfn_frame(m);
    if (writable ? !frame_get_writable(f, owner) : frame_get_ref(f, owner))
        return GNTST_okay;
    if (READ_ONCE(f->owner) != owner)
        return deny(GNTST_bad_page, "frame %#lx for %s: it is not domain %u's", m.n, access,
                    owner->id);
    return deny(GNTST_bad_page, "frame %#lx for %s: its type is %s", m.n, access,
                frame_type_name(word_type(READ_ONCE(f->word))));
}
