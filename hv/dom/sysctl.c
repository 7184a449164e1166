/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sysctl: the machine as a whole, for the hardware domain's tools. */
#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/sysctl.h>

#include "../x86/cpu_policy.h"
#include "control.h"
#include "sched.h"

#define PIECE 128

/* The reply is stored in the argument. 0 or a negative error. */
typedef int sysctl_fn(struct xen_sysctl *op);

/* ---- The log. ---- */

static int read_console(struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *r = &op->u.readconsole;
    uint32_t index = r->incremental ? r->index : log_start(), done = 0;
    char piece[PIECE];
    size_t n;

    while (done < r->count && (n = log_read(&index, piece, MIN(r->count - done, PIECE))) > 0) {
        if (copy_to_guest(r->buffer + done, piece, n))
            return -XEN_EFAULT;
        done += (uint32_t)n;
        preempt_point();
    }
    if (r->clear)
        log_clear(index);
    r->index = index;
    r->count = done;
    return 0;
}

static int debug_keys(struct xen_sysctl *op)
{
    const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;
    char key;

    for (uint32_t i = 0; i < k->nr_keys; i++) {
        if (get_guest(&key, k->keys + i))
            return -XEN_EFAULT;
        debug_key(key);
        preempt_point();
    }
    return 0;
}

/* ---- The machine. ---- */

static int physinfo(struct xen_sysctl *op)
{
    op->u.physinfo = (struct xen_sysctl_physinfo){
        .threads_per_core = 1,
        .cores_per_socket = cpu_count,
        .nr_cpus = cpu_count,
        .max_cpu_id = cpu_count - 1,
        .nr_nodes = 1,
        .max_node_id = 0,
        .cpu_khz = time_scale.tsc_khz,
        .capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1,
        .total_pages = heap_total_frames(),
        .free_pages = heap_free_frames(),
        .max_mfn = frame_max - 1,
        .hw_cap = {[0] = cpuid_host.basic[1].d, [1] = cpuid_host.ext[1].d, [4] = cpuid_host.basic[1].c,
                   [6] = cpuid_host.ext[1].c},
    };
    return 0;
}

static int free_heap(struct xen_sysctl *op)
{
    struct xen_sysctl_availheap *a = &op->u.availheap;

    if (a->min_bitwidth || a->max_bitwidth)
        return refuse(-XEN_EOPNOTSUPP,
                      "free memory between 2^%u and 2^%u: only the whole is counted",
                      a->min_bitwidth, a->max_bitwidth);
    a->avail_bytes = heap_free_frames() << PAGE_SHIFT;
    return 0;
}

static int cpu_times(struct xen_sysctl *op)
{
    struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;

    g->nr_cpus = MIN(g->max_cpus, cpu_count);
    for (unsigned i = 0; i < g->nr_cpus; i++) {
        struct vcpu_runstate_info r;
        struct xen_sysctl_cpuinfo info;

        runstate_get(percpu_of[i]->idle, &r);
        info.idletime = r.time[RUNSTATE_running];
        if (put_guest(g->info + i * sizeof(info), &info))
            return -XEN_EFAULT;
    }
    return 0;
}

static int cpu_topology(struct xen_sysctl *op)
{
    struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
    unsigned n = t->cputopo ? MIN(t->num_cpus, cpu_count) : cpu_count;

    for (unsigned i = 0; t->cputopo && i < n; i++) {
        struct xen_sysctl_cputopo cpu = {.core = i};

        if (put_guest(t->cputopo + i * sizeof(cpu), &cpu))
            return -XEN_EFAULT;
    }
    t->num_cpus = n;
    return 0;
}

/* One node. */
static int nodes(struct xen_sysctl *op)
{
    struct xen_sysctl_numainfo *n = &op->u.numainfo;
    struct xen_sysctl_meminfo memory = {.memsize = heap_total_frames() << PAGE_SHIFT,
                                        .memfree = heap_free_frames() << PAGE_SHIFT};
    const uint32_t near = 10; /* as ACPI counts */

    if (n->num_nodes && ((n->meminfo && put_guest(n->meminfo, &memory)) ||
                         (n->distance && put_guest(n->distance, &near))))
        return -XEN_EFAULT;
    n->num_nodes = 1;
    return 0;
}

/* ---- Scheduling: one scheduler, one pool of all CPUs. ---- */

static int scheduler_id(struct xen_sysctl *op)
{
    op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT;
    return 0;
}

