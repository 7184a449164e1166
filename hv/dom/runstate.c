/* SPDX-License-Identifier: MIT */
/* The runstate area: a guest's own memory in which each vCPU finds how its time was spent. Only the
 * vCPU itself writes its area, on its way into the guest: then its address space is the one in
 * which the address was given. */
#include <hv/access.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/xen.h>

#include "vcpu_op.h"

#define AREA_SIZE      sizeof(struct vcpu_runstate_info)
#define AREA_AT(field) offsetof(struct vcpu_runstate_info, field)

/* The guest may be reading on another vCPU: the flag says so, and an entry time that changed. A
 * write that fails is the guest's business; the area stays as it is. */
static void write_area(const struct vcpu *v, uint64_t va)
{
    bool flag = v->domain->vm_assist & (1u << VMASST_TYPE_runstate_update_flag);
    uint64_t entry_time = v->state_since;

    if (flag && !guest_store64(va + AREA_AT(state_entry_time), entry_time | XEN_RUNSTATE_UPDATE))
        return;
    if (!guest_store64(va + AREA_AT(state), v->state))
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(v->state_time); i++) {
        if (!guest_store64(va + AREA_AT(time) + i * sizeof(uint64_t), v->state_time[i]))
            return;
    }
    guest_store64(va + AREA_AT(state_entry_time), entry_time);
}

void runstate_publish(struct vcpu *v)
{
    bool user_root = !v->kernel_mode && v->user_cr3 && v->user_cr3 != v->kernel_cr3;

    if (!v->runstate_va)
        return;
    if (user_root)
        write_cr3(v->kernel_cr3);
    write_area(v, v->runstate_va);
    if (user_root)
        write_cr3(v->user_cr3);
}

long vcpu_register_runstate(struct vcpu *v, uint64_t arg)
{
    struct vcpu_register_runstate_memory_area op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (!guest_range_ok(op.addr.p, AREA_SIZE))
        return refuse(-XEN_EFAULT, "a runstate area at 0x%lx, which is not the guest's", op.addr.p);
    v->runstate_va = op.addr.p;
    vcpu_set_work(v, WORK_RUNSTATE);
    return 0;
}
