/* SPDX-License-Identifier: MIT */
/* The guest's grant table: set up, entries given and taken back. */
#include <pvguest/grant.h>
#include <pvguest/mm.h>

struct grant_entry_v1 *pv_grants;
unsigned pv_grant_count;

long pv_grant_init(unsigned frames, uint64_t va)
{
    uint64_t list[32];
    struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = frames};
    long rc;

    if (frames > ARRAY_SIZE(list))
        return -XEN_E2BIG;
    PV_SET_PTR(op.frame_list, list);
    rc = pv_grant_table_op(GNTTABOP_setup_table, &op, 1);
    if (rc || op.status)
        return rc ? rc : op.status;
    for (unsigned i = 0; i < frames; i++) {
        uint64_t page = va + i * PAGE_SIZE;

        if (!pv_make_l1(page))
            return -XEN_ENOMEM;
        rc = pv_update_va_mapping(page, pv_pte(list[i], PTE_KERNEL), UVMF_INVLPG);
        if (rc)
            return rc;
    }
    pv_grants = (struct grant_entry_v1 *)va;
    pv_grant_count = frames * PAGE_SIZE / sizeof(*pv_grants);
    return 0;
}

void pv_grant_give(unsigned ref, unsigned dom, uint64_t mfn, bool readonly)
{
    pv_grants[ref].frame = mfn;
    pv_grants[ref].domid = dom;
    pv_barrier(); /* the flags make the entry valid: last */
    pv_store(&pv_grants[ref].flags, GTF_permit_access | (readonly ? GTF_readonly : 0));
}

bool pv_grant_end(unsigned ref)
{
    uint16_t flags = pv_load(&pv_grants[ref].flags);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&pv_grants[ref].flags, &flags, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}
