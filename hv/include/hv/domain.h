/* SPDX-License-Identifier: MIT */
/* Domains and their virtual CPUs. */
#ifndef HV_DOMAIN_H
#define HV_DOMAIN_H

#include <hv/frame.h>
#include <hv/lock.h>
#include <hv/regs.h>
#include <hv/time.h>
#include <hv/types.h>
#include <pvabi/arch.h>
#include <pvabi/shared.h>
#include <pvabi/vcpu.h>

#define MAX_VCPUS 32 /* as many as shared_info carries */

struct evtchn_table;
struct grant_table;
struct trace;

#define SHUTDOWN_CODE_NONE 0xff

struct domain {
    domid_t id;
    bool is_hardware; /* dom0: devices, ports, control operations */
    bool dying;       /* only ever set */
    bool crashed;
    uint8_t shutdown_code; /* SHUTDOWN_CODE_NONE until the guest or its end sets it */
    bool shut_down;
    bool relinquished;     /* dying, and holds nothing any more but what others hold of it */
    unsigned pause_count; /* lock: life */
    struct spinlock life; /* RANK_DOMAIN */
    struct domain *next;  /* list of domains, by rising id; lock: domlist */
    struct domain *next_dead; /* list of dead ones */
    xen_domain_handle_t handle; /* UUID that the tools gave it */
    unsigned max_vcpus;
    struct vcpu *vcpu[MAX_VCPUS];
    int64_t time_offset; /* seconds of its wall clock from UTC */
    bool serves_store;   /* the tools said so */
#define CPU_FEATURE_WORDS 19
    uint32_t cpu_hidden[CPU_FEATURE_WORDS]; /* features that its tools do not want it to see (x86/cpu_policy.c) */

    /* Scheduling (dom/sched.c). */
    uint16_t weight, cap;   /* share of a contended CPU; most, in per cent of one CPU, 0: no limit */
    uint64_t cap_since;     /* ns: begin of the current period; lock: none, a race costs accuracy */
    uint64_t cap_used;      /* ns run in it, atomic */

    /* Memory. */
    struct spinlock pt_lock; /* RANK_PT: contents and types of this domain's page tables */
    bool walk_busy;          /* lock: pt. A structural operation is in a preemption window */
    struct spinlock pages_lock; /* RANK_PAGES */
    uint32_t pages_first;    /* lock: pages */
    uint32_t pages_left;     /* lock: pages. Frames that a dying domain has given up and others still use */
    uint64_t tot_pages, max_pages; /* lock: pages */
    struct shared_info *shared; /* in the direct map; guest-writable at any time */
    mfn_t shared_mfn;
    uint32_t vm_assist;

    struct evtchn_table *evtchn; /* dom/event.c */
    struct grant_table *grants;  /* dom/grant.c */
    unsigned pollers;            /* atomic: how many of its vCPUs are polling */

    /* Rights of the hardware domain. */
    uint64_t mmio_forbidden[16][2]; /* [first, last] frames that even dom0 may not map (LAPIC, I/O APIC) */
    unsigned mmio_forbidden_count;

    /* Telling. */
    uint64_t log_filled_at;    /* ns; rate limit of guest_log/refuse: a bucket of lines; lock: say.c's log_lock */
    uint32_t log_lines_left, log_suppressed;
    uint64_t refused; /* number of refused calls */
    struct trace *trace; /* dom/trace.c: NULL, or where its hypercalls are recorded */
};

enum vcpu_state { VCPU_RUNNING, VCPU_RUNNABLE, VCPU_BLOCKED, VCPU_OFFLINE }; /* numbers are RUNSTATE_* */

