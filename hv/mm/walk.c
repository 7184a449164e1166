/* SPDX-License-Identifier: MIT */
/* Looks into a guest's tables from outside of the lock. */
#include "types.h"

/* Tables may cease to be tables on the way, so each step proves that the frame is RAM of the
 * domain: what is read may be nonsense then, but only the guest's own. */
bool pt_lookup(const struct vcpu *v, uint64_t va, uint64_t *pte)
{
    mfn_t m = mfn(v->kernel_cr3 >> PAGE_SHIFT);

    if (!guest_range_ok(va, 1))
        return false;
    for (unsigned shift = 39;; shift -= 9) {
        uint64_t e;

        if (!mfn_valid(m) || READ_ONCE(mfn_frame(m)->owner) != v->domain)
            return false;
        e = READ_ONCE(((const uint64_t *)mfn_va(m))[va >> shift & 511]);
        if (shift == PAGE_SHIFT) {
            *pte = e;
            return true;
        }
        if (!(e & PTE_P))
            return false;
        m = pte_mfn(e);
    }
}
