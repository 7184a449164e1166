/* SPDX-License-Identifier: MIT */
/* What a guest kernel registers about itself: trap table, callbacks, kernel stack, TS. */
#include <string.h>

#include <hv/access.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/callback.h>
#include <pvabi/nmi.h>
#include "context.h"
#include "trap.h"

/* The table goes on until an entry without address; what it does not mention stays. */
long do_set_trap_table(uint64_t table)
{
    struct vcpu *v = current;
    struct trap_info t;

    if (!table) {
        memset(v->trap, 0, sizeof(v->trap));
        return 0;
    }
    for (unsigned n = 0; n <= ARRAY_SIZE(v->trap); n++, table += sizeof(t)) {
        if (get_guest(&t, table))
            return refuse(-XEN_EFAULT,
                          "entry %u, at %#lx, cannot be read; the table ends with an entry whose address is 0", n,
                          table);
        if (!t.address)
            return 0;
        if (!canonical(t.address))
            return refuse(-XEN_EINVAL, "entry %u (vector %u): handler %#lx is not a canonical address", n, t.vector,
                          t.address);
        v->trap[t.vector] = t;
    }
    return refuse(-XEN_EINVAL, "more than %zu entries; the table ends with an entry whose address is 0", ARRAY_SIZE(v->trap));
}

long do_stack_switch(uint64_t ss, uint64_t sp)
{
    struct vcpu *v = current;

    v->kernel_ss = (uint16_t)ss | 3;
    v->kernel_sp = sp;
    return 0;
}

static long register_callback(struct vcpu *v, unsigned type, uint64_t address, bool mask)
{
    if (!canonical(address))
        return refuse(-XEN_EINVAL, "callback of type %u at %#lx, which is not a canonical address", type, address);
    switch (type) {
    case CALLBACKTYPE_event:
        v->event_entry = address; /* always entered with events masked */
        return 0;
    case CALLBACKTYPE_failsafe:
        v->failsafe_entry = address;
        v->failsafe_masks = mask;
        return 0;
    case CALLBACKTYPE_syscall:
        v->syscall_entry = address;
        v->syscall_masks = mask;
        return 0;
    case CALLBACKTYPE_syscall32:
        v->syscall32_entry = address;
        v->syscall32_masks = mask;
        return 0;
    case CALLBACKTYPE_nmi:
        v->trap[VEC_NMI] = (struct trap_info){.vector = VEC_NMI, .flags = 4, .cs = SEL_GUEST_CS64, .address = address};
        return 0;
    default:
        return -XEN_ENOSYS; /* SYSENTER among them: the processor is not set up for it */
    }
}

long do_callback_op(uint64_t cmd, uint64_t arg)
{
    struct vcpu *v = current;
    struct callback_register reg;
    struct callback_unregister unreg;

    switch (cmd) {
    case CALLBACKOP_register:
        if (get_guest(&reg, arg))
            return -XEN_EFAULT;
        return register_callback(v, reg.type, reg.address, reg.flags & CALLBACKF_mask_events);
    case CALLBACKOP_unregister:
        if (get_guest(&unreg, arg))
            return -XEN_EFAULT;
        if (unreg.type == CALLBACKTYPE_nmi) {
            memset(&v->trap[VEC_NMI], 0, sizeof(v->trap[VEC_NMI]));
            return 0;
        }
        return refuse(-XEN_EINVAL, "callback of type %u cannot be unregistered: a kernel could not go on without it",
                      unreg.type);
    default:
        return -XEN_ENOSYS;
    }
}

long do_set_callbacks(uint64_t event, uint64_t failsafe, uint64_t syscall)
{
    struct vcpu *v = current;
    long rc = register_callback(v, CALLBACKTYPE_event, event, false);

    if (!rc && failsafe)
        rc = register_callback(v, CALLBACKTYPE_failsafe, failsafe, false);
    if (!rc && syscall)
        rc = register_callback(v, CALLBACKTYPE_syscall, syscall, false);
    return rc;
}

long do_nmi_op(uint64_t cmd, uint64_t arg)
{
    struct xennmi_callback cb;

    switch (cmd) {
    case XENNMI_register_callback:
        if (get_guest(&cb, arg))
            return -XEN_EFAULT;
        return register_callback(current, CALLBACKTYPE_nmi, cb.handler_address, true);
    case XENNMI_unregister_callback:
        memset(&current->trap[VEC_NMI], 0, sizeof(current->trap[VEC_NMI]));
        return 0;
    default:
        return -XEN_ENOSYS;
    }
}

long do_fpu_taskswitch(uint64_t set)
{
    current->cr0_ts = set;
    if (set)
        write_cr0(read_cr0() | CR0_TS);
    else
        __asm__ volatile("clts");
    return 0;
}
