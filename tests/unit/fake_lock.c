/* SPDX-License-Identifier: MIT */
/* Locks and preemption of the fake machine: ranks rise, nothing is held where a vCPU may lose its
 * CPU. */
#include "fake.h"

void (*fake_on_preempt)(void);
uint64_t fake_preempts;

static struct spinlock *held[16];
static unsigned held_count;
/* Of locks of one rank: [0] was taken before [1], which so must stay. */
static const struct spinlock *order[64][2];
static unsigned order_count;

static void note_order(const struct spinlock *first, const struct spinlock *second)
{
    for (unsigned i = 0; i < order_count; i++) {
        if (order[i][0] == first && order[i][1] == second)
            return;
        if (order[i][0] == second && order[i][1] == first)
            fake_fail("two locks of rank %u are taken in either order", first->rank);
    }
    if (order_count < ARRAY_SIZE(order)) {
        order[order_count][0] = first;
        order[order_count++][1] = second;
    }
}

void fake_lock_reset(void)
{
    held_count = order_count = 0;
}

void host_lock_taken(struct spinlock *l)
{
    if (l->rank == RANK_NONE)
        fake_fail("a lock without a rank is taken");
    if (held_count) {
        const struct spinlock *top = held[held_count - 1];

        if (l->rank < top->rank)
            fake_fail("lock of rank %u taken while one of rank %u is held", l->rank, top->rank);
        if (l->rank == top->rank)
            note_order(top, l);
    }
    if (held_count == ARRAY_SIZE(held))
        fake_fail("too many locks held");
    held[held_count++] = l;
}

void host_lock_dropped(struct spinlock *l)
{
    for (unsigned i = held_count; i-- > 0;) {
        if (held[i] == l) {
            for (held_count--; i < held_count; i++)
                held[i] = held[i + 1];
            return;
        }
    }
    fake_fail("a lock of rank %u is dropped that is not held", l->rank);
}

void lock_contended(struct spinlock *l)
{
    fake_fail("lock of rank %u is waited for, and nobody will drop it", l->rank);
}

void fake_no_locks(const char *where)
{
    if (held_count)
        fake_fail("lock of rank %u is held at %s", held[held_count - 1]->rank, where);
}

void preempt_point(void)
{
    fake_no_locks("a preempt point");
    fake_preempts++;
    if (fake_on_preempt)
        fake_on_preempt();
}
