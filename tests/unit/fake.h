/* SPDX-License-Identifier: MIT */
/* A small fake machine on which the hypervisor's memory, grant and event code runs as a host
 * program: frames, domains, CPUs with the most retentive TLB possible, guest memory that may fault
 * or change under the reader, locks that check themselves. One thread; what other CPUs do meanwhile
 * happens at preempt points. */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <pvabi/xen.h>

#undef current /* say host_current */

#define FAKE_CPUS    4
#define FAKE_DOMAINS 3
#define FAKE_RAM     192 /* at most */
#define FAKE_IO      4   /* frames behind RAM that are no RAM */
#define FAKE_FRAMES  (FAKE_RAM + FAKE_IO)
#define FAKE_VCPUS   2 /* of each domain */

uint64_t m2p_get(mfn_t m); /* what m2p_set() put there (fake_heap.c) */

/* The machine (fake.c). */
struct fake_config {
    unsigned ram;   /* frames, frame 0 (never used) included */
    unsigned pages; /* for each domain; 0: 16 */
    unsigned vcpus; /* of each domain; 0: FAKE_VCPUS */
};
void fake_heap_reset(void);
void fake_reset(const struct fake_config
                    *c); /* NULL: defaults. Domains 0 (hardware), 1, 2 exist and have pages */
extern struct domain *fake_dom[FAKE_DOMAINS];
extern unsigned fake_ram;
/* From now on `v` makes the calls, on its CPU; whoever ran there is switched out. */
void fake_run(struct vcpu *v);
/* The n-th frame given to the domain at the reset, and its number in reverse (-1: none). */
mfn_t fake_page(const struct domain *d, unsigned n);
void fake_set_page(const struct domain *d, unsigned n, mfn_t m); /* another frame has its place */
int fake_page_index(const struct domain *d, mfn_t m);
#define fake_words(m)      ((uint64_t *)mfn_va(m))
#define fake_maddr(m, i)   (((m).n << PAGE_SHIFT) + (uint64_t)(i)*8)
#define fake_pte(m, flags) ((m).n << PAGE_SHIFT | (flags))
/* Pages 0-3 of every domain become its L1, L2, L3, L4, linked by their slots 0; all vCPUs load the
 * L4. The L1 maps page n at address n << 12: tables read-only, others writable. */
void fake_boot(struct domain *d);
enum { PAGE_L1, PAGE_L2, PAGE_L3, PAGE_L4, PAGE_DATA };

/* What the code under test said. */
extern char fake_sentence[512]; /* last refusal or crash */
extern unsigned fake_refusals, fake_crashes;
extern unsigned fake_wakes, fake_kicks; /* of vCPUs */
extern unsigned fake_cache_flushes;     /* of frames */
extern unsigned fake_exceptions;        /* queued for guests */
bool fake_ldt_fault(struct vcpu *v, unsigned i);
extern bool fake_pirq_bound[16];
extern bool fake_verbose;           /* print the log */
extern void (*fake_on_fatal)(void); /* called before a violation or panic aborts */
noreturn void fake_fail(const char *fmt, ...) PRINTF(1, 2); /* an invariant does not hold */

/* Guest memory: addresses from FAKE_GUEST on are this buffer, in every address space; all others
 * fault (fake_guest.c). */
#define FAKE_GUEST      0x100000000000ull
#define FAKE_GUEST_SIZE 0x10000u
extern uint8_t fake_guest[FAKE_GUEST_SIZE];
#define fake_gva(p) (FAKE_GUEST + (uint64_t)((const uint8_t *)(p)-fake_guest))
extern int64_t fake_fault_after; /* bytes until copies fault; negative: never */
extern uint64_t (*fake_hostile)(
    uint64_t seed);         /* if set: guest memory changes to its results behind each read */
extern uint64_t fake_reads; /* number of copies from guest memory */

/* Failing allocations (fake_heap.c): the n-th from now (1: the next) finds no memory; 0: none
 * fails. */
extern unsigned fake_alloc_fails;

/* Preemption (fake_lock.c, fake_sched.c). */
extern void (*fake_on_preempt)(void);
extern uint64_t fake_preempts;
void fake_no_locks(const char *where);
void fake_lock_reset(void);

/* The end of domains (fake_end.c). */
void fake_stop(struct vcpu *v); /* as the scheduler does when it finds WORK_STOP */
extern bool fake_freed[FAKE_DOMAINS];

/* TLB (fake_tlb.c): for each CPU all that its page walks could have found since its last flush. */
void fake_tlb_reset(void);
void fake_tlb_note(void);  /* page tables as they are now have been seen by all CPUs */
void fake_tlb_check(void); /* A8; the generation is of now */
void fake_tlb_drop(unsigned cpu);
/* Has d an open mapping of m by a grant? (fake_grant.c) */
bool fake_grant_maps(const struct domain *d, mfn_t m);
mfn_t fake_grant_frame(const struct domain *d); /* first page of the table */
/* Calls `use` for every frame of d's grant table, and for what it maps for devices (type none: a
 * plain reference). */
void fake_grant_tally(const struct domain *d, void (*use)(mfn_t, enum frame_type, const char *),
                      void (*shared)(mfn_t, const char *));
extern uint64_t fake_flushes;

/* Non-zero entries of a table, found once for each generation (fake_scan.c). */
struct fake_scan {
    uint64_t generation;
    unsigned n;
    uint16_t slot[512];
};
extern uint64_t fake_generation; /* raise it when memory may have changed */
const struct fake_scan *fake_scan(mfn_t table);

/* Pins and records of grants (A10). */
void fake_grant_check(void);
/* Ports of events: symmetric, counted, known to whom they serve (A11; fake_event.c). */
void fake_event_check(void);

/* The auditor (fake_audit.c): recounts everything; A1-A7 and A8, A10, A11 through the others. */
void fake_audit(void);

#endif
