/* SPDX-License-Identifier: MIT */
/* A guest that is not the hardware domain tries all that the trace operation can do, on itself and
 * on domain 0. Its exit status counts what was not refused. */
#include <pvabi/paravane.h>
#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/hypercall.h>
#include <pvguest/start.h>

static uint64_t room[512];
static unsigned allowed;

static void attempt(unsigned cmd, unsigned domain)
{
    struct paravane_op op = {.version = PARAVANE_INTERFACE_VERSION, .cmd = cmd, .domain = domain};
    long rc;

    if (cmd == PARAVANE_trace_start) {
        op.u.trace_start.kib = PARAVANE_TRACE_KIB_MIN;
    } else if (cmd == PARAVANE_trace_read) {
        op.u.trace_read.size = sizeof(room);
        op.u.trace_read.buffer = (uint64_t)room;
    }
    rc = pv_hypercall1(__HYPERVISOR_paravane_op, (uint64_t)&op);
    if (rc != -XEN_EPERM) {
        pv_printf("tracee: operation %u on %u: %ld\n", cmd, domain, rc);
        allowed++;
    }
}

void pv_main(void)
{
    static const unsigned domains[] = {DOMID_SELF, 0, 1};

    for (unsigned cmd = 0; cmd <= PARAVANE_usage + 1; cmd++)
        for (unsigned i = 0; i < ARRAY_SIZE(domains); i++)
            attempt(cmd, domains[i]);
    pv_exit(allowed);
}
