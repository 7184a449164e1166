/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_domctl: the hardware domain's tools make, watch, steer and end domains. A table of
 * operations; those on domains as such are here. */
#include <string.h>

#include <hv/access.h>
#include <hv/hypercall.h>

#include "../x86/cpu_policy.h"
#include "control.h"
#include "grant.h"
#include "sched.h"

/* ---- Life. ---- */

static int check_config(const struct xen_domctl_createdomain *c)
{
    unsigned version = XEN_DOMCTL_GRANT_version(c->grant_opts);

    if (c->flags & ~XEN_DOMCTL_CDF_xs_domain)
        return refuse(-XEN_EINVAL,
                      "a domain with flags 0x%x: only paravirtual ones can be made here, without "
                      "IOMMU, nesting and vPMU",
                      c->flags);
    if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS)
        return refuse(-XEN_EINVAL, "a domain of %u vCPUs; it can have 1 to %d", c->max_vcpus,
                      MAX_VCPUS);
    if (version != 1)
        return refuse(-XEN_EINVAL, "a domain with grant tables of version %u; 1 exists here",
                      version);
    if (c->vmtrace_size || c->cpupool_id || c->iommu_opts || c->arch.emulation_flags)
        return refuse(-XEN_EINVAL,
                      "a domain in CPU pool %u, with trace buffers of %u bytes, IOMMU options 0x%x "
                      "and emulated devices 0x%x: there are none of these, but pool 0",
                      c->cpupool_id, c->vmtrace_size, c->iommu_opts, c->arch.emulation_flags);
    return 0;
}

static int create(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    bool chosen = op->domain && op->domain < DOMID_FIRST_RESERVED;
    int rc = check_config(c);

    if (rc)
        return rc;
    if (chosen && domain_by_id(op->domain))
        return refuse(-XEN_EEXIST, "domain %u exists already", op->domain);
    d = domain_create(chosen ? op->domain : domain_free_id(), c->max_vcpus, false);
    if (!d)
        return refuse(-XEN_ENOMEM, "a domain more: no memory for it, or its number is taken");
    memcpy(d->handle, c->handle, sizeof(d->handle));
    d->serves_store = c->flags & XEN_DOMCTL_CDF_xs_domain;
    evtchn_limit(d, c->max_evtchn_port);
    if (c->max_grant_frames >= 0)
        grant_limit(d, (unsigned)c->max_grant_frames);
    op->domain = d->id;
    return 0;
}

static int destroy(struct domain *d, struct xen_domctl *op)
{
    domain_destroy(d);
    return 0;
}

static int pause(struct domain *d, struct xen_domctl *op)
{
    domain_pause(d);
    return 0;
}

static int unpause(struct domain *d, struct xen_domctl *op)
{
    if (!READ_ONCE(d->pause_count))
        return refuse(-XEN_EINVAL, "unpause of domain %u, which is not paused", d->id);
    for_each_vcpu (d, v) /* builders clear the shared page */
        time_publish(v);
    wallclock_publish(d);
    domain_unpause(d);
    return 0;
}

/* After a suspension that was called off. */
static int resume(struct domain *d, struct xen_domctl *op)
{
    if (d->crashed || !READ_ONCE(d->shut_down))
        return refuse(-XEN_EINVAL, "resume of domain %u, which %s", d->id,
                      d->crashed ? "crashed" : "has not shut down");
    domain_pause(d);
    d->shutdown_code = SHUTDOWN_CODE_NONE;
    __atomic_store_n(&d->shut_down, false, __ATOMIC_SEQ_CST);
    domain_unpause(d);
    return 0;
}

/* ---- Telling. ---- */

static uint64_t domain_cpu_time(struct domain *d)
{
    struct vcpu_runstate_info r;
    uint64_t sum = 0;

    for_each_vcpu(d, v) {
        runstate_get(v, &r);
        sum += r.time[RUNSTATE_running];
    }
    return sum;
}

