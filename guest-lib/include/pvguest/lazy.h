/* SPDX-License-Identifier: MIT */
/*
 * A lazy batch: changes to page tables are gathered, and go to the hypervisor together, in the
 * order in which they were made, as one multicall of long mmu_update and mmuext_op lists. A fork
 * that write-protects a thousand pages then costs a few hypercalls instead of a thousand.
 *
 * Outside of a batch each call takes effect at once. Entries gathered are not in memory yet: do not
 * read them back before the flush. A refused entry ends in pv_lazy_refused, which the guest
 * supplies; the library's own prints it and crashes the domain, for a table that is not as the
 * guest believes is nothing to go on with.
 */
#ifndef PVGUEST_LAZY_H
#define PVGUEST_LAZY_H

#include <pvguest/mm.h>

/* Batches nest; the outermost end flushes. */
void pv_lazy_begin(void);
void pv_lazy_end(void);
/* Sends what there is, batch or not. */
void pv_lazy_flush(void);
/* Off: every call takes effect at once, batch or not. On at first. */
void pv_lazy_enable(bool on);

/* Like mmu_update with one entry; `ptr` is the entry's machine address (pv_maddr) and MMU_*. */
void pv_lazy_update(uint64_t ptr, uint64_t value);
/* Like mmuext_op with one operation. */
void pv_lazy_ext(const struct mmuext_op *op);

struct pv_lazy_counts {
    uint64_t updates, exts, flushes, hypercalls;
};
extern struct pv_lazy_counts pv_lazy_counts;

/* `what` is "mmu_update" or "mmuext_op"; its arguments are the entry's ptr and value, or the
 * operation's cmd and first argument. */
void pv_lazy_refused(const char *what, long error, uint64_t a, uint64_t b);

#endif
