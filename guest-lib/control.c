/* SPDX-License-Identifier: MIT */
/* Requests from the toolstack, by the store. */
#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/mm.h>
#include <pvguest/xs.h>

static void (*handler)(const char *request);

static void changed(struct pv_watch *w)
{
    char request[32];

    if (pv_xs_read(0, w->path, NULL, request, sizeof(request)) <= 0)
        return;
    pv_xs_write(0, w->path, NULL, "");
    handler(request);
}

long pv_control_init(void (*asked)(const char *request))
{
    static const char *const features[] = {"feature-poweroff", "feature-reboot", "feature-suspend"};
    static struct pv_watch watch = {.path = "control/shutdown", .changed = changed};
    long error = pv_xs_init();

    if (error)
        return error;
    handler = asked;
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
        pv_xs_write(0, "control", features[i], "1");
    return pv_xs_watch(&watch);
}

long pv_suspend(void)
{
    struct sched_shutdown op = {.reason = SHUTDOWN_suspend};

    /* The frame of start_info goes along: whoever restores the domain writes news into it. */
    return pv_hypercall3(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uint64_t)&op,
                         pv_va_to_mfn(pv_start_info));
}