void control_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    unsigned running = 0, blocked = 0, online = 0, last = 0;

    for_each_vcpu(d, v) {
        online += v->online;
        blocked += v->online && v->state == VCPU_BLOCKED;
        running += v->online && v->state == VCPU_RUNNING;
        last = v->id;
    }
    memset(info, 0, sizeof(*info));
    info->domain = d->id;
    info->flags = (d->dying ? XEN_DOMINF_dying : 0) | (d->shut_down ? XEN_DOMINF_shutdown : 0) |
                  (d->pause_count ? XEN_DOMINF_paused : 0) |
                  (blocked && blocked == online ? XEN_DOMINF_blocked : 0) |
                  (running ? XEN_DOMINF_running : 0) |
                  (d->serves_store ? XEN_DOMINF_xs_domain : 0) |
                  (d->shut_down ? (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift : 0);
    info->tot_pages = d->tot_pages;
    info->max_pages = d->max_pages;
    info->shared_info_frame = d->shared_mfn.n;
    info->cpu_time = domain_cpu_time(d);
    info->nr_online_vcpus = online;
    info->max_vcpu_id = d->vcpu[0] ? last : ~0u;
    memcpy(info->handle, d->handle, sizeof(info->handle));
}

/* Of the domain named or, so that tools can go through them, the next one. */
static int get_info(struct domain *d, struct xen_domctl *op)
{
    for_each_domain(each) {
        if (!d && each->id >= op->domain)
            d = each;
    }
    if (!d)
        return -XEN_ESRCH;
    control_info(d, &op->u.getdomaininfo);
    op->domain = d->id;
    return 0;
}

static int set_handle(struct domain *d, struct xen_domctl *op)
{
    memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
    return 0;
}

/* ---- Time and share of the CPU. ---- */

static int set_time_offset(struct domain *d, struct xen_domctl *op)
{
    d->time_offset = op->u.settimeoffset.time_offset_seconds;
    wallclock_publish(d);
    return 0;
}

/* The TSC is never emulated: "as the hypervisor likes" is that. */
static int set_tsc(struct domain *d, struct xen_domctl *op)
{
    uint32_t mode = op->u.tsc_info.tsc_mode;

    if (mode == 0 || mode == 2)
        return 0;
    return refuse(-XEN_EOPNOTSUPP, "TSC mode %u for domain %u: the TSC is not emulated here", mode,
                  d->id);
}

static int get_tsc(struct domain *d, struct xen_domctl *op)
{
    op->u.tsc_info = (struct xen_domctl_tsc_info){
        .tsc_mode = 2, .gtsc_khz = time_scale.tsc_khz, .elapsed_nsec = now_ns()};
    return 0;
}

static int scheduler(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
    unsigned weight = s->u.credit.weight, cap = s->u.credit.cap;

    if (s->sched_id != XEN_SCHEDULER_CREDIT || s->cmd > XEN_DOMCTL_SCHEDOP_getinfo)
        return refuse(-XEN_EINVAL,
                      "scheduler %u, command %u: here is number %d, with weights and "
                      "caps of domains",
                      s->sched_id, s->cmd, XEN_SCHEDULER_CREDIT);
    if (s->cmd == XEN_DOMCTL_SCHEDOP_putinfo)
        sched_share_set(d, weight ? weight : d->weight, cap != 0xffff ? cap : d->cap);
    s->u.credit = (struct xen_domctl_sched_credit){d->weight, d->cap};
    return 0;
}

/* ---- What is fixed here. ---- */

static int set_width(struct domain *d, struct xen_domctl *op)
{
    if (op->u.address_size.size == 64)
        return 0;
    return refuse(-XEN_EINVAL, "domain %u of %u bits: guests have 64", d->id,
                  op->u.address_size.size);
}

static int get_width(struct domain *d, struct xen_domctl *op)
{
    op->u.address_size.size = 64;
    return 0;
}