/* Bits of vcpu.work: reasons to leave the straight exit path. Set with atomic OR by anybody, then vcpu_kick(). */
#define WORK_RESCHED   0x01u
#define WORK_NMI       0x02u /* an NMI is pending for the guest */
#define WORK_STOP      0x04u /* domain paused, dying, crashed or shut down: do not enter the guest */
#define WORK_REGS      0x08u /* registers were changed from outside: full restore */
#define WORK_FAILSAFE  0x10u /* the IRET to the guest faulted */
#define WORK_RUNSTATE  0x20u /* guest runstate area could not be written yet */
#define WORK_SEGMENTS  0x40u /* a segment register could not be loaded: once more */
#define WORK_QUIET     0x80u /* somebody waits until it holds no pointers to domains: schedule() once on the way out */

struct vcpu {
    /* Hot: offsets used by entry.S and fast.S through asm-offsets. */
    struct vcpu_info *info; /* direct-map address of the current vcpu_info; guest-writable */
    uint32_t work;          /* atomic WORK_* */
    uint8_t kernel_mode;    /* guest is in kernel mode: SYSCALL is a hypercall */
    uint8_t nmi_masked;
    uint8_t iopl;           /* virtual IOPL as set by PHYSDEVOP_set_iopl */
    const void *syscall_target; /* where the SYSCALL stub goes on (entry.S): depends on whether the domain is traced */
    uint64_t stack_top;     /* end of struct guest_regs on this vCPU's hypervisor stack */
    struct percpu *pcpu;    /* where it runs or last ran */
    struct domain *domain;
    uint64_t kernel_sp, kernel_ss; /* stack_switch */
    uint64_t event_entry, failsafe_entry, syscall_entry, syscall32_entry;
    uint8_t failsafe_masks, syscall_masks, syscall32_masks; /* callback flag: mask events on entry; events always do */
    uint64_t kernel_cr3, user_cr3; /* machine addresses of the two roots; user 0 = none. Each holds a typed reference */
    struct trap_info trap[256];    /* indexed by vector; address 0 = none */
    uint32_t hcall_count[64];
    uint64_t iobmp_va;   /* guest virtual address of the port bitmap for user code, 0: none */
    uint32_t iobmp_bits; /* its size; set bits and all beyond are forbidden */

    /* Segments. Of the two GS bases the hardware holds one in GS_BASE (current mode) and the other in KERNEL_GS_BASE. */
    uint64_t fs_base, gs_base_kernel, gs_base_user; /* valid while not running */
    uint16_t ds, es, fs, gs;                        /* valid while not running */
    uint64_t gdt_frame[16];  /* mfns; lock: only the vCPU itself, or while it is not running */
    unsigned gdt_entries;
    uint64_t ldt_base;       /* guest virtual address */
    unsigned ldt_entries;
    bool ldt_mapped;         /* some LDT page is mapped in the window */
    uint64_t ldt_frame[16];

    uint64_t cr4_shadow; /* what the guest wrote; never reaches the hardware */
    bool cr0_ts;         /* virtual CR0.TS */
    uint64_t dr[8];          /* debug registers; dr[7] valid bits only */
    bool dr_active;
    void *xsave;             /* extended state area */
    uint64_t xcr0;
    uint32_t tsc_aux;        /* what RDTSCP returns */

    /* Scheduling; lock: pcpu run queue unless said. */
    unsigned id;
    unsigned window;         /* index of its window */
    enum vcpu_state state;
    bool is_idle, online;    /* online: VCPUOP_up was done */
    bool initialising;       /* lock: domain's life. Somebody is at its context, */
    bool initialised;        /* and has finished it: vcpu_load_context() or vcpu_start_context() was done */
    bool polling;            /* in SCHEDOP_poll: woken by any event that becomes pending, masked or not */
    uint64_t saved_rsp;      /* hypervisor stack pointer while not running */
    uint64_t vruntime;
    struct vcpu *run_next;   /* run queue */
    uint64_t state_since;    /* ns */
    uint64_t state_time[4];  /* ns in each state */
    uint64_t runstate_va;    /* guest virtual address of the registered area, 0 none */
    uint64_t time_area_va;
    mfn_t info_mfn;          /* frame of a registered vcpu_info (referenced), or INVALID_MFN */

