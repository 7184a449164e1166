/* SPDX-License-Identifier: MIT */
/* Domains and vCPUs: how they come to be, how they stop.
 *
 * A domain once in the list stays there until its destruction, which waits until no call can still
 * hold a pointer to it; so a pointer from domain_by_id() is good for the length of the call. */
#include <string.h>

#include <hv/cpu.h>
#include <hv/init.h>
#include <hv/print.h>
#include <pvabi/sched.h>
#include <pvabi/xen.h>

#include "sched.h"

struct domain *domain_list, *domains_dead;
struct spinlock domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct domain *hardware_domain;

struct domain dom_io;

void domain_init(void)
{
    dom_io.id = DOMID_IO;
    lock_init(&dom_io.life, RANK_DOMAIN);
    lock_init(&dom_io.pt_lock, RANK_PT);
    lock_init(&dom_io.pages_lock, RANK_PAGES);
}

struct domain *domain_by_id(domid_t id)
{
    if (id == DOMID_SELF)
        return current->domain;
    for_each_domain(d) {
        if (d->id == id)
            return d;
    }
    return NULL;
}

static unsigned order_of(size_t size)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

static void shared_info_init(struct domain *d)
{
    for (unsigned i = 0; i < ARRAY_SIZE(d->shared->vcpu_info); i++)
        d->shared->vcpu_info[i].evtchn_upcall_mask = 1;
    wallclock_publish(d);
}

static int make_parts(struct domain *d)
{
    d->shared = domain_alloc_shared_page(d, &d->shared_mfn);
    if (!d->shared || evtchn_domain_init(d) || grant_domain_init(d))
        return -XEN_ENOMEM;
    shared_info_init(d);
    return 0;
}

/* Lock: domlist. */
static bool id_taken(domid_t id)
{
    for_each_domain (d) {
        if (d->id == id)
            return true;
    }
    for (const struct domain *d = domains_dead; d; d = d->next_dead) {
        if (d->id == id)
            return true;
    }
    return false;
}

/* Others may be reading the list. */
static bool list_insert(struct domain *d)
{
    struct domain **p = &domain_list;
    bool free;

    lock(&domlist_lock);
    free = !id_taken(d->id);
    if (free) {
        while (*p && (*p)->id < d->id)
            p = &(*p)->next;
        d->next = *p;
        __atomic_store_n(p, d, __ATOMIC_RELEASE);
    }
    unlock(&domlist_lock);
    return free;
}

struct domain *domain_create(domid_t id, unsigned max_vcpus, bool is_hardware)
{
    struct domain *d = page_alloc(order_of(sizeof(*d)));

    if (!d)
        return NULL;
    d->id = id;
    d->is_hardware = is_hardware;
    d->pause_count = !is_hardware; /* others are built at leisure */
    d->max_vcpus = MIN(max_vcpus, (unsigned)MAX_VCPUS);
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    d->weight = SCHED_WEIGHT_DEFAULT;
    lock_init(&d->life, RANK_DOMAIN);
    lock_init(&d->pt_lock, RANK_PT);
    lock_init(&d->pages_lock, RANK_PAGES);
    if (make_parts(d) || !list_insert(d)) {
        domain_free(d);
        return NULL;
    }
    if (is_hardware)
        hardware_domain = d;
    return d;
}

domid_t domain_free_id(void)
{
    static domid_t last; /* lock: domlist. An id comes again as late as possible */
    domid_t id;

    lock(&domlist_lock);
    for (unsigned i = 0; i < DOMID_FIRST_RESERVED; i++) {
        last = last + 1 < DOMID_FIRST_RESERVED ? (domid_t)(last + 1) : 1;
        if (!id_taken(last))
            break;
    }
    id = last;
    unlock(&domlist_lock);
    return id;
}

void domain_free(struct domain *d)
{
    for_each_vcpu (d, v) {
        vcpu_arch_destroy(v);
        page_free(v, order_of(sizeof(*v)));
    }
    evtchn_domain_free(d);
    grant_domain_free(d);
    if (d->shared)
        domain_free_shared_page(d, d->shared);
    page_free(d, order_of(sizeof(*d)));
}

struct vcpu *vcpu_create(struct domain *d, unsigned id)
{
    struct vcpu *v = page_alloc(order_of(sizeof(*v)));

    if (!v)
        return NULL;
    v->id = id;
    v->domain = d;
    v->pcpu = percpu_of[id % cpu_count];
    v->state = VCPU_OFFLINE;
    v->state_since = now_ns();
    v->info = &d->shared->vcpu_info[id];
    v->info_mfn = INVALID_MFN;
    v->work = d->pause_count ? WORK_STOP : 0;
    vcpu_timers_init(v);
    if (vcpu_arch_create(v)) {
        page_free(v, order_of(sizeof(*v)));
        return NULL;
    }
    time_publish(v);
    __atomic_store_n(&d->vcpu[id], v, __ATOMIC_RELEASE);
    return v;
}

/* ---- Stopping. ---- */

/* WORK_STOP for all its vCPUs, and a kick. */
static void domain_stop(struct domain *d)
{
    for_each_vcpu (d, v) {
        vcpu_set_work(v, WORK_STOP);
        vcpu_kick(v);
    }
}

static bool may_run(const struct domain *d)
{
    return !d->pause_count && !d->dying && !d->shut_down;
}

static bool vcpus_stopped(const void *domain)
{
    const struct domain *d = domain;

    for_each_vcpu(d, v) {
        enum vcpu_state s = READ_ONCE(v->state);

        if (s == VCPU_RUNNING || s == VCPU_RUNNABLE)
            return false;
    }
    return true;
}

void domain_pause(struct domain *d)
{
    lock(&d->life);
    d->pause_count++;
    unlock(&d->life);
    domain_stop(d);
    while (!vcpus_stopped(d)) {
        vcpu_yield();
        preempt_point();
    }
}

void domain_unpause(struct domain *d)
{
    lock(&d->life);
    if (d->pause_count)
        d->pause_count--;
    unlock(&d->life);
    if (!may_run(d))
        return;
    for_each_vcpu(d, v)
        vcpu_release(v);
    if (!may_run(d)) /* stopped for another reason meanwhile */
        domain_stop(d);
}

static noreturn void machine_end(unsigned code)
{
    switch (code) {
    case SHUTDOWN_poweroff:
        printk(LOG_ERR, "Hardware Dom0 powered off: so does the machine");
        machine_poweroff();
    case SHUTDOWN_reboot:
        printk(LOG_ERR, "Hardware Dom0 asks for a reboot: %s the machine",
               options.noreboot ? "stopping (noreboot)" : "resetting");
        if (options.noreboot)
            machine_halt();
        machine_reboot();
    case SHUTDOWN_crash:
        printk(LOG_ERR, "Hardware Dom0 crashed: the machine cannot go on");
        machine_halt();
    default:
        printk(LOG_ERR, "Hardware Dom0 shut down with code %u: stopping the machine", code);
        machine_halt();
    }
}

/* Takes no lock that a crash could meet held. */
void domain_shutdown(struct domain *d, unsigned code)
{
    uint8_t none = SHUTDOWN_CODE_NONE;

    __atomic_compare_exchange_n(&d->shutdown_code, &none, (uint8_t)code, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&d->shut_down, true, __ATOMIC_SEQ_CST))
        return;
    if (d->is_hardware)
        machine_end(d->shutdown_code);
    domain_stop(d);
    send_global_virq(VIRQ_DOM_EXC);
}
