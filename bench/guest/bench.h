/* SPDX-License-Identifier: MIT */
/*
 * How operations are measured: rdtsc differences of several rounds. Under QEMU's -icount
 * shift=0,sleep=off they are executed instructions, on a processor they are cycles.
 */
#ifndef BENCH_H
#define BENCH_H

#include <pvguest/console.h>
#include <pvguest/hypercall.h>
#include <pvguest/mm.h>

#define BENCH_MAX_ROUNDS 64

extern unsigned bench_rounds;

struct bench_clock {
    uint64_t start;
    unsigned rounds;
    uint64_t samples[BENCH_MAX_ROUNDS];
};

pv_inline void bench_round_begin(struct bench_clock *c)
{
    c->start = pv_rdtsc();
}
pv_inline void bench_round_end(struct bench_clock *c)
{
    c->samples[c->rounds++] = pv_rdtsc() - c->start;
}

/* One line for the runner: `BENCH name batch operations least median 10th-percentile 90th`, the
 * last four for each operation. Batch 0: the operation has none. */
void bench_report(const char *name, unsigned batch, struct bench_clock *c, unsigned ops);
/* A refusal makes the figure worthless: says so and ends the guest. */
void bench_check(const char *what, long rc);

/* Repeats `code` `ops` times in each round, `per` operations each time, and reports. */
#define BENCH_BATCH(name, batch, ops, per, code)                                                   \
    do {                                                                                           \
        struct bench_clock clock_ = {.rounds = 0};                                                 \
        for (unsigned round_ = 0; round_ < bench_rounds; round_++) {                               \
            bench_round_begin(&clock_);                                                            \
            for (unsigned i = 0; i < (ops); i += (per)) {                                          \
                code;                                                                              \
            }                                                                                      \
            bench_round_end(&clock_);                                                              \
        }                                                                                          \
        bench_report(name, batch, &clock_, ops);                                                   \
    } while (0)
#define BENCH(name, ops, code) BENCH_BATCH(name, 0, ops, 1, code)

/* Every measured call goes through the hypercall page, as an ordinary guest's does. */
#define CALL1(nr, a)          PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, 0, 0, 0)
#define CALL2(nr, a, b)       PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, 0, 0)
#define CALL3(nr, a, b, c)    PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, c, 0)
#define CALL4(nr, a, b, c, d) PV_PAGE_HYPERCALL(__HYPERVISOR_##nr, a, b, c, d)

/* The area that entries are changed in: one L1 table of it, and two sets of frames to map there. */
#define AREA_VA 0x0000100000000000ul
#define ENTRIES 512
extern uint64_t *area_l1;
extern uint64_t area_ptes[2][ENTRIES];

void bench_calls(void);
void bench_traps(void);
void bench_events(void);
void bench_updates(void);
void bench_pins(void);
void bench_roots(void);
void bench_grants(void);
void bench_patterns(void);
/* One of two domains that wake each other; `role` is "echo" or "ping". */
void bench_pair(const char *role);

#endif
