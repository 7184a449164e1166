/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_vcpu_op: a domain's vCPUs, each other's and their own. */
#include <string.h>

#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/dev.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <pvabi/sched.h>

#include "vcpu_op.h"

typedef long vcpu_op_fn(struct vcpu *v, uint64_t arg);

/* One caller only gets to fill in the context, and nobody may start it before that is done. */
static bool begin_context(struct vcpu *v)
{
    bool ok;

    lock(&v->domain->life);
    ok = !v->initialised && !v->initialising;
    v->initialising = v->initialising || ok;
    unlock(&v->domain->life);
    return ok;
}

static void end_context(struct vcpu *v, bool done)
{
    lock(&v->domain->life);
    v->initialising = false;
    v->initialised = done;
    unlock(&v->domain->life);
}

long vcpu_initialise(struct vcpu *v, uint64_t arg)
{
    struct vcpu_guest_context *c = page_alloc(1);
    long rc;

    if (!c)
        return -XEN_ENOMEM;
    rc = get_guest(c, arg);
    if (!rc && !begin_context(v)) {
        rc = refuse(-XEN_EEXIST, "vCPU %u has its context already", v->id);
    } else if (!rc) {
        rc = vcpu_load_context(v, c);
        end_context(v, !rc);
    }
    page_free(c, 1);
    return rc;
}
_Static_assert(sizeof(struct vcpu_guest_context) <= 2 * PAGE_SIZE, "two pages hold a context");

static long op_up(struct vcpu *v, uint64_t arg)
{
    if (!v->initialised)
        return refuse(-XEN_EINVAL, "vCPU %u cannot go up: VCPUOP_initialise comes first", v->id);
    vcpu_up(v);
    return 0;
}

static long op_down(struct vcpu *v, uint64_t arg)
{
    bool last = true;

    for_each_vcpu(v->domain, other)
        last = last && (other == v || !other->online);
    if (last) /* nobody is left who could bring one up again */
        domain_shutdown(v->domain, SHUTDOWN_poweroff);
    else
        vcpu_down(v);
    return 0;
}

static long op_is_up(struct vcpu *v, uint64_t arg)
{
    return v->online;
}

static long op_get_runstate(struct vcpu *v, uint64_t arg)
{
    struct vcpu_runstate_info info;

    runstate_get(v, &info);
    return put_guest(arg, &info);
}

/* Lock: the domain's life. */
static int move_info(struct vcpu *v, uint64_t n, uint32_t offset)
{
    struct vcpu_info *new;

    if (v->info_mfn.n != INVALID_MFN.n)
        return refuse(-XEN_EINVAL, "vCPU %u has its vcpu_info in frame 0x%lx; it moves only once",
                      v->id, v->info_mfn.n);
    if (v != current && v->online)
        return refuse(-XEN_EINVAL, "vCPU %u runs: it can move its vcpu_info only itself", v->id);
    if (!mfn_valid(mfn(n)) || frame_get_writable(mfn_frame(mfn(n)), v->domain))
        return refuse(-XEN_EINVAL,
                      "vcpu_info in frame 0x%lx, which is not a writable frame of domain %u", n,
                      v->domain->id);
    new = (struct vcpu_info *)((char *)mfn_va(mfn(n)) + offset);
    memcpy(new, v->info, sizeof(*new));
    v->info_mfn = mfn(n);
    __atomic_store_n(&v->info, new, __ATOMIC_SEQ_CST);
    return 0;
}

static long op_register_info(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_vcpu_info op;
    int rc;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.offset % 8 || op.offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return refuse(-XEN_EINVAL,
                      "vcpu_info at offset 0x%x: it must be 8-byte aligned and end within the page",
                      op.offset);
    lock(&v->domain->life);
    rc = move_info(v, op.mfn, op.offset);
    unlock(&v->domain->life);
    if (rc)
        return rc;
    time_publish(v);
    evtchn_info_moved(v); /* events may have been announced in the old place meanwhile */
    return 0;
}

static long op_register_time(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_time_memory_area op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (!guest_range_ok(op.addr.p, sizeof(struct vcpu_time_info)))
        return refuse(-XEN_EFAULT, "a time area at 0x%lx, which is not the guest's", op.addr.p);
    v->time_area_va = op.addr.p;
    time_publish(v);
    return 0;
}

static long op_send_nmi(struct vcpu *v, uint64_t arg)
{
    vcpu_set_work(v, WORK_NMI);
    vcpu_kick(v);
    return 0;
}

static long op_get_physid(struct vcpu *v, uint64_t arg)
{
    uint32_t apic_id = v->pcpu->apic_id;
    struct vcpu_get_physid id = {.phys_id = (uint64_t)firmware_acpi_id(apic_id) << 32 | apic_id};

    if (!v->domain->is_hardware)
        return -XEN_EINVAL;
    return put_guest(arg, &id);
}

static const struct {
    vcpu_op_fn *fn;
    bool own; /* a vCPU does it to itself only */
} ops[] = {
    [VCPUOP_initialise] = {vcpu_initialise, false},
    [VCPUOP_up] = {op_up, false},
    [VCPUOP_down] = {op_down, false},
    [VCPUOP_is_up] = {op_is_up, false},
    [VCPUOP_get_runstate_info] = {op_get_runstate, false},
    [VCPUOP_register_runstate_memory_area] = {vcpu_register_runstate, false},
    [VCPUOP_set_periodic_timer] = {vcpu_set_periodic, false},
    [VCPUOP_stop_periodic_timer] = {vcpu_stop_periodic, false},
    [VCPUOP_set_singleshot_timer] = {vcpu_set_singleshot, true},
    [VCPUOP_stop_singleshot_timer] = {vcpu_stop_singleshot, true},
    [VCPUOP_register_vcpu_info] = {op_register_info, false},
    [VCPUOP_send_nmi] = {op_send_nmi, false},
    [VCPUOP_get_physid] = {op_get_physid, false},
    [VCPUOP_register_vcpu_time_memory_area] = {op_register_time, true},
};

long do_vcpu_op(uint64_t cmd, uint64_t vcpu_id, uint64_t arg)
{
    struct vcpu *v = domain_vcpu(current->domain, vcpu_id);

    if (!v) /* Linux finds out in this way how many there are */
        return -XEN_ENOENT;
    if (cmd >= ARRAY_SIZE(ops))
        return -XEN_ENOSYS;
    if (ops[cmd].own && v != current)
        return refuse(-XEN_EINVAL, "vcpu_op %lu on vCPU %lu, which only that vCPU can make", cmd,
                      vcpu_id);
    return ops[cmd].fn(v, arg);
}
