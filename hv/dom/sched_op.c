/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sched_op: yield, block, poll, and the end of a domain. */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <pvabi/sched.h>

#include "sched.h"
#include "subject.h"

#define POLL_PORTS_MAX 128

static void block(void)
{
    WRITE_ONCE(current->info->evtchn_upcall_mask, 0);
    vcpu_block();
}

struct poll {
    struct vcpu *v;
    unsigned count;
    evtchn_port_t port[POLL_PORTS_MAX];
    uint64_t timeout;
};

static bool poll_done(const void *arg)
{
    const struct poll *p = arg;

    if (event_deliverable(p->v) || READ_ONCE(p->v->domain->dying) || (p->timeout && p->timeout <= now_ns()))
        return true;
    for (unsigned i = 0; i < p->count; i++) {
        if (evtchn_port_pending(p->v->domain, p->port[i]))
            return true;
    }
    return false;
}

static long poll(uint64_t arg)
{
    struct poll p = {.v = current};
    struct sched_poll op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.nr_ports > POLL_PORTS_MAX)
        return refuse(-XEN_EINVAL, "poll of %u ports; at most %u", op.nr_ports, POLL_PORTS_MAX);
    if (!guest_array_ok(op.ports, op.nr_ports, sizeof(p.port[0])) ||
        copy_from_guest(p.port, op.ports, op.nr_ports * sizeof(p.port[0])))
        return -XEN_EFAULT;
    p.count = op.nr_ports;
    p.timeout = op.timeout;

    /* Any event of ours wakes us while this is set, and we look whether it was one of these. */
    vcpu_set_polling(p.v, true);
    if (p.timeout > now_ns())
        timer_set(&p.v->poll_timer, p.timeout);
    while (!poll_done(&p))
        vcpu_sleep(poll_done, &p);
    timer_stop(&p.v->poll_timer);
    vcpu_set_polling(p.v, false);
    return 0;
}

static long shutdown(uint64_t arg, bool code_only)
{
    struct domain *d = current->domain;
    struct sched_shutdown op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.reason > SHUTDOWN_MAX)
        return refuse(-XEN_EINVAL, "shutdown reason %u; they go up to %u", op.reason, SHUTDOWN_MAX);
    if (code_only) {
        d->shutdown_code = (uint8_t)op.reason;
        return 0;
    }
    guest_log(d, LOG_INFO, "shuts its domain down, code %u", op.reason);
    domain_shutdown(d, op.reason);
    return 0;
}

static long remote_shutdown(uint64_t arg)
{
    struct sched_remote_shutdown op;
    struct domain *d;
    int err = 0;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.reason > SHUTDOWN_MAX)
        return refuse(-XEN_EINVAL, "shutdown reason %u; they go up to %u", op.reason, SHUTDOWN_MAX);
    d = call_subject(op.domain_id, &err);
    if (!d)
        return err;
    domain_shutdown(d, op.reason);
    return 0;
}

long do_sched_op(uint64_t cmd, uint64_t arg)
{
    switch (cmd) {
    case SCHEDOP_yield:
        vcpu_yield();
        return 0;
    case SCHEDOP_block:
        block();
        return 0;
    case SCHEDOP_poll:
        return poll(arg);
    case SCHEDOP_shutdown:
        return shutdown(arg, false);
    case SCHEDOP_shutdown_code:
        return shutdown(arg, true);
    case SCHEDOP_remote_shutdown:
        return remote_shutdown(arg);
    default: /* the watchdog and pinning for firmware calls are not provided */
        return -XEN_ENOSYS;
    }
}

/* The call's older form, number 6, of which kernels still use these two. */
long do_sched_op_compat(uint64_t cmd, uint64_t arg)
{
    return cmd <= SCHEDOP_block ? do_sched_op(cmd, arg) : -XEN_ENOSYS;
}