static int set_nodes(struct domain *d, struct xen_domctl *op)
{
    int in = bitmap_test(&op->u.nodeaffinity.nodemap, 0);

    return in > 0 ? 0
           : in   ? in
                  : refuse(-XEN_EINVAL, "memory of domain %u on other nodes than 0, the only one",
                           d->id);
}

static int get_nodes(struct domain *d, struct xen_domctl *op)
{
    return bitmap_export(&op->u.nodeaffinity.nodemap, 1);
}

static int assign_device(struct domain *d, struct xen_domctl *op)
{
    return refuse(-XEN_EOPNOTSUPP, "a device, or its registers or interrupt, for domain %u: all are the hardware domain's",
                  d->id);
}

/* Devices are the hardware domain's: taking away what nobody has succeeds. */
static int permit(struct domain *d, struct xen_domctl *op)
{
    bool allow = op->cmd == XEN_DOMCTL_irq_permission     ? op->u.irq_permission.allow_access
                 : op->cmd == XEN_DOMCTL_iomem_permission ? op->u.iomem_permission.allow_access
                                                          : op->u.ioport_permission.allow_access;

    return allow ? assign_device(d, op) : 0;
}

static int shadow(struct domain *d, struct xen_domctl *op)
{
    return refuse(-XEN_EOPNOTSUPP, "shadow page tables for domain %u: there are none", d->id);
}

/* ---- CPU policy. ---- */

static int get_policy(struct domain *d, struct xen_domctl *op)
{
    const struct cpu_view view = {.d = d};

    op->u.cpu_policy.nr_msrs = 0;
    return cpu_policy_export(&view, op->u.cpu_policy.leaves, &op->u.cpu_policy.nr_leaves);
}

static int set_policy(struct domain *d, struct xen_domctl *op)
{
    return cpu_policy_import(d, op->u.cpu_policy.leaves, op->u.cpu_policy.nr_leaves);
}

/* ---- The call. ---- */

#define OTHERS 1 /* a domain other than the caller's, and alive */
#define LIVING 2 /* or the caller's */
#define ANY    3 /* or a dying one */

#define ON_VCPU(fn, member, subject, replies)                                                      \
    {                                                                                              \
        NULL, subject, replies, fn, offsetof(struct xen_domctl, u.member.vcpu)                     \
    }

