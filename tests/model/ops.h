/* SPDX-License-Identifier: MIT */
/* Operations of guests on memory: chosen, written down, carried out. The random driver, the fuzzer
 * and the interleaving driver share them. */
#ifndef TESTS_MODEL_OPS_H
#define TESTS_MODEL_OPS_H

#include <pvabi/grant_table.h>

#include "../unit/fake.h"
#include "input.h"

enum op_kind {
    OP_MMU_UPDATE, /* u[0..n), domid */
    OP_VA_MAPPING, /* u[0].ptr: address, u[0].val: entry, flags, domid */
    OP_MMUEXT,     /* ext[0..n), domid */
    OP_STORE,      /* the guest writes u[0].val to word u[0].ptr of a page that is no table */
    OP_SET_GDT,    /* frames u[0..n).val, flags: entries; from here on operations succeed or fail as
                      one */
    OP_LDT_USE,    /* flags: page of the LDT */
    OP_DECREASE,   /* u[0].val: frame */
    OP_POPULATE,   /* u[0].val: number that the frame gets; flags: whose place among the pages; then
                      u[0].ptr: the frame */
    OP_GRANT_MAP,
    OP_GRANT_UNMAP,
    OP_GRANT_REPLACE,
    OP_GRANT_COPY,
    OP_KINDS
};

#define OP_BATCH 4
struct op {
    enum op_kind kind;
    struct vcpu *v;
    unsigned n;
    domid_t domid;
    uint64_t flags;
    struct mmu_update u[OP_BATCH];
    struct mmuext_op ext[OP_BATCH];
    union {
        struct gnttab_map_grant_ref map;
        struct gnttab_unmap_grant_ref unmap; /* and replace */
        struct gnttab_copy copy;
    };
    /* after op_run() */
    long result;
    unsigned done;
};

/* Words of pages that operations touch; with few of them they meet often. */
#define OP_SLOTS 8
extern const uint16_t op_slot[OP_SLOTS];
int op_slot_index(unsigned slot); /* -1: none of them */

#define OP_TABLES 8 /* pages of each domain that are used as tables */

/* A new machine for operations: three booted domains, in each a second tree of tables in pages 4 to
 * 7, not in use yet. */
void op_begin(void);
void op_grant_reset(void);
void op_choose(struct op *op, struct input *in);
void op_run(struct op *op);
/* As part n of a multicall, and what came out. */
void op_to_multicall(const struct op *op, unsigned n, struct multicall_entry *e);
/* Choices that the parts share (ops.c), and those of grants (ops_grant.c). */
mfn_t op_some_frame(struct input *in, const struct domain *d);
uint64_t op_some_va(struct input *in);
void op_choose_grant(struct op *op, struct input *in);
void op_grant_done(const struct op *op);

void op_print(const struct op *op);

#endif
