/* SPDX-License-Identifier: MIT */
/* Shared by the decoder's tests: random numbers, cheap assertions, decoding without room to read
 * too far. */
#ifndef TESTS_DECODE_UTIL_H
#define TESTS_DECODE_UTIL_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../hv/x86/decode.h"

static uint64_t seed = 0x9e3779b97f4a7c15;

static inline uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

/* libcheck's own assertions write to a pipe each time, too slow for the inner loops. */
#define MUST(cond, ...)                                                                            \
    do {                                                                                           \
        if (!(cond))                                                                               \
            ck_abort_msg(#cond ": " __VA_ARGS__);                                                  \
    } while (0)

static inline unsigned below(unsigned n)
{
    return (unsigned)(rnd() >> 33) % n;
}

/* Decoding from an exactly sized heap block lets ASan see any read beyond `len`. */
static inline bool decode_exact(bool pte, const uint8_t *bytes, unsigned len, struct guest_regs *r,
                                void *out)
{
    uint8_t *copy = malloc(len ? len : 1);
    bool ok;

    memcpy(copy, bytes, len);
    if (!len) {
        free(copy);
        copy = NULL;
    }
    ok = pte ? pte_decode(copy, len, r, out) : insn_decode(copy, len, r, out);
    free(copy);
    return ok;
}

static inline bool same_pte_insn(const struct pte_insn *a, const struct pte_insn *b)
{
    bool reg = a->op == PTE_OP_XCHG || a->op == PTE_OP_STOS;

    return a->op == b->op && a->len == b->len && a->size == b->size && a->seg == b->seg &&
           a->addr32 == b->addr32 && a->ea == b->ea && a->value == b->value &&
           (!reg || a->reg == b->reg);
}

/* Machine code of one instruction, by the assembler. */
#define GAS(id, text)                                                                              \
    __asm__(".pushsection .rodata\n.globl gas_" #id ", gas_" #id "_end\n"                          \
            "gas_" #id ": " text "\ngas_" #id "_end:\n.popsection");                               \
    extern const uint8_t gas_##id[], gas_##id##_end[]

#endif
