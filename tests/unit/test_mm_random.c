/* SPDX-License-Identifier: MIT */
/* Random operations against the model. OPS: how many (default a short run), SEED: where to begin,
 * so that a run that fails can be repeated from its last machine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../model/run.h"

#define OPS_PER_MACHINE 5000

static uint64_t env(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

int main(void)
{
    uint64_t ops = env("OPS", 300000), seed = env("SEED", 1), first = seed;
    clock_t start = clock();

    for (uint64_t done = 0; done < ops; seed++) {
        struct input in = {.seed = seed * 0x9e3779b97f4a7c15ull | 1};

        fprintf(stderr, "\rseed %" PRIu64 " ",
                seed); /* without a newline: the last one stays to be seen */
        run_begin();
        for (unsigned i = 0; i < OPS_PER_MACHINE && done < ops; i++, done++)
            run_step(&in);
    }
    fprintf(stderr, "\n");
    printf("%" PRIu64 " operations, %.0f a second\n", run_stats.ops,
           (double)run_stats.ops * CLOCKS_PER_SEC / (double)(clock() - start + 1));
    for (unsigned k = 0; k < OP_KINDS; k++)
        printf("  kind %u: %" PRIu64 " done, %" PRIu64 " refused\n", k, run_stats.kind[k][0],
               run_stats.kind[k][1]);
    printf("%" PRIu64 " passed, 0 failed: machines, each by a seed of its own\n", seed - first);
    return 0;
}
