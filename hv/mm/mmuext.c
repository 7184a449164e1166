/* SPDX-License-Identifier: MIT */
/* mmuext_op: pins, roots, flushes, whole pages. A list of operations, done in order until one is
 * refused. */
#include <string.h>

#include <hv/hypercall.h>
#include <pvabi/xen.h>
#include "types.h"

/* A hypercall's caller is in kernel mode. */
static always_inline void load_kernel_root(struct vcpu *v)
{
#ifdef PARAVANE_HOST
    vcpu_load_root(v);
#else
    write_cr3(v->kernel_cr3);
#endif
}

static always_inline int new_kernel_root(struct vcpu *v, mfn_t m, unsigned request)
{
    int rc = root_get(v->domain, m, request);
    mfn_t old = mfn(v->kernel_cr3 >> PAGE_SHIFT);

    if (unlikely(rc))
        return rc;
    v->kernel_cr3 = m.n << PAGE_SHIFT;
    load_kernel_root(v);
    root_put(v->domain, old);
    return 0;
}

static always_inline int new_user_root(struct vcpu *v, mfn_t m, unsigned request)
{
    int rc = m.n ? root_get(v->domain, m, request) : 0;
    mfn_t old = mfn(v->user_cr3 >> PAGE_SHIFT);

    if (unlikely(rc))
        return rc;
    v->user_cr3 = m.n << PAGE_SHIFT;
    if (old.n)
        root_put(v->domain, old);
    return 0;
}

/* Zeroes the page, or copies another one to it. */
static int fill_page(struct pt_call *c, mfn_t m, mfn_t src, bool copy)
{
    int rc = mfn_valid(m) ? frame_get_writable(mfn_frame(m), c->pg) : -XEN_EPERM;
    char frame[48];

    if (rc) {
        frame_describe(frame, sizeof(frame), m);
        return refuse(rc, "operation %u: frame %#lx, %s, cannot be written by d%u", c->request, m.n,
                      frame, c->pg->id);
    }
    if (!copy) {
        memset(mfn_va(m), 0, PAGE_SIZE);
    } else if (mfn_valid(src) && frame_get_ref(mfn_frame(src), c->pg)) {
        memcpy(mfn_va(m), mfn_va(src), PAGE_SIZE);
        frame_put_ref(mfn_frame(src));
    } else {
        frame_describe(frame, sizeof(frame), src);
        rc = refuse(-XEN_EPERM, "operation %u: frame %#lx, %s, cannot be read by d%u", c->request,
                    src.n, frame, c->pg->id);
    }
    frame_put_writable(mfn_frame(m));
    return rc;
}

/* Only a domain with pages that are not write-back has anything to write back. */
static void write_back_caches(void)
{
#ifndef PARAVANE_HOST
    if (current->domain->is_hardware)
        __asm__ volatile("wbinvd" ::: "memory");
#endif
}

/* Operations on what belongs to the named domain. */
static int page_op(struct domain *pg, unsigned request, uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    struct pt_call c = {.d = pg, .pg = pg, .request = request};

    switch (cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return pin_table(&c, mfn(arg1), (enum frame_type)(FT_L1 + cmd - MMUEXT_PIN_L1_TABLE));
    case MMUEXT_UNPIN_TABLE:
        return unpin_table(&c, mfn(arg1));
    case MMUEXT_CLEAR_PAGE:
    case MMUEXT_COPY_PAGE:
        return fill_page(&c, mfn(arg1), mfn(arg2), cmd == MMUEXT_COPY_PAGE);
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return refuse(-XEN_EOPNOTSUPP, "operation %u: there are no large pages here", request);
    default:
        return refuse(-XEN_ENOSYS, "operation %u: there is no command %u of mmuext_op for d%u",
                      request, cmd, pg->id);
    }
}

/* Operations on the calling vCPU and its domain that are frequent; 1: none of these. */
static always_inline int quick_op(struct vcpu *v, unsigned request, uint32_t cmd, uint64_t arg1)
{
    if (likely(cmd == MMUEXT_NEW_BASEPTR))
        return new_kernel_root(v, mfn(arg1), request);
    switch (cmd) {
    case MMUEXT_NEW_USER_BASEPTR:
        return new_user_root(v, mfn(arg1), request);
    case MMUEXT_INVLPG_LOCAL:
        if (guest_range_ok(arg1, 1))
            tlb_flush_page_local(arg1);
        return 0;
    case MMUEXT_TLB_FLUSH_LOCAL:
        aside0(tlb_flush_local);
        return 0;
    default:
        return 1;
    }
}

/* The others; 1: none of these. */
static int vcpu_op(uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    switch (cmd) {
    case MMUEXT_TLB_FLUSH_MULTI:
        return flush_masked(FLUSH_ALL_PAGES, arg2);
    case MMUEXT_INVLPG_MULTI:
        return flush_masked(arg1, arg2);
    case MMUEXT_TLB_FLUSH_ALL:
        flush_all(FLUSH_ALL_PAGES);
        return 0;
    case MMUEXT_INVLPG_ALL:
        flush_all(arg1);
        return 0;
    case MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        write_back_caches();
        return 0;
    case MMUEXT_SET_LDT:
        return ldt_set(current, arg1, (uint32_t)arg2);
    default:
        return 1;
    }
}

static noinline int rare_op(struct domain *pg, unsigned request, uint32_t cmd, uint64_t arg1,
                            uint64_t arg2)
{
    int rc = pg == current->domain ? vcpu_op(cmd, arg1, arg2) : 1;

    return rc <= 0 ? rc : page_op(pg, request, cmd, arg1, arg2);
}

static cold noinline int unreadable(unsigned request, uint64_t at)
{
    return refuse(-XEN_EFAULT, "operation %u at %#lx cannot be read", request, at);
}

/* The operation at a guest address, which is in the guest's part. */
static always_inline int one_op(struct vcpu *v, struct domain *pg, unsigned request, uint64_t at)
{
    uint64_t word, arg1, arg2; /* all of them are read, whatever is needed */
    uint32_t cmd;
    int rc = 1;

    if (unlikely(!guest_load64(&word, at)) ||
        unlikely(!guest_load64(&arg1, at + offsetof(struct mmuext_op, arg1))) ||
        unlikely(!guest_load64(&arg2, at + offsetof(struct mmuext_op, arg2))))
        return aside2(unreadable, request, at);
    cmd = (uint32_t)word;
    if (likely(pg == v->domain))
        rc = quick_op(v, request, cmd, arg1);
    return likely(rc <= 0) ? rc : aside5(rare_op, pg, request, cmd, arg1, arg2);
}

static cold noinline int not_guests(uint64_t ops, unsigned n)
{
    return refuse(-XEN_EFAULT, "%u operations at %#lx: not in the guest's own address space", n,
                  ops);
}

static noinline int go_on(void)
{
    return batch_go_on();
}

long do_mmuext_op(uint64_t ops, uint64_t count, uint64_t done_ptr, uint64_t foreign)
{
    uint32_t n = (uint32_t)count, done;
    struct vcpu *v = current;
    struct domain *d, *pg;
    long rc;

    rc = foreign_domains(&d, &pg, (domid_t)foreign);
    if (unlikely(rc))
        return rc;
    if (unlikely(!guest_array_ok(ops, n, sizeof(struct mmuext_op))))
        return not_guests(ops, n);
    for (done = 0; done < n; done++, ops += sizeof(struct mmuext_op)) {
        rc = done && !aside0(go_on) ? -XEN_EAGAIN : one_op(v, pg, done, ops);
        if (unlikely(rc))
            break;
    }
    return done_report(done_ptr, done, rc);
}
