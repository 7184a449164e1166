/* SPDX-License-Identifier: MIT */
/* Spinlocks with ranks. Interrupts are off in the hypervisor except in explicit windows, so there is one kind only.
 * A CPU takes locks in rising rank; of two of the same rank, by domid then address (debug builds check).
 * A contended spin serves TLB-flush requests, so that waiting for another CPU's flush under a lock cannot deadlock. */
#ifndef HV_LOCK_H
#define HV_LOCK_H

#include <hv/aside.h>
#include <hv/types.h>

enum lock_rank {
    RANK_NONE,
    RANK_DOMLIST,  /* the list of domains */
    RANK_DOMAIN,   /* a domain's life cycle, vCPU bring-up */
    RANK_GRANT,    /* a grant table: what its domain granted */
    RANK_MAPTRACK, /* a grant table: what its domain mapped of others */
    RANK_PT,       /* a domain's page tables */
    RANK_PAGES,    /* a domain's list of frames */
    RANK_EVENT,    /* a domain's event ports */
    RANK_IRQ,      /* interrupt routing: I/O APIC, MSI, PIRQs */
    RANK_HEAP,     /* the frame allocator */
    RANK_SCHED,    /* a CPU's run queue */
    RANK_TIMER,    /* a CPU's timers */
    RANK_CONSOLE
};

struct spinlock {
    uint32_t taken;
    uint16_t rank;
    uint16_t cpu; /* debug: holder + 1 */
};
#define SPINLOCK_INIT(r) {0, (r), 0}

void lock_contended(struct spinlock *l);

#if defined(PARAVANE_HOST) || defined(PARAVANE_DEBUG) /* that ranks rise; the fake machine checks more */
void host_lock_taken(struct spinlock *l);
void host_lock_dropped(struct spinlock *l);
#else
static always_inline void host_lock_taken(struct spinlock *l)
{
    (void)l;
}
static always_inline void host_lock_dropped(struct spinlock *l)
{
    (void)l;
}
#endif

static always_inline void lock_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock)SPINLOCK_INIT((uint16_t)rank);
}

static always_inline void lock(struct spinlock *l)
{
    if (unlikely(__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE)))
        aside1(lock_contended, l);
    host_lock_taken(l);
}

static always_inline void unlock(struct spinlock *l)
{
    host_lock_dropped(l);
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

#endif
