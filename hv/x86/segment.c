/* SPDX-License-Identifier: MIT */
/* Segment registers and bases. While a vCPU runs they are in the processor: GS_BASE is the base of its current mode's GS,
 * KERNEL_GS_BASE (behind swapgs) that of the other mode. */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "context.h"

void selectors_save(struct vcpu *v)
{
    __asm__ volatile("mov %%ds, %0" : "=rm"(v->ds));
    __asm__ volatile("mov %%es, %0" : "=rm"(v->es));
    __asm__ volatile("mov %%fs, %0" : "=rm"(v->fs));
    __asm__ volatile("mov %%gs, %0" : "=rm"(v->gs));
}

void segments_save(struct vcpu *v)
{
    uint64_t gs = rdmsr(MSR_GS_BASE), other = rdmsr(MSR_KERNEL_GS_BASE);

    if (likely(!(READ_ONCE(v->work) & WORK_SEGMENTS))) /* else the processor does not have all of them yet */
        selectors_save(v);
    v->fs_base = rdmsr(MSR_FS_BASE);
    v->gs_base_kernel = v->kernel_mode ? gs : other;
    v->gs_base_user = v->kernel_mode ? other : gs;
}

static bool load_selectors(unsigned ds, unsigned es, unsigned fs, unsigned gs)
{
    bool ok = load_ds(ds);

    ok &= load_es(es);
    ok &= load_fs(fs);
    return ok & load_gs(gs);
}

/* Selectors first: loading one may change its base. One that fails to load is tried again on the way into the guest: a page
 * of the LDT can be mapped only for the vCPU that runs. */
void segments_load(struct vcpu *v)
{
    if (unlikely(!load_selectors(v->ds, v->es, v->fs, v->gs)))
        vcpu_set_work(v, WORK_SEGMENTS);
    wrmsr(MSR_FS_BASE, v->fs_base);
    wrmsr(MSR_GS_BASE, v->kernel_mode ? v->gs_base_kernel : v->gs_base_user);
    wrmsr(MSR_KERNEL_GS_BASE, v->kernel_mode ? v->gs_base_user : v->gs_base_kernel);
}

/* Mapping a page of the LDT may let others run meanwhile, for whom what is loaded so far is saved: so nothing of v is used but
 * what was copied before. */
bool segments_reload(struct vcpu *v)
{
    uint64_t fs_base = rdmsr(MSR_FS_BASE), gs_base = rdmsr(MSR_GS_BASE);
    uint16_t ds = v->ds, es = v->es, fs = v->fs, gs = v->gs;
    bool ok;

    __atomic_fetch_and(&v->work, ~WORK_SEGMENTS, __ATOMIC_SEQ_CST);
    ok = load_selectors(ds, es, fs, gs);
    wrmsr(MSR_FS_BASE, fs_base);
    wrmsr(MSR_GS_BASE, gs_base);
    v->ds = ds;
    v->es = es;
    v->fs = fs;
    v->gs = gs;
    return ok;
}

/* NUL, or a selector as a guest's ring 3 could load it: the hypervisor's own descriptors are not for that. */
static unsigned guest_selector(uint16_t sel)
{
    return sel > 3 ? sel | 3 : 0;
}

long do_set_segment_base(uint64_t which, uint64_t base)
{
    static const uint32_t msr[] = {
        [SEGBASE_FS] = MSR_FS_BASE,
        [SEGBASE_GS_USER] = MSR_KERNEL_GS_BASE,
        [SEGBASE_GS_KERNEL] = MSR_GS_BASE,
    };

    if (which == SEGBASE_GS_USER_SEL) {
        current->gs = (uint16_t)guest_selector((uint16_t)base);
        load_user_gs(current->gs); /* an invalid selector counts as NUL */
        return 0;
    }
    if (which >= ARRAY_SIZE(msr))
        return refuse(-XEN_EINVAL,
                      "segment base number %lu: 0 (FS), 1 (user GS), 2 (kernel GS), 3 (user GS selector) exist", which);
    if (!canonical(base))
        return refuse(-XEN_EINVAL, "segment base %#lx is not a canonical address", base);
    wrmsr(msr[which], base);
    return 0;
}
