/* SPDX-License-Identifier: MIT */
/* Operations in words, for traces. */
#include <stdio.h>

#include "ops.h"

static void print_copy_side(const char *name, const struct gnttab_copy_ptr *p)
{
    fprintf(stderr, "    %s domain %#x, grant or frame %#lx, offset %u\n", name, p->domid,
            p->u.gmfn, p->offset);
}

static void print_arguments(const struct op *op)
{
    switch (op->kind) {
    case OP_MMUEXT:
        for (unsigned i = 0; i < op->n; i++)
            fprintf(stderr, "    cmd %u %#lx %#lx\n", op->ext[i].cmd, op->ext[i].arg1.mfn,
                    op->ext[i].arg2.src_mfn);
        break;
    case OP_GRANT_MAP:
        fprintf(stderr, "    grant %u of %#x, flags %#x, at %#lx: handle %u\n", op->map.ref,
                op->map.dom, op->map.flags, op->map.host_addr, op->map.handle);
        break;
    case OP_GRANT_UNMAP:
    case OP_GRANT_REPLACE:
        fprintf(stderr, "    handle %u at %#lx, %#lx\n", op->unmap.handle, op->unmap.host_addr,
                op->unmap.dev_bus_addr);
        break;
    case OP_GRANT_COPY:
        fprintf(stderr, "    %u bytes, flags %u\n", op->copy.len, op->copy.flags);
        print_copy_side("from", &op->copy.source);
        print_copy_side("to", &op->copy.dest);
        break;
    default:
        for (unsigned i = 0; i < op->n; i++)
            fprintf(stderr, "    %#lx := %#lx\n", op->u[i].ptr, op->u[i].val);
    }
}

void op_print(const struct op *op)
{
    static const char *const name[OP_KINDS] = {"mmu_update", "va_mapping", "mmuext",   "store",
                                               "set_gdt",    "LDT use",    "decrease", "populate",
                                               "map",        "unmap",      "replace",  "copy"};

    fprintf(stderr, "d%uv%u %s dom %#x flags %#lx = %ld, %u done\n", op->v->domain->id, op->v->id,
            name[op->kind], op->domid, op->flags, op->result, op->done);
    print_arguments(op);
}
