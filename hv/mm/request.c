/* SPDX-License-Identifier: MIT */
/* What memory calls say about other domains and other CPUs. */
#include "types.h"

/* Whose frames: low 16 bits. Whose tables: the bits above, less one; 0 is the caller. */
int foreign_named(struct domain **d, struct domain **pg, uint64_t foreign)
{
    domid_t frames = (domid_t)foreign;
    uint64_t tables = (uint32_t)foreign >> 16;

    *d = tables ? domain_by_id((domid_t)(tables - 1)) : current->domain;
    /* Device memory is the hardware domain's as its own is. */
    *pg = frames == DOMID_IO ? *d : domain_by_id(frames);
    if (!*d || !*pg)
        return refuse(-XEN_ESRCH, "domain argument %#lx: there is no domain %u", foreign,
                      *d ? frames : (unsigned)(tables - 1));
    if ((*d != current->domain || *pg != current->domain) && !current->domain->is_hardware)
        return refuse(-XEN_EPERM, "domain argument %#lx: only the hardware domain may name another",
                      foreign);
    return 0;
}

int done_lost(uint64_t ptr)
{
    return refuse(-XEN_EFAULT, "the number of requests done cannot be written to %#lx", ptr);
}

void flush_local(uint64_t va)
{
    if (va == FLUSH_ALL_PAGES)
        tlb_flush_local();
    else if (guest_range_ok(va, 1))
        tlb_flush_page_local(va);
}

/* A vCPU that does not run has nothing cached: loading its root will flush. So with one CPU only
 * the caller counts. */
static void flush_vcpus(uint64_t va, uint64_t vcpus)
{
    if (cpu_count == 1)
        flush_local(va);
    else
        tlb_flush_domain(current->domain, vcpus);
}

int flush_masked(uint64_t va, uint64_t mask_ptr)
{
    uint64_t vcpus;

    if (!guest_range_ok(mask_ptr, sizeof(vcpus)) || !guest_load64(&vcpus, mask_ptr))
        return refuse(-XEN_EFAULT, "the bitmap of vCPUs at %#lx cannot be read", mask_ptr);
    flush_vcpus(va, vcpus);
    return 0;
}

void flush_all(uint64_t va)
{
    flush_vcpus(va, ~0ull);
}
