/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes by epoch. A flush of a CPU takes the next epoch, forgets everything, and then
 * publishes that epoch as the CPU's own. Whoever makes a translation impossible notes the epoch of
 * that moment (a frame's stamp); a CPU whose own epoch is later has flushed since then and cannot
 * hold the translation, and all others are asked to flush.
 *
 * Only guest translations are meant: the hypervisor's own are global and outlive a load of CR3.
 * Guests' never are.
 */
#include <hv/irq.h>
#include <hv/x86.h>
#include "types.h"

uint64_t tlb_epoch = 1;

static always_inline uint64_t next_epoch(void)
{
    return __atomic_add_fetch(&tlb_epoch, 1, __ATOMIC_SEQ_CST);
}

void tlb_flush_local(void)
{
    struct percpu *c = this_cpu();
    uint64_t epoch;

    /* A request that comes after this line is for another flush. */
    __atomic_store_n(&c->flush_requested, false, __ATOMIC_SEQ_CST);
    epoch = next_epoch();
    write_cr3(read_cr3());
    __atomic_store_n(&c->flush_epoch, epoch, __ATOMIC_RELEASE);
}

void tlb_serve_request(void)
{
    if (READ_ONCE(this_cpu()->flush_requested))
        tlb_flush_local();
}

static always_inline bool may_hold(const struct percpu *c, uint64_t stamp)
{
    return c && READ_ONCE(c->online) && __atomic_load_n(&c->flush_epoch, __ATOMIC_ACQUIRE) <= stamp;
}

/* Asks the other CPUs of the mask, flushes this one if it is among them, and waits until none holds
 * anything that old. Other CPUs may be doing the same with us meanwhile, so their requests are
 * served. */
static void flush_cpus(uint64_t mask, uint64_t stamp)
{
    unsigned self = this_cpu()->id;

    for (unsigned i = 0; i < cpu_count; i++) {
        if (i == self || !(mask >> i & 1) || !may_hold(percpu_of[i], stamp))
            continue;
        if (!__atomic_exchange_n(&percpu_of[i]->flush_requested, true, __ATOMIC_SEQ_CST))
            apic_send_ipi(i, VECTOR_FLUSH);
    }
    if ((mask >> self & 1) && may_hold(percpu_of[self], stamp))
        tlb_flush_local();
    for (unsigned i = 0; i < cpu_count; i++) {
        while (i != self && (mask >> i & 1) && may_hold(percpu_of[i], stamp)) {
            tlb_serve_request();
            cpu_pause();
        }
    }
}

void tlb_flush_older(uint64_t stamp)
{
    flush_cpus(~0ull, stamp);
}

void tlb_flush_domain(struct domain *d, uint64_t vcpus)
{
    uint64_t mask = 0;

    if (cpu_count == 1) { /* all of them ran here */
        tlb_flush_local();
        return;
    }
    for_each_vcpu (d, v) {
        if (vcpus >> v->id & 1)
            mask |= 1ull << v->pcpu->id;
    }
    flush_cpus(mask, __atomic_load_n(&tlb_epoch, __ATOMIC_SEQ_CST));
}

void cache_flush_frame(mfn_t m)
{
    const char *p = mfn_va(m);

    for (unsigned i = 0; i < PAGE_SIZE; i += 64)
        __asm__ volatile("clflush %0" ::"m"(p[i]) : "memory");
    __asm__ volatile("mfence" ::: "memory");
}
