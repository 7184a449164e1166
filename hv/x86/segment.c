/* SPDX-License-Identifier: MIT */
/* Segment registers and bases. While a vCPU runs they are in the processor: GS_BASE is the base of its current mode's GS,
 * KERNEL_GS_BASE (behind swapgs) that of the other mode. */
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/xen.h>
#include "context.h"

void segments_save(struct vcpu *v)
{
    uint64_t gs = rdmsr(MSR_GS_BASE), other = rdmsr(MSR_KERNEL_GS_BASE);

    __asm__ volatile("mov %%ds, %0" : "=rm"(v->ds));
    __asm__ volatile("mov %%es, %0" : "=rm"(v->es));
    __asm__ volatile("mov %%fs, %0" : "=rm"(v->fs));
    __asm__ volatile("mov %%gs, %0" : "=rm"(v->gs));
    v->fs_base = rdmsr(MSR_FS_BASE);
    v->gs_base_kernel = v->kernel_mode ? gs : other;
    v->gs_base_user = v->kernel_mode ? other : gs;
}

/* Selectors first: loading one may change its base. A selector that has become invalid is the guest's to hear of. */
void segments_load(struct vcpu *v)
{
    bool ok = load_ds(v->ds);

    ok &= load_es(v->es);
    ok &= load_fs(v->fs);
    ok &= load_gs(v->gs);
    if (!ok)
        vcpu_set_work(v, WORK_FAILSAFE);
    wrmsr(MSR_FS_BASE, v->fs_base);
    wrmsr(MSR_GS_BASE, v->kernel_mode ? v->gs_base_kernel : v->gs_base_user);
    wrmsr(MSR_KERNEL_GS_BASE, v->kernel_mode ? v->gs_base_user : v->gs_base_kernel);
}

long do_set_segment_base(uint64_t which, uint64_t base)
{
    static const uint32_t msr[] = {
        [SEGBASE_FS] = MSR_FS_BASE,
        [SEGBASE_GS_USER] = MSR_KERNEL_GS_BASE,
        [SEGBASE_GS_KERNEL] = MSR_GS_BASE,
    };

    if (which == SEGBASE_GS_USER_SEL) {
        load_user_gs((uint16_t)base); /* an invalid selector counts as NUL */
        return 0;
    }
    if (which >= ARRAY_SIZE(msr))
        return refuse(-XEN_EINVAL, "segment base number %lu: 0 (FS), 1 (user GS), 2 (kernel GS), 3 (user GS selector) exist",
                      (unsigned long)which);
    if (!canonical(base))
        return refuse(-XEN_EINVAL, "segment base %#lx is not a canonical address", (unsigned long)base);
    wrmsr(msr[which], base);
    return 0;
}
