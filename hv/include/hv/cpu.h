/* SPDX-License-Identifier: MIT */
/* Per-CPU data, the current vCPU, and the CPU's instructions. */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <hv/domain.h>
#include <hv/layout.h>

#define MAX_CPUS 64

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
} __packed;

struct percpu { /* lies in page 1 of the CPU's window, behind the SYSCALL stub, which reaches it RIP-relative */
    uint64_t scratch_rsp;   /* guest RSP during the SYSCALL stub */
    uint64_t stack_top;     /* of the current vCPU */
    const void *syscall_target; /* where the stub goes on: the current vCPU's */
    struct vcpu *running; /* the vCPU whose stack is in use; `current` finds it faster */
    struct vcpu *idle;
    unsigned id, apic_id;
    uint64_t window_va;
    uint64_t flush_epoch;   /* of this CPU's last complete TLB flush; written by itself only */
    bool online;
    bool flush_requested;   /* atomic; served by interrupt or by a contended spin */
    uint64_t loaded_cr3; /* host builds: what the fake CPU translates by */
    struct tss *tss;
    uint64_t idle_cr3;
    struct vcpu *run_queue;   /* lock: sched_lock */
    struct spinlock sched_lock;
    struct hv_timer *timers;  /* lock: timer_lock; sorted by deadline */
    struct spinlock timer_lock;
    uint64_t timer_programmed; /* ns deadline in the local APIC, ~0 none */
    uint64_t min_vruntime;    /* lock: sched_lock; only grows: where newcomers and sleepers start */
    struct hv_timer slice_timer; /* armed only while somebody waits in the run queue */
    uint64_t xcr0;            /* as loaded */
    struct vcpu *seg_owner;   /* whose segments, bases, GDT, LDT and debug registers are loaded */
};

extern struct percpu *percpu_of[MAX_CPUS];
extern unsigned cpu_count;

#ifdef PARAVANE_HOST
extern struct vcpu *host_current;
#define current host_current
#else
static always_inline struct vcpu *get_current(void)
{
    uint64_t base;
    __asm__("mov %%rsp, %0\n\tand %1, %0" : "=&r"(base) : "i"(-WINDOW_SIZE) : "cc");
    return *(struct vcpu **)(base + WIN_CURRENT);
}
#define current get_current()
#endif
#define this_cpu() (current->pcpu)

/* The guest's registers at its last entry. */
static always_inline struct guest_regs *vcpu_regs(const struct vcpu *v)
{
    return (struct guest_regs *)(v->stack_top - sizeof(struct guest_regs));
}

#endif
