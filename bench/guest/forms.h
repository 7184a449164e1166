/* SPDX-License-Identifier: MIT */
/* The ways in which a kernel can change its page-table entries, behind one interface. */
#ifndef BENCH_FORMS_H
#define BENCH_FORMS_H

#include <pvguest/types.h>
#include <pvguest/abi.h>

struct bench_task {
    struct mmuext_op roots[2]; /* the kernel's, the user's */
    uint64_t stack, segment_base;
};

struct bench_form {
    const char *name;
    /* Around changes that may be gathered. */
    void (*begin)(void);
    void (*end)(void);
    /* One change, in force after `end`. va: what the entry maps in the current tables, 0 when it is
     * of other tables. */
    void (*set)(uint64_t *entry, uint64_t va, uint64_t value);
    /* One change that must be in force at once, as in a fault handler. */
    void (*set_now)(uint64_t *entry, uint64_t va, uint64_t value);
    /* Within begin and end: roots, stack, segment base and FPU flag, as a scheduler sets them. */
    void (*switch_to)(const struct bench_task *task);
};

#define BENCH_FORMS 4
extern const struct bench_form bench_forms[BENCH_FORMS];
extern const struct bench_form *const bench_form_lazy;

#endif
