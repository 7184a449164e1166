/* SPDX-License-Identifier: MIT */
/* Carries operations out, as calls with their arguments in guest memory. */
#include <string.h>

#include "ops.h"

#define ARGS_AT 0x1000u
#define DONE_AT 0x2000u
#define PART    0x100u /* bytes of arguments for each part of a multicall */

static uint64_t put_args(const struct op *op, unsigned part)
{
    uint8_t *p = fake_guest + ARGS_AT + part * PART;

    if (op->kind == OP_MMU_UPDATE)
        memcpy(p, op->u, sizeof(op->u));
    else if (op->kind == OP_MMUEXT)
        memcpy(p, op->ext, sizeof(op->ext));
    else
        for (unsigned i = 0; i < op->n; i++)
            memcpy(p + i * 8, &op->u[i].val, 8);
    memset(fake_guest + DONE_AT + part * 8, 0xff, 4);
    return fake_gva(p);
}

void op_to_multicall(const struct op *op, unsigned n, struct multicall_entry *e)
{
    uint64_t args = put_args(op, n), done = FAKE_GUEST + DONE_AT + n * 8;

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

static unsigned done_count(unsigned n)
{
    unsigned done;

    memcpy(&done, fake_guest + DONE_AT + n * 8, 4);
    return done;
}

/* Guests write to what they have mapped writable; a page without a type could be any time. */
static void store(const struct op *op)
{
    mfn_t m = mfn(op->u[0].ptr >> PAGE_SHIFT);

    if (word_type(mfn_frame(m)->word) <= FT_WR)
        fake_words(m)[op->u[0].ptr % PAGE_SIZE / 8] = op->u[0].val;
}

static int grant_call(unsigned cmd, void *arg, size_t size)
{
    int rc;

    memcpy(fake_guest + ARGS_AT, arg, size);
    rc = (int)hypercall_dispatch(__HYPERVISOR_grant_table_op,
                                 (uint64_t[6]){cmd, FAKE_GUEST + ARGS_AT, 1});
    memcpy(arg, fake_guest + ARGS_AT, size);
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

    if (grant_call(cmd[op->kind], &op->map, size))
        fake_fail("a grant operation fails as a whole");
    op->result = op->kind == OP_GRANT_MAP    ? op->map.status
                 : op->kind == OP_GRANT_COPY ? op->copy.status
                                             : op->unmap.status;
    op_grant_done(op);
}

void op_run(struct op *op)
{
    struct multicall_entry e;

    fake_run(op->v);
    if (op->kind == OP_STORE) {
        store(op);
    } else if (op->kind == OP_LDT_USE) {
        op->result = fake_ldt_fault(op->v, (unsigned)op->flags) ? 0 : -1;
    } else if (op->kind >= OP_GRANT_MAP) {
        grant_op(op);
    } else {
        op_to_multicall(op, 0, &e);
        op->result = hypercall_dispatch((unsigned)e.op, e.args);
        op->done = done_count(0);
    }
    fake_no_locks("the end of a call");
}
