/* SPDX-License-Identifier: MIT */
/* What the end of a domain needs of parts that are not here: vCPUs that stop when they are kicked,
 * and the last frees. */
#include "fake.h"

bool fake_freed[FAKE_DOMAINS];

void vcpu_yield(void);
void vcpu_yield(void)
{
    fake_no_locks("a yield");
}

void timer_stop(struct hv_timer *t)
{
    t->armed = false;
}

/* Nobody is traced here. */
void trace_stop(struct domain *d);
void trace_stop(struct domain *d)
{
    if (d->trace)
        fake_fail("a domain's end finds a trace of it");
}

/* Off its CPU at once: nobody runs here but by the tests' will. */
void fake_stop(struct vcpu *v)
{
    struct percpu *c = v->pcpu;

    v->state = VCPU_OFFLINE;
    if (c->running != v)
        return;
    fake_tlb_note();
    c->running = c->idle;
    c->loaded_cr3 = 0;
    fake_tlb_drop(c->id);
}

void vcpu_arch_release(struct vcpu *v)
{
    struct domain *d = v->domain;
    uint64_t kernel = v->kernel_cr3, user = v->user_cr3;

    v->kernel_cr3 = v->user_cr3 = 0;
    if (kernel)
        pt_put_root(d, mfn(kernel >> PAGE_SHIFT));
    if (user)
        pt_put_root(d, mfn(user >> PAGE_SHIFT));
    for (unsigned i = 0; i < ARRAY_SIZE(v->gdt_frame); i++) {
        if (v->gdt_frame[i] != INVALID_MFN.n)
            seg_put(d, mfn(v->gdt_frame[i]));
        if (v->ldt_frame[i] != INVALID_MFN.n)
            seg_put(d, mfn(v->ldt_frame[i]));
        v->gdt_frame[i] = v->ldt_frame[i] = INVALID_MFN.n;
    }
}

void domain_free(struct domain *d)
{
    evtchn_domain_free(d);
    grant_domain_free(d);
    domain_free_shared_page(d, d->shared);
    fake_freed[d->id] = true;
}
