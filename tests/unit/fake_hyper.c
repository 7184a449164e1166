/* SPDX-License-Identifier: MIT */
/* Stands in for the parts of the hypervisor that need a real processor or are tested elsewhere: the
 * hypercall table, descriptor tables, the list of domains, scheduling, interrupts. */
#include <string.h>

#include <hv/irq.h>

#include "fake.h"

struct domain *domain_list, *domains_dead, *hardware_domain;
struct spinlock domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct boot_info boot_info;
struct domain dom_io = {.id = DOMID_IO};
unsigned fake_wakes, fake_kicks, fake_cache_flushes;
bool fake_pirq_bound[16];

struct domain *domain_by_id(domid_t id)
{
    if (id == DOMID_SELF)
        return host_current->domain;
    for_each_domain(d) {
        if (d->id == id)
            return d;
    }
    return NULL;
}

void vcpu_wake(struct vcpu *v)
{
    (void)v;
    fake_wakes++;
}

void vcpu_kick(struct vcpu *v)
{
    fake_kicks++;
    if (v->work & WORK_STOP)
        fake_stop(v);
    __atomic_fetch_and(&v->work, ~WORK_QUIET, __ATOMIC_SEQ_CST); /* and is on its way out */
}

/* Only the first few lines exist. */
int pirq_bind(unsigned pirq)
{
    if (pirq >= ARRAY_SIZE(fake_pirq_bound))
        return refuse(-XEN_EINVAL, "pirq %u has no line", pirq);
    if (fake_pirq_bound[pirq])
        fake_fail("pirq %u is bound twice", pirq);
    fake_pirq_bound[pirq] = true;
    return 0;
}

void pirq_unbind(unsigned pirq)
{
    if (!fake_pirq_bound[pirq])
        fake_fail("pirq %u is unbound, but was not bound", pirq);
    fake_pirq_bound[pirq] = false;
}

void cache_flush_frame(mfn_t m);
void cache_flush_frame(mfn_t m)
{
    (void)m;
    fake_cache_flushes++;
}

unsigned fake_exceptions;
void guest_exception(struct vcpu *v, unsigned vector, uint32_t error_code)
{
    (void)v;
    (void)vector;
    (void)error_code;
    fake_exceptions++;
}

int ldt_set(struct vcpu *v, uint64_t va, uint64_t entries)
{
    if (entries > 8192 || (va & (PAGE_SIZE - 1)) || !guest_array_ok(va, entries, 8))
        return refuse(-XEN_EINVAL, "an LDT of %lu entries at %#lx", entries, va);
    for (unsigned i = 0; i < ARRAY_SIZE(v->ldt_frame); i++) {
        if (v->ldt_frame[i] != INVALID_MFN.n)
            seg_put(v->domain, mfn(v->ldt_frame[i]));
        v->ldt_frame[i] = INVALID_MFN.n;
    }
    v->ldt_base = va;
    v->ldt_entries = (unsigned)entries;
    return 0;
}

/* A use of the LDT's page `i` by a selector. */
bool fake_ldt_fault(struct vcpu *v, unsigned i)
{
    uint64_t pte;

    if (i * 512 >= v->ldt_entries || v->ldt_frame[i] != INVALID_MFN.n ||
        !pt_lookup(v, v->ldt_base + i * PAGE_SIZE, &pte) || !(pte & PTE_P) ||
        seg_get(v->domain, pte_mfn(pte)))
        return false;
    v->ldt_frame[i] = pte_mfn(pte).n;
    return true;
}

static long set_gdt(uint64_t frames, uint64_t entries)
{
    struct vcpu *v = host_current;
    unsigned pages = (unsigned)((entries + 511) / 512);
    uint64_t list[14];

    if (pages > ARRAY_SIZE(list))
        return refuse(-XEN_EINVAL, "a GDT of %lu entries", entries);
    if (copy_from_guest(list, frames, pages * 8))
        return -XEN_EFAULT;
    for (unsigned i = 0; i < pages; i++) {
        int rc = seg_get(v->domain, mfn(list[i]));

        if (rc) {
            while (i--)
                seg_put(v->domain, mfn(list[i]));
            return rc;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++) {
        if (v->gdt_frame[i] != INVALID_MFN.n)
            seg_put(v->domain, mfn(v->gdt_frame[i]));
        v->gdt_frame[i] = i < pages ? list[i] : INVALID_MFN.n;
    }
    return 0;
}

long hypercall_dispatch(uint64_t nr, const uint64_t a[6])
{
    switch (nr) {
    case __HYPERVISOR_mmu_update:
        return do_mmu_update(a[0], a[1], a[2], a[3]);
    case __HYPERVISOR_mmuext_op:
        return do_mmuext_op(a[0], a[1], a[2], a[3]);
    case __HYPERVISOR_update_va_mapping:
        return do_update_va_mapping(a[0], a[1], a[2]);
    case __HYPERVISOR_update_va_mapping_otherdomain:
        return do_update_va_mapping_otherdomain(a[0], a[1], a[2], a[3]);
    case __HYPERVISOR_event_channel_op:
        return do_event_channel_op(a[0], a[1]);
    case __HYPERVISOR_memory_op:
        return do_memory_op(a[0], a[1]);
    case __HYPERVISOR_grant_table_op:
        return do_grant_table_op(a[0], a[1], a[2]);
    case __HYPERVISOR_set_gdt:
        return set_gdt(a[0], a[1]);
    default:
        fake_fail("hypercall %lu is not part of the fake machine", nr);
    }
}
