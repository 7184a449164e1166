/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_multicall: many calls for the price of one way in and out. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <pvabi/xen.h>

#define ARGS_USED 5 /* as many as handlers take */
#define AT(field) offsetof(struct multicall_entry, field)

static bool load_entry(uint64_t entry, uint64_t *op, uint64_t args[ARGS_USED])
{
    if (!guest_load64(op, entry + AT(op)))
        return false;
#pragma GCC unroll 5
    for (unsigned i = 0; i < ARGS_USED; i++) {
        if (!guest_load64(&args[i], entry + AT(args) + i * 8))
            return false;
    }
    return true;
}

long do_multicall(uint64_t calls, uint64_t count)
{
    struct vcpu *v = current;
    struct guest_regs *r = vcpu_regs(v);
    uint64_t op, args[6] = {0};

    if (!guest_array_ok(calls, count, sizeof(struct multicall_entry)))
        return refuse(-XEN_EFAULT, "%lu calls at 0x%lx, which is not all guest memory", count,
                      calls);
    for (uint64_t i = 0; i < count; i++, calls += sizeof(struct multicall_entry)) {
        if (!load_entry(calls, &op, args))
            return refuse(-XEN_EFAULT, "call %lu of %lu cannot be read at 0x%lx", i, count, calls);
        r->rax = op; /* so that sentences name the call */
        if (!guest_store64(calls + AT(result), (uint64_t)hypercall_dispatch(op, args)))
            return refuse(-XEN_EFAULT, "the result of call %lu cannot be written at 0x%lx", i,
                          calls);
        if (unlikely(!((i + 1) & 15)))
            preempt_point();
        if (unlikely(READ_ONCE(
                v->domain->shut_down))) /* by the call itself; a pause waits for the rest */
            break;
    }
    return 0;
}
