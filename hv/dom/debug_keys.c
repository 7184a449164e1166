/* SPDX-License-Identifier: MIT */
/* Debug keys, by which dom0's tools have the hypervisor tell about itself in the log. */

#include "control.h"
#include "event.h"
#include "grant.h"

static void tell_domains(void)
{
    for_each_domain(d)
        printk(LOG_ERR,
               "d%u:%s%s%s%s %lu of %lu frames, %u vCPUs, weight %u cap %u, %u ports, %u grant "
               "frames, %lu grants in use, %lu refusals",
               d->id, d->dying ? " dying" : "", d->shut_down ? " shut down" : "",
               d->crashed ? " crashed" : "", d->pause_count ? " paused" : "", d->tot_pages,
               d->max_pages, d->max_vcpus, d->weight, d->cap, d->evtchn->open, d->grants->frames,
               d->grants->pins, d->refused);
}

static void tell_vcpus(void)
{
    static const char *const state[] = {"running", "runnable", "blocked", "offline"};

    for_each_domain(d) {
        for_each_vcpu(d, v) {
            const struct guest_regs *r = vcpu_regs(v);

            printk(
                LOG_ERR,
                "d%uv%u: %s on CPU %u, %s mode at %lx:%016lx rsp %016lx, cr3 %lx/%lx, work 0x%x, "
                "upcall pending %u mask %u, ran %lu us",
                d->id, v->id, state[v->state], v->pcpu->id, v->kernel_mode ? "kernel" : "user",
                r->cs, r->rip, r->rsp, v->kernel_cr3, v->user_cr3, v->work,
                v->info->evtchn_upcall_pending, v->info->evtchn_upcall_mask,
                v->state_time[VCPU_RUNNING] / 1000);
        }
    }
}

static void tell_machine(void)
{
    printk(LOG_ERR, "%lu frames of memory, %lu of them free; frames are numbered up to 0x%lx",
           heap_total_frames(), heap_free_frames(), frame_max - 1);
    printk(LOG_ERR, "%lu us since boot, TSC at %u kHz%s", now_ns() / 1000, time_scale.tsc_khz,
           time_scale.invariant ? ", invariant" : "");
}

static void help(void);

static const struct {
    char key;
    void (*fn)(void);
    const char *what;
} keys[] = {
    {'h', help, "these keys"},      {'d', tell_vcpus, "registers of vCPUs"},
    {'q', tell_domains, "domains"}, {'m', tell_machine, "memory and time"},
};

static void help(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        printk(LOG_ERR, "key '%c': %s", keys[i].key, keys[i].what);
}

void debug_key(char key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].key == key) {
            keys[i].fn();
            return;
        }
    }
    printk(LOG_ERR, "key 0x%x has no meaning; 'h' lists those that have", (uint8_t)key);
}