    /* Timers; lock: pcpu timers. */
    struct hv_timer singleshot, periodic, poll_timer;
    uint64_t periodic_ns; /* period; 0: off */
    uint32_t virq_port[24];  /* lock: domain's event lock; 0 none */
};

extern struct domain *domain_list; /* lock: domlist_lock */
extern struct domain *domains_dead; /* no longer to be found, but not free yet; lock: domlist_lock */
extern struct spinlock domlist_lock;
extern struct domain *hardware_domain;
extern struct domain dom_io; /* owner of frames that are no RAM */

#define for_each_domain(d) for (struct domain *d = domain_list; d; d = d->next)
#define for_each_vcpu(d, v)                                                                        \
    for (unsigned i_##v = 0; i_##v < (d)->max_vcpus; i_##v++)                                      \
        for (struct vcpu *v = (d)->vcpu[i_##v]; v; v = NULL)

/* Domains (dom/domain.c). */
struct domain *domain_by_id(domid_t id); /* NULL: none. DOMID_SELF is resolved. The list never shrinks under a running call (see domain.c) */
struct domain *domain_create(domid_t id, unsigned max_vcpus, bool is_hardware); /* NULL: no memory, or the id is taken */
domid_t domain_free_id(void); /* one that nobody has, nor had lately */
void domain_free(struct domain *d); /* nobody else knows of it, or does any more */
struct vcpu *vcpu_create(struct domain *d, unsigned id);
/* Ends another domain: gives back all that it has and that nobody else uses; may be preempted (dom/destroy.c). */
void domain_destroy(struct domain *d);
void domains_bury(void); /* frees those dead whom nobody needs any more; the caller holds no pointers to domains */
static always_inline struct vcpu *domain_vcpu(const struct domain *d, uint64_t id)
{
    return id < d->max_vcpus ? d->vcpu[id] : NULL;
}
/* Frames of device registers that not even the hardware domain may map. */
static inline bool mmio_is_forbidden(const struct domain *d, uint64_t n)
{
    for (unsigned i = 0; i < d->mmio_forbidden_count; i++)
        if (n >= d->mmio_forbidden[i][0] && n <= d->mmio_forbidden[i][1])
            return true;
    return false;
}
/* Marks it shut down and stops its vCPUs; of the hardware domain: power off, reboot or stop the machine by code. */
void domain_shutdown(struct domain *d, unsigned code);
/* Keeps its vCPUs from entering the guest, counted; returns when none is in the middle of a call. Not for the current
 * domain, no locks held. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
static always_inline void vcpu_set_work(struct vcpu *v, uint32_t work)
{
    __atomic_fetch_or(&v->work, work, __ATOMIC_SEQ_CST);
}

/* Before it looks for events for the first time: whoever delivers one afterwards sees it polling. */
static always_inline void vcpu_set_polling(struct vcpu *v, bool polls)
{
    WRITE_ONCE(v->polling, polls);
    __atomic_fetch_add(&v->domain->pollers, polls ? 1 : -1, __ATOMIC_SEQ_CST);
}

/* The processor's part of a vCPU (x86/window.c, x86/context.c). */
int vcpu_arch_create(struct vcpu *v); /* window, stack, extended state; -XEN_ENOMEM */
/* The end, in two steps: what it holds of its domain's memory (it will not run again); what create made (no CPU has
 * anything of it loaded). */
void vcpu_arch_release(struct vcpu *v);
void vcpu_arch_destroy(struct vcpu *v);
/* VCPUOP_initialise: checks everything, takes references of root and GDT. The vCPU is offline and its context unset. */
int vcpu_load_context(struct vcpu *v, const struct vcpu_guest_context *c);
void vcpu_save_context(struct vcpu *v, struct vcpu_guest_context *c); /* the reverse; v does not run, *c is zero */
/* The first context of a built domain: kernel mode, flat segments, RSI = start_info. Root's typed reference is the caller's gift. */
void vcpu_start_context(struct vcpu *v, uint64_t rip, uint64_t rsp, uint64_t start_info_va, mfn_t root);
void vcpu_choose_entry(struct vcpu *v); /* d->trace was changed: counts from when it next runs */
noreturn void vcpu_first_run(void); /* where a new vCPU's stack starts */
void vcpu_load_root(struct vcpu *v); /* the root of its current mode was changed: loads it if v runs here */
int ldt_set(struct vcpu *v, uint64_t va, uint64_t entries); /* MMUEXT_SET_LDT (x86/desc.c) */
void context_switch(struct vcpu *prev, struct vcpu *next); /* returns when prev runs again */
/* Makes the guest's handler for `vector` run at its next entry, as if the exception had happened there. */
void guest_exception(struct vcpu *v, unsigned vector, uint32_t error_code);

/* Scheduling (dom/sched.c). */
void vcpu_wake(struct vcpu *v);  /* blocked becomes runnable */
void vcpu_kick(struct vcpu *v);  /* it re-examines work and events soon, wherever it runs */
void schedule(void);             /* give the CPU away; returns when chosen again */
void vcpu_block(void);           /* current vCPU, unless an event is deliverable */
/* In guest-sized loops, without locks: takes pending interrupts, gives the CPU away if its time is over. */
void preempt_point(void);
/* Sleeps until woken, unless ready(arg) is true before or after the vCPU counts as blocked. */
void vcpu_sleep(bool (*ready)(const void *arg), const void *arg);
void vcpu_up(struct vcpu *v);   /* may run from now on (VCPUOP_up) */
void vcpu_down(struct vcpu *v); /* stops at its next way out to the guest */
void vcpu_release(struct vcpu *v); /* runs again after a stop, if nothing else stands against it */
void vcpu_timers_init(struct vcpu *v);
void runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);

/* Called on the exit path (x86/trap.c), with the guest's address space loaded: writes the registered runstate area. */
void runstate_publish(struct vcpu *v);
void sched_init_cpu(struct percpu *c); /* makes the idle vCPU that the caller runs on from now */
noreturn void idle_loop(void);

/* Events to guests (dom/event.c). */
int evtchn_domain_init(struct domain *d);
void evtchn_limit(struct domain *d, uint32_t max_port); /* the highest that it may open; before it has any */
/* End of a dying domain: closes its ports and its peers' connections to it; may be preempted. The table itself goes when
 * nobody can find the domain any more. */
void evtchn_domain_close(struct domain *d);
void evtchn_domain_free(struct domain *d);
/* Is that bit of the shared page set? For SCHEDOP_poll. Valid ports are below EVTCHN_2L_NR_CHANNELS. */
bool evtchn_port_pending(const struct domain *d, uint64_t port);
/* vcpu_info was moved: whatever may be pending is announced again. */
void evtchn_info_moved(struct vcpu *v);
static always_inline bool event_deliverable(const struct vcpu *v)
{
    const struct vcpu_info *i = v->info;
    return READ_ONCE(i->evtchn_upcall_pending) && !READ_ONCE(i->evtchn_upcall_mask);
}
void send_virq(struct vcpu *v, unsigned virq);         /* per-vCPU VIRQ */
void send_global_virq(unsigned virq);                  /* to the hardware domain */
void send_pirq_event(struct domain *d, unsigned pirq); /* called from interrupt handlers */

/* Grants (dom/grant.c). */
int grant_domain_init(struct domain *d);
/* Frame `index` of d's table, to which the table grows; for XENMEM_acquire_resource. -XEN_EINVAL: beyond the limit. */
int grant_table_frame(struct domain *d, unsigned index, mfn_t *m);
/* End of a dying domain, when its vCPUs run no more and its page tables are gone: gives back what it had mapped of others'
 * grants; may be preempted. Its own table stays for those who map its grants, and with it the struct domain: it may be
 * freed when the domain is idle and nobody can find it any more. */
void grant_domain_release(struct domain *d);
bool grant_domain_idle(struct domain *d); /* none of its grants is in use, nor its table mapped */
void grant_domain_free(struct domain *d);

#endif
