/* SPDX-License-Identifier: MIT */
/* Time as the hypervisor shares it: parameters that turn the time-stamp counter into nanoseconds.
 */
#include <pvguest/time.h>

static uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (unsigned __int128)ticks * mul >> 32;
}

uint64_t pv_time(void)
{
    const struct vcpu_time_info *t = &pv_vcpu_info->time;
    uint32_t version;
    uint64_t now;

    do {
        version = pv_load(&t->version);
        pv_barrier();
        now = pv_load(&t->system_time) + scale(pv_rdtsc() - pv_load(&t->tsc_timestamp),
                                               pv_load(&t->tsc_to_system_mul),
                                               pv_load(&t->tsc_shift));
        pv_barrier();
    } while (version & 1 || version != pv_load(&t->version));
    return now;
}

uint64_t pv_wall_time(void)
{
    const struct shared_info *s = pv_shared_info;
    uint32_t version;
    uint64_t at_start;

    do {
        version = pv_load(&s->wc_version);
        pv_barrier();
        at_start = (pv_load(&s->wc_sec) | (uint64_t)pv_load(&s->wc_sec_hi) << 32) * PV_SECOND +
                   pv_load(&s->wc_nsec);
        pv_barrier();
    } while (version & 1 || version != pv_load(&s->wc_version));
    return at_start + pv_time();
}

long pv_timer_init(pv_event_handler *handler)
{
    long port = pv_event_bind_virq(VIRQ_TIMER);

    if (port < 0)
        return port;
    pv_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    pv_event_set(port, handler);
    pv_event_unmask(port);
    return 0;
}

long pv_timer_set(uint64_t deadline)
{
    return pv_set_timer_op(deadline);
}

void pv_idle(void)
{
    pv_sched_op(SCHEDOP_block, NULL);
    pv_events_off();
}
