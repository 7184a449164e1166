/* SPDX-License-Identifier: MIT */
/* Random operations of six vCPUs that are preempted in their middle. ROUNDS: how many (default a
 * short run), SEED. */
#include <stdio.h>
#include <stdlib.h>

#include "../model/interleave.h"

#define ROUNDS_PER_MACHINE 200

static uint64_t env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

int main(void)
{
    uint64_t rounds = env("ROUNDS", 6000), seed = env("SEED", 1), first = seed;

    for (uint64_t done = 0; done < rounds; seed++) {
        struct input in = {.seed = seed * 0x9e3779b97f4a7c15ull | 1};

        fprintf(stderr, "\rseed %lu ", seed);
        interleave_begin();
        for (unsigned i = 0; i < ROUNDS_PER_MACHINE && done < rounds; i++, done++)
            interleave_round(&in, 3);
    }
    fprintf(stderr, "\n");
    printf("%lu rounds, %lu switches in the middle of a call\n", rounds, interleave_switches);
    printf("%lu passed, 0 failed: machines, each by a seed of its own\n", seed - first);
    return 0;
}
