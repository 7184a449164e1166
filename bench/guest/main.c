/* SPDX-License-Identifier: MIT */
/* The bench guest: rows of figures, as `BENCH` lines on its console. Arguments: rounds=N samples of
 * each; pair=ROLE measures wake-ups between two such guests instead. */
#include "bench.h"
#include <pvguest/start.h>

unsigned bench_rounds = 6;

static void sort(uint64_t *s, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        uint64_t v = s[i];
        unsigned j = i;

        for (; j && s[j - 1] > v; j--)
            s[j] = s[j - 1];
        s[j] = v;
    }
}

void bench_report(const char *name, unsigned batch, struct bench_clock *c, unsigned ops)
{
    unsigned at[4] = {0, c->rounds / 2, c->rounds / 10, c->rounds - 1 - c->rounds / 10};

    sort(c->samples, c->rounds);
    pv_printf("BENCH %s %u %u", name, batch, ops);
    for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
        pv_printf(" %lu", (c->samples[at[i]] + ops / 2) / ops);
    pv_printf("\n");
}

void bench_check(const char *what, long rc)
{
    if (rc >= 0)
        return;
    pv_printf("BENCH-REFUSED %s: %ld\n", what, rc);
    pv_shutdown(SHUTDOWN_crash);
}

static void read_rounds(void)
{
    char text[4];
    unsigned n = 0;

    if (!pv_option("rounds=", text, sizeof(text)))
        return;
    for (const char *s = text; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + *s - '0';
    if (n && n <= BENCH_MAX_ROUNDS)
        bench_rounds = n;
}

void pv_main(void)
{
    char role[8];

    read_rounds();
    if (pv_option("pair=", role, sizeof(role))) {
        bench_pair(role);
    } else {
        bench_calls();
        bench_traps();
        bench_events();
        bench_updates();
        bench_pins();
        bench_roots();
        bench_grants();
        bench_patterns();
    }
    pv_printf("BENCH-END\n");
}
