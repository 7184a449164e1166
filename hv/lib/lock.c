/* SPDX-License-Identifier: MIT */
/* The slow side of spinlocks, and (debug builds) the proof that their ranks rise. */
#include <hv/cpu.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "panic.h"

bool on_vcpu(void)
{
    uint64_t sp = (uint64_t)__builtin_frame_address(0);

    return sp >= WINDOWS_VA && sp < DEVICES_VA && current;
}

void lock_contended(struct spinlock *l)
{
    if (!on_vcpu() || l->cpu == this_cpu()->id + 1)
        panic("lock of rank %u is taken by the CPU that holds it", l->rank);
    do {
        while (READ_ONCE(l->taken)) {
            if (READ_ONCE(this_cpu()->flush_requested))
                tlb_serve_request();
            cpu_pause();
        }
    } while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE));
}

#ifdef PARAVANE_DEBUG

static struct {
    const struct spinlock *lock[16];
    unsigned count;
} held[MAX_CPUS]; /* each CPU its own */

static unsigned this_cpu_id(void)
{
    return on_vcpu() ? this_cpu()->id : 0;
}

void host_lock_taken(struct spinlock *l)
{
    unsigned cpu = this_cpu_id(), n = held[cpu].count;

    if (n && held[cpu].lock[n - 1]->rank > l->rank)
        panic("lock of rank %u is taken while one of rank %u is held", l->rank,
              held[cpu].lock[n - 1]->rank);
    BUG_ON(n == ARRAY_SIZE(held[cpu].lock));
    held[cpu].lock[n] = l;
    held[cpu].count = n + 1;
    l->cpu = (uint16_t)(cpu + 1);
}

void host_lock_dropped(struct spinlock *l)
{
    unsigned cpu = this_cpu_id(), i = held[cpu].count;

    if (!l->taken || l->cpu != cpu + 1)
        panic("lock of rank %u is dropped by CPU %u, which does not hold it", l->rank, cpu);
    while (held[cpu].lock[--i] != l)
        ;
    for (held[cpu].count--; i < held[cpu].count; i++)
        held[cpu].lock[i] = held[cpu].lock[i + 1];
    l->cpu = 0;
}
#endif
