/* SPDX-License-Identifier: MIT */
/* How operations are counted: rdtsc differences, which under QEMU's -icount shift=0,sleep=off are
 * executed instructions. The least of several rounds, so that a timer tick in one does not show. */
#ifndef BENCH_H
#define BENCH_H

#include <pvguest/console.h>
#include <pvguest/hypercall.h>
#include <pvguest/mm.h>

#define BENCH_ROUNDS 6

struct bench_clock {
    uint64_t start, best;
};

pv_inline void bench_round_begin(struct bench_clock *c)
{
    c->start = pv_rdtsc();
}
pv_inline void bench_round_end(struct bench_clock *c)
{
    uint64_t t = pv_rdtsc() - c->start;

    if (!c->best || t < c->best)
        c->best = t;
}

/* One line for the runner: instructions per operation, rounded. */
void bench_report(const char *name, const struct bench_clock *c, unsigned ops);
/* A refusal makes the figure worthless: says so and ends the guest. */
void bench_check(const char *what, long rc);

/* Repeats `code` `ops` times in each round and reports. */
#define BENCH(name, ops, code)                                                                     \
    do {                                                                                           \
        struct bench_clock clock_ = {.best = 0};                                                   \
        for (unsigned round_ = 0; round_ < BENCH_ROUNDS; round_++) {                               \
            bench_round_begin(&clock_);                                                            \
            for (unsigned i = 0; i < (ops); i++) {                                                 \
                code;                                                                              \
            }                                                                                      \
            bench_round_end(&clock_);                                                              \
        }                                                                                          \
        bench_report(name, &clock_, ops);                                                          \
    } while (0)

/* Every measured call goes through the hypercall page, as the baseline's did. */
#define CALL1(nr, a)          PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, 0, 0, 0)
#define CALL2(nr, a, b)       PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, 0, 0)
#define CALL3(nr, a, b, c)    PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, c, 0)
#define CALL4(nr, a, b, c, d) PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, c, d)

void bench_mm(void);
void bench_cpu(void);
void bench_grant(void);

#endif
