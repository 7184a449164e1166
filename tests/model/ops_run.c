/* SPDX-License-Identifier: MIT */
/* Carries operations out, as calls with their arguments in guest memory. */
#include <string.h>

#include <pvabi/memory.h>

#include "ops.h"

#define PART    0x100u /* bytes of arguments for each part of a multicall */
#define DONE_AT 0x800u

/* Every vCPU's arguments lie in a page of their own, since calls may be preempted. */
static unsigned args_at(const struct vcpu *v)
{
    return 0x1000u * (2u + v->domain->id * FAKE_VCPUS + v->id);
}

static uint64_t put_args(const struct op *op, unsigned part)
{
    uint8_t *p = fake_guest + args_at(op->v) + part * PART;

    if (op->kind == OP_MMU_UPDATE)
        memcpy(p, op->u, sizeof(op->u));
    else if (op->kind == OP_MMUEXT)
        memcpy(p, op->ext, sizeof(op->ext));
    else
        for (unsigned i = 0; i < op->n; i++)
            memcpy(p + i * 8, &op->u[i].val, 8);
    memset(fake_guest + args_at(op->v) + DONE_AT + part * 8, 0xff, 4);
    return fake_gva(p);
}

void op_to_multicall(const struct op *op, unsigned n, struct multicall_entry *e)
{
    uint64_t args = put_args(op, n), done = FAKE_GUEST + args_at(op->v) + DONE_AT + n * 8;

    memset(e, 0, sizeof(*e));
    switch (op->kind) {
    case OP_MMU_UPDATE:
    case OP_MMUEXT:
        e->op = op->kind == OP_MMUEXT ? __HYPERVISOR_mmuext_op : __HYPERVISOR_mmu_update;
        memcpy(e->args, (uint64_t[]){args, op->n, done, op->domid}, 32);
        break;
    case OP_VA_MAPPING:
        e->op = op->domid == DOMID_SELF ? __HYPERVISOR_update_va_mapping
                                        : __HYPERVISOR_update_va_mapping_otherdomain;
        memcpy(e->args, (uint64_t[]){op->u[0].ptr, op->u[0].val, op->flags, op->domid}, 32);
        break;
    case OP_SET_GDT:
        e->op = __HYPERVISOR_set_gdt;
        memcpy(e->args, (uint64_t[]){args, op->flags}, 16);
        break;
    default:
        fake_fail("a store is no call");
    }
}

static unsigned done_count(const struct op *op, unsigned n)
{
    unsigned done;

    memcpy(&done, fake_guest + args_at(op->v) + DONE_AT + n * 8, 4);
    return done;
}

/* Guests write to what they have mapped writable; a page without a type could be any time. */
static void store(const struct op *op)
{
    mfn_t m = mfn(op->u[0].ptr >> PAGE_SHIFT);

    if (mfn_frame(m)->owner == op->v->domain && word_type(mfn_frame(m)->word) <= FT_WR)
        fake_words(m)[op->u[0].ptr % PAGE_SIZE / 8] = op->u[0].val;
}

static int grant_call(const struct op *op, unsigned cmd, void *arg, size_t size)
{
    unsigned at = args_at(op->v);
    int rc;

    memcpy(fake_guest + at, arg, size);
    rc = (int)hypercall_dispatch(__HYPERVISOR_grant_table_op,
                                 (uint64_t[6]){cmd, FAKE_GUEST + at, 1});
    memcpy(arg, fake_guest + at, size);
    return rc;
}

static void grant_op(struct op *op)
{
    static const uint8_t cmd[] = {[OP_GRANT_MAP] = GNTTABOP_map_grant_ref,
                                  [OP_GRANT_UNMAP] = GNTTABOP_unmap_grant_ref,
                                  [OP_GRANT_REPLACE] = GNTTABOP_unmap_and_replace,
                                  [OP_GRANT_COPY] = GNTTABOP_copy};
    const size_t size = op->kind == OP_GRANT_MAP    ? sizeof(op->map)
                        : op->kind == OP_GRANT_COPY ? sizeof(op->copy)
                                                    : sizeof(op->unmap);

    if (grant_call(op, cmd[op->kind], &op->map, size))
        fake_fail("a grant operation fails as a whole");
    op->result = op->kind == OP_GRANT_MAP    ? op->map.status
                 : op->kind == OP_GRANT_COPY ? op->copy.status
                                             : op->unmap.status;
    op_grant_done(op);
}

/* One frame is given back, or asked for. */
static void memory_op(struct op *op)
{
    struct xen_memory_reservation r = {
        .extent_start = FAKE_GUEST + args_at(op->v) + 0x100, .nr_extents = 1, .domid = DOMID_SELF};
    unsigned cmd = op->kind == OP_DECREASE ? XENMEM_decrease_reservation : XENMEM_populate_physmap;

    memcpy(fake_guest + args_at(op->v), &r, sizeof(r));
    memcpy(fake_guest + args_at(op->v) + 0x100, &op->u[0].val, 8);
    op->result = hypercall_dispatch(__HYPERVISOR_memory_op,
                                    (uint64_t[6]){cmd, FAKE_GUEST + args_at(op->v)}) -
                 1;
    if (op->kind == OP_DECREASE || op->result)
        return;
    memcpy(&op->u[0].ptr, fake_guest + args_at(op->v) + 0x100, 8);
    fake_set_page(op->v->domain, (unsigned)op->flags, mfn(op->u[0].ptr));
}

void op_run(struct op *op)
{
    struct multicall_entry e;

    fake_run(op->v);
    if (op->kind == OP_STORE) {
        store(op);
    } else if (op->kind == OP_LDT_USE) {
        op->result = fake_ldt_fault(op->v, (unsigned)op->flags) ? 0 : -1;
    } else if (op->kind == OP_DECREASE || op->kind == OP_POPULATE) {
        memory_op(op);
    } else if (op->kind >= OP_GRANT_MAP) {
        grant_op(op);
    } else {
        op_to_multicall(op, 0, &e);
        op->result = hypercall_dispatch((unsigned)e.op, e.args);
        op->done = done_count(op, 0);
    }
    fake_no_locks("the end of a call");
}

/* Every slot of each table leads to the next lower one, those of the L1 to pages of all kinds. */
static void make_tree(struct domain *d)
{
    fake_run(d->vcpu[0]);
    for (unsigned level = 1; level <= 4; level++) {
        mfn_t m = fake_page(d, PAGE_DATA + level - 1);

        if (do_update_va_mapping((uint64_t)(PAGE_DATA + level - 1) << PAGE_SHIFT,
                                 fake_pte(m, PTE_P | PTE_U), UVMF_NONE))
            fake_fail("page %u cannot be made read-only: %s", PAGE_DATA + level - 1, fake_sentence);
        for (unsigned i = 0; i < OP_SLOTS; i++)
            fake_words(m)[op_slot[i]] =
                level > 1 ? fake_pte(fake_page(d, PAGE_DATA + level - 2), PTE_P | PTE_U | PTE_RW)
                          : fake_pte(fake_page(d, i), PTE_P | PTE_U);
    }
}

void op_begin(void)
{
    static const struct fake_config config = {.ram = 96, .pages = OP_TABLES + 4};

    fake_hostile = NULL;
    fake_on_preempt = NULL;
    fake_reset(&config);
    op_grant_reset();
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        fake_boot(fake_dom[i]);
        make_tree(fake_dom[i]);
    }
    fake_audit();
}
