/* SPDX-License-Identifier: MIT */
/* Page tables of guests, for the other parts of the hypervisor. The state machine itself: frame.h and mm/type.c. */
#ifndef HV_MM_H
#define HV_MM_H

#include <hv/frame.h>

#define PTE_P   0x001ull
#define PTE_RW  0x002ull
#define PTE_U   0x004ull
#define PTE_PWT 0x008ull
#define PTE_PCD 0x010ull
#define PTE_A   0x020ull
#define PTE_D   0x040ull
#define PTE_PSE 0x080ull /* L2, L3; PAT in an L1 entry */
#define PTE_PAT 0x080ull
#define PTE_G   0x100ull
#define PTE_AVAIL 0x07f0000000000e00ull
#define PTE_NX  (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

static always_inline mfn_t pte_mfn(uint64_t pte)
{
    return mfn((pte & PTE_ADDR) >> PAGE_SHIFT);
}

/* TLB (mm/tlb.c). */
extern uint64_t tlb_epoch; /* atomic, never wraps */
void tlb_flush_local(void);            /* everything of this CPU, publishing its epoch */
void tlb_flush_page_local(uint64_t va);
/* Flush every CPU that has not flushed since `stamp`. Locks may be held (rule in lock.h). */
void tlb_flush_older(uint64_t stamp);
/* Everything that vCPUs of d in `vcpus` (bitmap) may have cached. */
void tlb_flush_domain(struct domain *d, uint64_t vcpus);

/* For grant tables: put a mapping of a frame for which the caller already holds the reference(s) into the current
 * domain's page tables. `where`: a virtual address, or (by_pte) the machine address of the entry. The displaced entry
 * must not be present (-XEN_EINVAL with a sentence otherwise)... */
int pt_install_grant(struct domain *d, uint64_t where, bool by_pte, uint64_t pte);
/* Takes away the mapping of `m` at `where` if it is there with exactly that writability, and (replace_va != 0) puts what
 * is mapped at replace_va there instead, clearing that one. References of the caller's mapping stay the caller's to drop.
 * The caller flushes. 0; -XEN_EINVAL: another frame or rights are mapped there. */
int pt_remove_grant(struct domain *d, uint64_t where, bool by_pte, mfn_t m, bool writable, uint64_t replace_va);

#endif
