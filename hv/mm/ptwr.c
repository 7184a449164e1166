/* SPDX-License-Identifier: MIT */
/*
 * Writable page tables: a guest kernel's store to an entry of a live L1, which it has mapped
 * read-only, is carried out for it. The instruction's bytes are fetched once; its effect on the
 * entry is computed, judged as any leaf update, and put there by compare-and-swap, since the
 * processor may mark the old entry accessed or dirty at any time.
 */
#include <hv/x86/decode.h>
#include "types.h"

/* In line below, where the time goes. */
static always_inline unsigned fetch(const struct guest_regs *r, uint64_t bytes[2])
{
    unsigned to_page_end = (unsigned)(PAGE_SIZE - (r->rip & (PAGE_SIZE - 1)));

    if (likely(to_page_end >= 16 && guest_range_ok(r->rip, 16)))
        return guest_load64(&bytes[0], r->rip) && guest_load64(&bytes[1], r->rip + 8) ? INSN_MAX_LEN
                                                                                      : 0;
    if (!copy_from_guest(bytes, r->rip, INSN_MAX_LEN))
        return INSN_MAX_LEN;
    return to_page_end < INSN_MAX_LEN && !copy_from_guest(bytes, r->rip, to_page_end) ? to_page_end
                                                                                      : 0;
}

unsigned fetch_instruction(const struct guest_regs *r, uint64_t bytes[2])
{
    return fetch(r, bytes);
}

/* Lock: pt. 0, or an error after a sentence; *res is what the instruction left. */
static int emulate(struct domain *d, const struct pte_insn *in, const struct guest_regs *r,
                   uint64_t *slot, struct pte_result *res)
{
    uint64_t old = READ_ONCE(*slot), val;
    bool same;
    int rc;

    do {
        if (!pte_apply(in, r, old, res)) {
            struct pt_call c = PT_CALL(d);

            c.why = "a store across two entries is not one to a page table";
            return pte_refuse(&c, -XEN_EINVAL, slot, 1, old);
        }
        val = res->entry & PTE_P ? pte_normal(res->entry) : res->entry;
        same = !((old ^ val) & LEAF_MEANING) && (val & PTE_P);
        if ((val & PTE_P) && !same && unlikely(!leaf_get_fast(d, val))) {
            rc = aside5(leaf_get_odd, d, d, NO_REQUEST, slot, val);
            if (unlikely(rc))
                return rc;
        }
        if (likely(__atomic_compare_exchange_n(slot, &old, val, false, __ATOMIC_SEQ_CST,
                                               __ATOMIC_RELAXED)))
            break;
        if ((val & PTE_P) && !same)
            leaf_put(d, val);
    } while (true);
    if ((old & PTE_P) && !same)
        leaf_put(d, old);
    return 0;
}

/* The L1 table that va maps read-only: its first entry. Lock: pt; the mapping holds a reference,
 * and the lock the type. */
static uint64_t *mapped_l1(const struct vcpu *v, uint64_t va)
{
    const uint64_t *mapping = pt_slot(v, va);
    uint64_t pte;
    mfn_t m;

    if (!mapping)
        return NULL;
    pte = READ_ONCE(*mapping);
    m = pte_mfn(pte);
    if ((pte & (PTE_P | PTE_RW)) != PTE_P || !mfn_valid(m) || mfn_frame(m)->owner != v->domain ||
        !word_is(READ_ONCE(mfn_frame(m)->word), FT_L1))
        return NULL;
    return mfn_va(m);
}

/* Lock: pt. 0: done, but for the registers. */
static int store(struct vcpu *v, struct guest_regs *r, uint64_t va, struct pte_insn *in,
                 struct pte_result *res)
{
    uint64_t bytes[2], *l1 = mapped_l1(v, va);

    /* An operand through FS or GS is no kernel's way to name a page-table entry. */
    if (!l1 || !pte_decode((const uint8_t *)bytes, fetch(r, bytes), r, in) || in->seg != SEG_FLAT ||
        ((in->ea ^ va) & PAGE_MASK))
        return -XEN_EFAULT;
    return emulate(v->domain, in, r, l1 + slot_index((uint64_t *)in->ea), res);
}

bool ptwr_fault(struct vcpu *v, struct guest_regs *r, uint64_t va)
{
    struct pte_result res;
    struct pte_insn in;
    int rc;

    lock(&v->domain->pt_lock);
    rc = store(v, r, va, &in, &res);
    unlock(&v->domain->pt_lock);
    if (unlikely(rc))
        return false;
    pte_commit(&in, &res, r);
    if (unlikely(r->rflags & X86_EFLAGS_TF)) {
        v->dr[6] |= 1ull << 14;
        guest_exception(v, 1, 0);
    }
    return true;
}
