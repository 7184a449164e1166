/* SPDX-License-Identifier: MIT */
/* Page tables of guests, for the other parts of the hypervisor. The state machine itself: frame.h and mm/types.h. */
#ifndef HV_MM_H
#define HV_MM_H

#include <hv/frame.h>
#ifndef PARAVANE_HOST
#include <hv/x86.h>
#endif

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
void tlb_serve_request(void); /* this CPU's flush_requested is set: flushes and clears it */
void tlb_flush_local(void);            /* everything of this CPU, publishing its epoch */
#ifdef PARAVANE_HOST
void tlb_flush_page_local(uint64_t va);
#else
static always_inline void tlb_flush_page_local(uint64_t va)
{
    invlpg(va);
}
#endif
/* Flush every CPU that has not flushed since `stamp`. Locks may be held (rule in lock.h). */
void tlb_flush_older(uint64_t stamp);
/* Everything that vCPUs of d in `vcpus` (bitmap) may have cached. */
void tlb_flush_domain(struct domain *d, uint64_t vcpus);
void cache_flush_frame(mfn_t m); /* writes back and drops cache lines: before a frame with FW_NC is put to another use */

/* Roots, pins, descriptor frames (mm/type.c, mm/mmuext.c): what the rest of the hypervisor may ask for. All may be
 * preempted inside; none may be called with locks held. 0, or an error after a sentence. */
int pt_get_root(struct domain *d, mfn_t m);  /* typed L4 reference for a vCPU's root */
void pt_put_root(struct domain *d, mfn_t m); /* caller has unloaded it */
int pt_pin(struct domain *d, mfn_t m, enum frame_type level);
int pt_unpin(struct domain *d, mfn_t m);
int seg_get(struct domain *d, mfn_t m); /* typed descriptor-page reference, contents checked */
void seg_put(struct domain *d, mfn_t m);
/* The check itself, on a page that nobody can write: raises privilege levels. -1: good; else the index of the descriptor that
 * is not allowed. (x86/desc_page.c) */
int seg_validate(void *page);

/* The entry that maps va in the current vCPU's kernel root: the L1 entry's value in *pte. False: no L1 table there.
 * Lock-free; the value may be stale at once. */
bool pt_lookup(const struct vcpu *v, uint64_t va, uint64_t *pte);

/* Writable page tables: a guest-kernel write fault on a present read-only page. True: it was a page-table write, was
 * emulated or refused, and is dealt with (registers advanced or an exception queued). */
bool ptwr_fault(struct vcpu *v, struct guest_regs *r, uint64_t va);

/* For grant tables: entries of d's page tables put and taken away in a run, which holds its pt_lock. `where`: a virtual
 * address in the current vCPU's kernel root, or (by_pte) the machine address of the entry. */
struct pt_run {
    struct domain *d;
    uint64_t tag, *l1; /* the L1 table last found by address, and address >> 21 of what it maps */
};
void pt_run_begin(struct pt_run *r, struct domain *d);
void pt_run_end(struct pt_run *r);
/* Puts a leaf entry `pte` (rights and frame) for which the caller already holds the reference, and for a writable one the
 * WR count. They belong to the entry from then on. The displaced entry is released. */
int pt_install_grant(struct pt_run *r, uint64_t where, bool by_pte, uint64_t pte);
/* Takes away the mapping of `m` at `where` if it is there with exactly that writability, and (replace_va != 0) puts what is
 * mapped at replace_va there instead, clearing that one. The entry's references become the caller's, to be dropped after
 * the flush that the caller does. 0; -XEN_EINVAL: another frame or rights are mapped there. */
int pt_remove_grant(struct pt_run *r, uint64_t where, bool by_pte, mfn_t m, bool writable, uint64_t replace_va);

/* Debug builds: every invariant over all frames, in a stopped world; panics with the first violation. (mm/audit.c) */
void audit(void);
void audit_start(void); /* each second from now on */
uint64_t audit_passes(void);

#endif