static const struct {
    control_fn *fn;
    uint8_t subject; /* 0: none, or the operation looks for it */
    bool replies;
    control_vcpu_fn *vcpu_fn; /* in the place of fn */
    uint16_t vcpu_at;         /* where the argument holds its number */
} ops[] = {
    [XEN_DOMCTL_createdomain] = {create, 0, true},
    [XEN_DOMCTL_destroydomain] = {destroy, ANY, false},
    [XEN_DOMCTL_pausedomain] = {pause, OTHERS, false},
    [XEN_DOMCTL_unpausedomain] = {unpause, OTHERS, false},
    [XEN_DOMCTL_getdomaininfo] = {get_info, 0, true},
    [XEN_DOMCTL_setvcpuaffinity] = ON_VCPU(control_set_affinity, vcpuaffinity, LIVING, true),
    [XEN_DOMCTL_shadow_op] = {shadow, LIVING, false},
    [XEN_DOMCTL_max_mem] = {control_max_mem, LIVING, false},
    [XEN_DOMCTL_setvcpucontext] = ON_VCPU(control_set_context, vcpucontext, OTHERS, false),
    [XEN_DOMCTL_getvcpucontext] = ON_VCPU(control_get_context, vcpucontext, OTHERS, false),
    [XEN_DOMCTL_getvcpuinfo] = ON_VCPU(control_vcpu_info, getvcpuinfo, ANY, true),
    [XEN_DOMCTL_max_vcpus] = {control_max_vcpus, OTHERS, false},
    [XEN_DOMCTL_scheduler_op] = {scheduler, LIVING, true},
    [XEN_DOMCTL_setdomainhandle] = {set_handle, LIVING, false},
    [XEN_DOMCTL_irq_permission] = {permit, LIVING, false},
    [XEN_DOMCTL_iomem_permission] = {permit, LIVING, false},
    [XEN_DOMCTL_ioport_permission] = {permit, LIVING, false},
    [XEN_DOMCTL_hypercall_init] = {control_hypercall_page, LIVING, false},
    [XEN_DOMCTL_settimeoffset] = {set_time_offset, LIVING, false},
    [XEN_DOMCTL_getvcpuaffinity] = ON_VCPU(control_get_affinity, vcpuaffinity, LIVING, false),
    [XEN_DOMCTL_resumedomain] = {resume, OTHERS, false},
    [XEN_DOMCTL_sendtrigger] = ON_VCPU(control_trigger, sendtrigger, LIVING, false),
    [XEN_DOMCTL_set_address_size] = {set_width, LIVING, false},
    [XEN_DOMCTL_get_address_size] = {get_width, LIVING, true},
    [XEN_DOMCTL_assign_device] = {assign_device, LIVING, false},
    [XEN_DOMCTL_gettscinfo] = {get_tsc, LIVING, true},
    [XEN_DOMCTL_settscinfo] = {set_tsc, LIVING, false},
    [XEN_DOMCTL_getpageframeinfo3] = {control_frame_types, LIVING, false},
    [XEN_DOMCTL_setnodeaffinity] = {set_nodes, LIVING, false},
    [XEN_DOMCTL_getnodeaffinity] = {get_nodes, LIVING, false},
    [XEN_DOMCTL_get_cpu_policy] = {get_policy, LIVING, true},
    [XEN_DOMCTL_set_cpu_policy] = {set_policy, OTHERS, false},
};

static int find_subject(const struct xen_domctl *op, struct domain **d)
{
    unsigned subject = ops[op->cmd].subject;

    *d = domain_by_id(op->domain);
    if (!subject)
        return 0;
    if (!*d)
        return refuse(-XEN_ESRCH, "domctl %u on domain %u: there is none of that number", op->cmd,
                      op->domain);
    if (subject != ANY && (*d)->dying)
        return refuse(-XEN_ESRCH, "domctl %u on domain %u, which is dying", op->cmd, op->domain);
    if ((subject == OTHERS || op->cmd == XEN_DOMCTL_destroydomain) && (*d)->is_hardware)
        return refuse(-XEN_EINVAL, "domctl %u on the hardware domain itself", op->cmd);
    return 0;
}

static int dispatch(struct domain *d, struct xen_domctl *op)
{
    const uint32_t *id = (const uint32_t *)((const char *)op + ops[op->cmd].vcpu_at);
    struct vcpu *v;

    if (ops[op->cmd].fn)
        return ops[op->cmd].fn(d, op);
    v = domain_vcpu(d, *id);
    if (!v)
        return refuse(-XEN_ESRCH, "vCPU %u of domain %u: there is none of that number", *id, d->id);
    return ops[op->cmd].vcpu_fn(v, op);
}

long do_domctl(uint64_t arg)
{
    struct xen_domctl op;
    struct domain *d;
    int rc;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return refuse(-XEN_EACCES, "domctl interface 0x%x; 0x%x is spoken here",
                      op.interface_version, XEN_DOMCTL_INTERFACE_VERSION);
    domains_bury();
    if (op.cmd >= ARRAY_SIZE(ops) || (!ops[op.cmd].fn && !ops[op.cmd].vcpu_fn))
        return refuse(-XEN_ENOSYS, "domctl %u, which does not exist here", op.cmd);
    rc = find_subject(&op, &d);
    if (!rc)
        rc = dispatch(d, &op);
    if (!rc && ops[op.cmd].replies && put_guest(arg, &op))
        rc = -XEN_EFAULT;
    return rc;
}
