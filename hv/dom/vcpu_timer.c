/* SPDX-License-Identifier: MIT */
/* A vCPU's timers, which make VIRQ_TIMER pending, and the calls that set them. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <pvabi/xen.h>

#include "vcpu_op.h"

#define PERIOD_MIN_NS 1000000ull

static void timer_event(void *vcpu)
{
    send_virq(vcpu, VIRQ_TIMER);
}

static void periodic_event(void *vcpu)
{
    struct vcpu *v = vcpu;
    uint64_t period = READ_ONCE(v->periodic_ns);

    send_virq(v, VIRQ_TIMER);
    if (period)
        timer_set(&v->periodic, MAX(v->periodic.deadline + period, now_ns()));
}

static void poll_timeout(void *vcpu)
{
    struct vcpu *v = vcpu;

    if (READ_ONCE(v->polling))
        vcpu_wake(v);
}

void vcpu_timers_init(struct vcpu *v)
{
    timer_init(&v->singleshot, timer_event, v);
    timer_init(&v->periodic, periodic_event, v);
    timer_init(&v->poll_timer, poll_timeout, v);
}

/* A deadline in the past needs no timer: its event is due. */
static void singleshot_set(struct vcpu *v, uint64_t deadline)
{
    if (deadline > now_ns()) {
        timer_set(&v->singleshot, deadline);
    } else {
        timer_stop(&v->singleshot);
        timer_event(v);
    }
}

long do_set_timer_op(uint64_t deadline_ns)
{
    struct vcpu *v = current;

    if (deadline_ns)
        singleshot_set(v, deadline_ns);
    else
        timer_stop(&v->singleshot);
    return 0;
}

long vcpu_set_singleshot(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_singleshot_timer op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < now_ns())
        return -XEN_ETIME;
    singleshot_set(v, op.timeout_abs_ns);
    return 0;
}

long vcpu_stop_singleshot(struct vcpu *v, uint64_t arg)
{
    timer_stop(&v->singleshot);
    return 0;
}

long vcpu_set_periodic(struct vcpu *v, uint64_t arg)
{
    struct vcpu_set_periodic_timer op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.period_ns < PERIOD_MIN_NS)
        return refuse(-XEN_EINVAL, "a timer period of %lu ns; the shortest is %llu", op.period_ns,
                      PERIOD_MIN_NS);
    v->periodic_ns = op.period_ns;
    timer_set(&v->periodic, now_ns() + MIN(op.period_ns, 1ull << 62));
    return 0;
}

long vcpu_stop_periodic(struct vcpu *v, uint64_t arg)
{
    v->periodic_ns = 0;
    timer_stop(&v->periodic);
    return 0;
}
