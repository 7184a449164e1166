/* SPDX-License-Identifier: MIT */
/* The reference model of page types: what the rules say, written the slow and plain way. It keeps
 * its own copy of types, counts and of all memory, predicts for each operation whether it is
 * refused and what changes, and compares. */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include "ops.h"

struct model_frame {
    const struct domain *owner; /* NULL: the hypervisor's or free; then the rest does not matter */
    enum frame_type type;
    bool pinned, busy;
    unsigned count, refs;
};

struct model {
    struct model_frame f[FAKE_FRAMES];
    uint64_t mem[FAKE_RAM][512];
    uint64_t root[FAKE_DOMAINS][FAKE_VCPUS][2]; /* machine addresses: kernel, user */
    uint64_t gdt[FAKE_DOMAINS][FAKE_VCPUS][16], ldt[FAKE_DOMAINS][FAKE_VCPUS][16];
    uint64_t m2p[FAKE_RAM];
};
extern struct model model;

/* What an operation is expected to answer. */
struct expected {
    bool refused;
    unsigned done; /* parts done before the refusal */
};

void model_take(void); /* the machine's present state is right */
struct expected
model_predict(const struct op *op);        /* and does to the model what the operation should do */
void model_populated(const struct op *op); /* with the machine's choice of a frame */
void model_compare(void);                  /* the machine and the model agree, or fail */

/* The machinery (model_type.c). */
bool model_get_type(const struct domain *d, uint64_t n, enum frame_type t);
void model_put_type(uint64_t n);
bool model_get_entry(const struct domain *d, const struct domain *foreign, unsigned level,
                     uint64_t pte);
void model_put_entry(const struct domain *d, unsigned level, uint64_t pte);
bool model_entry_bits(unsigned level, uint64_t pte);

bool model_find_l1(const struct vcpu *v, uint64_t va,
                   uint64_t *n); /* the L1 that maps va in v's kernel root */

/* Grants (model_grant.c). True: status okay, and done in the model. */
void model_grant_reset(void);
bool model_grant_map(const struct vcpu *v, const struct gnttab_map_grant_ref *op);
void model_mapped(const struct domain *d,
                  const struct gnttab_map_grant_ref *op); /* with the machine's handle */
bool model_grant_unmap(const struct vcpu *v, const struct gnttab_unmap_grant_ref *op, bool replace);
bool model_grant_copy(const struct vcpu *v, const struct gnttab_copy *op);

#endif
