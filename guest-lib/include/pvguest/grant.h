/* SPDX-License-Identifier: MIT */
/* Grant table, version 1: the guest's own table, and entries in it. */
#ifndef PVGUEST_GRANT_H
#define PVGUEST_GRANT_H

#include <pvguest/hypercall.h>

extern struct grant_entry_v1 *pv_grants;
extern unsigned pv_grant_count; /* its entries */

#define PV_GRANT_VA    0xffffffffc0000000ul /* a good place: the last GiB, behind the image's */
#define PV_GRANT_FIRST 8                    /* refs below belong to the console and the store */

/* Sets the table up with `frames` frames and maps it at va. Negative: the refusal. */
long pv_grant_init(unsigned frames, uint64_t va);
void pv_grant_give(unsigned ref, unsigned dom, uint64_t mfn, bool readonly);
/* False while the other side has it in use. */
bool pv_grant_end(unsigned ref);

/* The same with a reference found, and the table set up unless it is. The reference, or negative:
 * the refusal. */
long pv_grant_page(unsigned dom, const void *page, bool readonly);
/* False while the other side has it in use; then the reference stays taken. */
bool pv_grant_revoke(unsigned ref);

#endif
