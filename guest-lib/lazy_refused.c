/* SPDX-License-Identifier: MIT */
/* What happens to a guest that does not say itself what a refused change of a table means to it. */
#include <pvguest/console.h>
#include <pvguest/lazy.h>
#include <pvguest/start.h>

void pv_lazy_refused(const char *what, long error, uint64_t a, uint64_t b)
{
    pv_printf("pvguest: %s(%lx, %lx) refused: error %ld\n", what, a, b, -error);
    pv_shutdown(SHUTDOWN_crash);
}
