/* SPDX-License-Identifier: MIT */
/* Control operations on vCPUs, and the bitmaps in which tools name CPUs. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/print.h>

#include "control.h"
#include "vcpu_op.h"

/* Tools make them in a step of its own. */
int control_max_vcpus(struct domain *d, struct xen_domctl *op)
{
    if (op->u.max_vcpus.max != d->max_vcpus)
        return refuse(-XEN_EINVAL, "%u vCPUs for domain %u, which was created for %u",
                      op->u.max_vcpus.max, d->id, d->max_vcpus);
    for (unsigned i = 0; i < d->max_vcpus; i++) {
        if (!d->vcpu[i] && !vcpu_create(d, i))
            return refuse(-XEN_ENOMEM, "no memory for vCPU %u of domain %u", i, d->id);
    }
    return 0;
}

int control_set_context(struct vcpu *v, struct xen_domctl *op)
{
    uint64_t from = op->u.vcpucontext.ctxt, flags;
    int rc;

    if (copy_from_guest(&flags, from + offsetof(struct vcpu_guest_context, flags), sizeof(flags)))
        return -XEN_EFAULT;
    rc = (int)vcpu_initialise(v, from);
    if (!rc && (flags & VGCF_online))
        vcpu_up(v);
    return rc;
}

int control_get_context(struct vcpu *v, struct xen_domctl *op)
{
    struct vcpu_guest_context *c;
    int rc;

    if (!v->initialised)
        return refuse(-XEN_ENODATA, "context of vCPU %u of domain %u, which has none yet", v->id,
                      v->domain->id);
    c = page_alloc(1);
    if (!c)
        return -XEN_ENOMEM;
    domain_pause(v->domain);
    vcpu_save_context(v, c);
    domain_unpause(v->domain);
    rc = put_guest(op->u.vcpucontext.ctxt, c);
    page_free(c, 1);
    return rc;
}

int control_vcpu_info(struct vcpu *v, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
    struct vcpu_runstate_info r;

    runstate_get(v, &r);
    info->online = v->online;
    info->blocked = r.state == RUNSTATE_blocked;
    info->running = r.state == RUNSTATE_running;
    info->cpu_time = r.time[RUNSTATE_running];
    info->cpu = v->pcpu->id;
    return 0;
}

int control_trigger(struct vcpu *v, struct xen_domctl *op)
{
    if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
        return refuse(-XEN_EOPNOTSUPP, "trigger %u: a paravirtual domain takes NMIs (0) only",
                      op->u.sendtrigger.trigger);
    vcpu_set_work(v, WORK_NMI);
    vcpu_kick(v);
    return 0;
}

/* ---- Affinity: a vCPU keeps to its CPU, so maps that have it are fine. ---- */

int bitmap_test(const struct xenctl_bitmap *map, unsigned n)
{
    uint8_t byte;

    if (n >= map->nr_bits)
        return 0;
    if (get_guest(&byte, map->bitmap + n / 8))
        return -XEN_EFAULT;
    return byte >> n % 8 & 1;
}

int bitmap_export(const struct xenctl_bitmap *map, unsigned count)
{
    for (unsigned n = 0; n < map->nr_bits; n += 8) {
        uint8_t byte = n + 8 <= count ? 0xff : n < count ? (uint8_t)((1u << (count - n)) - 1) : 0;

        if (n + 8 > map->nr_bits)
            byte &= (uint8_t)((1u << (map->nr_bits - n)) - 1);
        if (put_guest(map->bitmap + n / 8, &byte))
            return -XEN_EFAULT;
        if (n % 4096 == 4088)
            preempt_point();
    }
    return 0;
}

int control_get_affinity(struct vcpu *v, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    int rc = 0;

    if (a->flags & XEN_VCPUAFFINITY_HARD)
        rc = bitmap_export(&a->cpumap_hard, cpu_count);
    if (!rc && (a->flags & XEN_VCPUAFFINITY_SOFT))
        rc = bitmap_export(&a->cpumap_soft, cpu_count);
    return rc;
}

int control_set_affinity(struct vcpu *v, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    int in = 1;

    if (a->flags & XEN_VCPUAFFINITY_HARD)
        in = bitmap_test(&a->cpumap_hard, v->pcpu->id);
    if (in < 0)
        return in;
    if (!in)
        return refuse(-XEN_EINVAL,
                      "vCPU %u of domain %u away from CPU %u: vCPUs do not move between CPUs",
                      v->id, v->domain->id, v->pcpu->id);
    return control_get_affinity(v, op);
}