static int scheduler(struct xen_sysctl *op)
{
    struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;

    if (s->cpupool_id || s->sched_id != XEN_SCHEDULER_CREDIT ||
        s->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
        return refuse(-XEN_EOPNOTSUPP,
                      "command %u for scheduler %u of pool %u: the parameters of scheduler %d of "
                      "pool 0 can be read",
                      s->cmd, s->sched_id, s->cpupool_id, XEN_SCHEDULER_CREDIT);
    s->u.sched_credit = (struct xen_sysctl_credit_schedule){.tslice_ms = SCHED_SLICE_MS};
    return 0;
}

static int cpu_pool(struct xen_sysctl *op)
{
    struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;

    switch (p->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        if (p->cpupool_id)
            return -XEN_ENOENT; /* so ends who asks for one after the other */
        p->sched_id = XEN_SCHEDULER_CREDIT;
        p->n_dom = 0;
        for_each_domain(d)
            p->n_dom++;
        return bitmap_export(&p->cpumap, cpu_count);
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
        return bitmap_export(&p->cpumap, 0);
    case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
        if (!p->cpupool_id)
            return 0;
        return refuse(-XEN_ENOENT, "domain %u to CPU pool %u: there is pool 0 only", p->domid,
                      p->cpupool_id);
    default:
        return refuse(-XEN_EOPNOTSUPP, "CPU pool operation %u: there is one pool, and it stays",
                      p->op);
    }
}

/* ---- Domains and policies. ---- */

static int list_domains(struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;

    l->num_domains = 0;
    for_each_domain(d) {
        struct xen_domctl_getdomaininfo info;

        if (d->id < l->first_domain || l->num_domains == l->max_domains)
            continue;
        control_info(d, &info);
        if (put_guest(l->buffer + l->num_domains * sizeof(info), &info))
            return -XEN_EFAULT;
        l->num_domains++;
    }
    return 0;
}

static int view_by_index(uint32_t index, struct cpu_view *view)
{
    *view = (struct cpu_view){.raw = index <= XEN_SYSCTL_cpu_policy_host};
    if (view->raw || index == XEN_SYSCTL_cpu_policy_pv_max ||
        index == XEN_SYSCTL_cpu_policy_pv_default)
        return 0;
    return -XEN_EOPNOTSUPP; /* as tools expect it of policies for hardware-virtualised guests */
}

/* Their numbers agree: raw 0, host 1, for PV guests 2 and 4. */
_Static_assert((int)XEN_SYSCTL_cpu_featureset_host == XEN_SYSCTL_cpu_policy_host &&
                   (int)XEN_SYSCTL_cpu_featureset_pv == XEN_SYSCTL_cpu_policy_pv_max &&
                   (int)XEN_SYSCTL_cpu_featureset_pv_max == XEN_SYSCTL_cpu_policy_pv_default,
               "one function for both");

static int feature_set(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
    struct cpu_view view;
    int rc = view_by_index(f->index, &view);
    uint32_t n = f->features ? MIN(f->nr_features, (uint32_t)CPU_FEATURE_WORDS) : 0;

    for (uint32_t i = 0; i < n && !rc; i++) {
        uint32_t word = cpu_feature_word(&view, i);

        rc = put_guest(f->features + i * sizeof(word), &word);
    }
    f->nr_features = f->features ? n : CPU_FEATURE_WORDS;
    return rc;
}

static int policy(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;
    struct cpu_view view;
    int rc = view_by_index(p->index, &view);

    p->nr_msrs = p->msrs ? 0 : POLICY_MSRS_MAX;
    if (!rc && p->leaves)
        return cpu_policy_export(&view, p->leaves, &p->nr_leaves);
    p->nr_leaves = POLICY_LEAVES_MAX;
    return rc;
}

static sysctl_fn *const ops[] = {
    [XEN_SYSCTL_readconsole] = read_console, [XEN_SYSCTL_physinfo] = physinfo,
    [XEN_SYSCTL_sched_id] = scheduler_id,    [XEN_SYSCTL_getdomaininfolist] = list_domains,
    [XEN_SYSCTL_debug_keys] = debug_keys,    [XEN_SYSCTL_getcpuinfo] = cpu_times,
    [XEN_SYSCTL_availheap] = free_heap,      [XEN_SYSCTL_cputopoinfo] = cpu_topology,
    [XEN_SYSCTL_numainfo] = nodes,           [XEN_SYSCTL_cpupool_op] = cpu_pool,
    [XEN_SYSCTL_scheduler_op] = scheduler,   [XEN_SYSCTL_get_cpu_featureset] = feature_set,
    [XEN_SYSCTL_get_cpu_policy] = policy,
};

long do_sysctl(uint64_t arg)
{
    struct xen_sysctl op;
    int rc;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return refuse(-XEN_EACCES, "sysctl interface 0x%x; 0x%x is spoken here",
                      op.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
    domains_bury();
    if (op.cmd >= ARRAY_SIZE(ops) || !ops[op.cmd])
        return refuse(-XEN_ENOSYS, "sysctl %u, which does not exist here", op.cmd);
    rc = ops[op.cmd](&op);
    return rc ? rc : put_guest(arg, &op);
}
