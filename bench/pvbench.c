/* SPDX-License-Identifier: MIT */
/* The bench guest: every row of the table that run.sh prints, as `BENCH name value` lines. */
#include "bench.h"
#include <pvguest/start.h>

void bench_report(const char *name, const struct bench_clock *c, unsigned ops)
{
    pv_printf("BENCH %s %lu\n", name, (c->best + ops / 2) / ops);
}

void bench_check(const char *what, long rc)
{
    if (rc >= 0)
        return;
    pv_printf("BENCH-REFUSED %s: %ld\n", what, rc);
    pv_shutdown(SHUTDOWN_crash);
}

void pv_main(void)
{
    bench_cpu();
    bench_mm();
    bench_grant();
    pv_printf("BENCH-END\n");
}
