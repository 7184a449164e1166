/* SPDX-License-Identifier: MIT */
/* mmuext_op: pins, roots, flushes, whole pages. A list of operations, done in order until one is
 * refused. */
#include <string.h>

#include <hv/access.h>
#include <hv/hypercall.h>
#include <pvabi/xen.h>
#include "types.h"

#ifndef PARAVANE_HOST
#include <hv/x86.h>
#endif

struct op {
    uint32_t cmd;
    uint64_t arg1, arg2;
};

static int new_kernel_root(struct pt_call *c, mfn_t m)
{
    struct vcpu *v = current;
    mfn_t old = mfn(v->kernel_cr3 >> PAGE_SHIFT);
    int rc = root_get(c, m);

    if (rc)
        return rc;
    v->kernel_cr3 = m.n << PAGE_SHIFT;
    vcpu_load_root(v);
    pt_put_root(v->domain, old);
    return 0;
}

static int new_user_root(struct pt_call *c, mfn_t m)
{
    struct vcpu *v = current;
    mfn_t old = mfn(v->user_cr3 >> PAGE_SHIFT);
    int rc = m.n ? root_get(c, m) : 0;

    if (rc)
        return rc;
    v->user_cr3 = m.n << PAGE_SHIFT;
    if (old.n)
        pt_put_root(v->domain, old);
    return 0;
}

/* Zeroes the page, or copies another one to it. */
static int fill_page(struct pt_call *c, mfn_t m, mfn_t src, bool copy)
{
    int rc = mfn_valid(m) ? frame_get_writable(mfn_frame(m), c->pg) : -XEN_EPERM;
    char frame[48];

    if (rc) {
        frame_describe(frame, sizeof(frame), m);
        return refuse(rc, "operation %u: frame %#lx, %s, cannot be written by d%u", c->request,
                      (unsigned long)m.n, frame, c->pg->id);
    }
    if (!copy) {
        memset(mfn_va(m), 0, PAGE_SIZE);
    } else if (mfn_valid(src) && frame_get_ref(mfn_frame(src), c->pg)) {
        memcpy(mfn_va(m), mfn_va(src), PAGE_SIZE);
        frame_put_ref(mfn_frame(src));
    } else {
        frame_describe(frame, sizeof(frame), src);
        rc = refuse(-XEN_EPERM, "operation %u: frame %#lx, %s, cannot be read by d%u", c->request,
                    (unsigned long)src.n, frame, c->pg->id);
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
static int page_op(struct pt_call *c, const struct op *op)
{
    struct pt_call tables = *c; /* here the domain argument says whose tables, too */

    tables.d = c->pg;
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return pin_table(&tables, mfn(op->arg1),
                         (enum frame_type)(FT_L1 + op->cmd - MMUEXT_PIN_L1_TABLE));
    case MMUEXT_UNPIN_TABLE:
        return unpin_table(&tables, mfn(op->arg1));
    case MMUEXT_CLEAR_PAGE:
    case MMUEXT_COPY_PAGE:
        return fill_page(c, mfn(op->arg1), mfn(op->arg2), op->cmd == MMUEXT_COPY_PAGE);
    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return refuse(-XEN_EOPNOTSUPP, "operation %u: there are no large pages here", c->request);
    default:
        return refuse(-XEN_ENOSYS, "operation %u: there is no command %u of mmuext_op for d%u",
                      c->request, op->cmd, c->pg->id);
    }
}

/* Operations on the calling vCPU and its domain; 1: none of these. */
static int vcpu_op(struct pt_call *c, const struct op *op)
{
    switch (op->cmd) {
    case MMUEXT_NEW_BASEPTR:
        return new_kernel_root(c, mfn(op->arg1));
    case MMUEXT_NEW_USER_BASEPTR:
        return new_user_root(c, mfn(op->arg1));
    case MMUEXT_TLB_FLUSH_LOCAL:
        flush_local(FLUSH_ALL_PAGES);
        return 0;
    case MMUEXT_INVLPG_LOCAL:
        flush_local(op->arg1);
        return 0;
    case MMUEXT_TLB_FLUSH_MULTI:
        return flush_masked(FLUSH_ALL_PAGES, op->arg2);
    case MMUEXT_INVLPG_MULTI:
        return flush_masked(op->arg1, op->arg2);
    case MMUEXT_TLB_FLUSH_ALL:
        flush_all(FLUSH_ALL_PAGES);
        return 0;
    case MMUEXT_INVLPG_ALL:
        flush_all(op->arg1);
        return 0;
    case MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        write_back_caches();
        return 0;
    case MMUEXT_SET_LDT:
        return ldt_set(current, op->arg1, (uint32_t)op->arg2);
    default:
        return 1;
    }
}

static int one_op(struct pt_call *c, const struct op *op)
{
    int rc;

    if (likely(c->pg == current->domain)) {
        rc = vcpu_op(c, op);
        return rc <= 0 ? rc : page_op(c, op);
    }
    return page_op(c, op);
}

static int read_op(struct op *op, uint64_t ptr)
{
    uint64_t cmd;

    if (!guest_load64(&cmd, ptr) ||
        !guest_load64(&op->arg1, ptr + offsetof(struct mmuext_op, arg1)) ||
        !guest_load64(&op->arg2, ptr + offsetof(struct mmuext_op, arg2)))
        return -XEN_EFAULT;
    op->cmd = (uint32_t)cmd;
    return 0;
}

long do_mmuext_op(uint64_t ops, uint64_t count, uint64_t done_ptr, uint64_t foreign)
{
    struct pt_call c;
    uint32_t n = (uint32_t)count;
    struct op op;
    int rc;

    rc = foreign_domains(&c, (domid_t)foreign);
    if (unlikely(rc))
        return rc;
    if (unlikely(!guest_array_ok(ops, n, sizeof(struct mmuext_op))))
        return refuse(-XEN_EFAULT, "%u operations at %#lx: not in the guest's own address space", n,
                      (unsigned long)ops);
    for (c.request = 0; c.request < n; c.request++, ops += sizeof(struct mmuext_op)) {
        if (c.request && !batch_go_on()) {
            rc = -XEN_EAGAIN;
            break;
        }
        rc = read_op(&op, ops);
        if (unlikely(rc)) {
            rc = refuse(rc, "operation %u at %#lx cannot be read", c.request, (unsigned long)ops);
            break;
        }
        rc = one_op(&c, &op);
        if (unlikely(rc))
            break;
    }
    if (done_ptr && copy_to_guest(done_ptr, &c.request, sizeof(uint32_t)) && !rc)
        rc = refuse(-XEN_EFAULT, "the number of operations done cannot be written to %#lx",
                    (unsigned long)done_ptr);
    return rc;
}
