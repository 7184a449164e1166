/* SPDX-License-Identifier: MIT */
/* Where choices come from: a seed, or the bytes of a fuzzer. */
#ifndef TESTS_MODEL_INPUT_H
#define TESTS_MODEL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    uint64_t seed;       /* used if data is NULL */
    const uint8_t *data; /* what is left */
    size_t left;
};

static inline uint64_t input_random(struct input *in)
{
    in->seed ^= in->seed << 13;
    in->seed ^= in->seed >> 7;
    in->seed ^= in->seed << 17;
    return in->seed * 0x2545f4914f6cdd1d;
}

/* A number below n (at most 256). Fuzzer bytes that ran out read as 0. */
static inline unsigned pick(struct input *in, unsigned n)
{
    if (!in->data)
        return (unsigned)((input_random(in) >> 32) % n);
    if (!in->left)
        return 0;
    in->left--;
    return *in->data++ % n;
}

static inline bool one_in(struct input *in, unsigned n)
{
    return pick(in, n) == n - 1;
}

#endif
