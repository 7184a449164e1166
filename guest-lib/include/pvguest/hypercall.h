/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: raw ones by SYSCALL (the number in RAX, arguments in RDI, RSI, RDX, R10, R8, result
 * in RAX; RCX and R11 are lost to the instruction) or through the hypercall page, and typed
 * wrappers. Argument registers are the hypervisor's to change, so all are outputs as well.
 */
#ifndef PVGUEST_HYPERCALL_H
#define PVGUEST_HYPERCALL_H

#include <pvguest/types.h>
#include <pvguest/abi.h>

/* 128 slots of 32 bytes, filled by whoever built the domain (ELF note HYPERCALL_PAGE). */
extern uint8_t pv_hypercall_page[PAGE_SIZE];

pv_inline long pv_hypercall5(unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                             uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    long ret = nr;

    __asm__ volatile("syscall"
                     : "+a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     :
                     : "rcx", "r11", "memory");
    return ret;
}

pv_inline long pv_hypercall4(unsigned nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 __asm__("r10") = d;
    long ret = nr;

    __asm__ volatile("syscall"
                     : "+a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return ret;
}

pv_inline long pv_hypercall3(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
    long ret = nr;

    __asm__ volatile("syscall" : "+a"(ret), "+D"(a), "+S"(b), "+d"(c)::"rcx", "r11", "memory");
    return ret;
}

pv_inline long pv_hypercall2(unsigned nr, uint64_t a, uint64_t b)
{
    long ret = nr;

    __asm__ volatile("syscall" : "+a"(ret), "+D"(a), "+S"(b)::"rcx", "r11", "memory");
    return ret;
}

pv_inline long pv_hypercall1(unsigned nr, uint64_t a)
{
    long ret = nr;

    __asm__ volatile("syscall" : "+a"(ret), "+D"(a)::"rcx", "r11", "memory");
    return ret;
}

/* The same by the page's entry; nr is a constant. */
#define PV_PAGE_HYPERCALL(nr, a, b, c, d)                                                          \
    ({                                                                                             \
        uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b), c_ = (uint64_t)(c);                       \
        register uint64_t d_ __asm__("r10") = (uint64_t)(d);                                       \
        long ret_;                                                                                 \
        __asm__ volatile("call pv_hypercall_page + %c5 * 32"                                       \
                         : "=a"(ret_), "+D"(a_), "+S"(b_), "+d"(c_), "+r"(d_)                      \
                         : "i"(nr)                                                                 \
                         : "rcx", "r11", "memory");                                                \
        ret_;                                                                                      \
    })

pv_inline long pv_xen_version(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_xen_version, cmd, (uint64_t)arg);
}

pv_inline long pv_mmu_update(const struct mmu_update *reqs, unsigned count, unsigned *done,
                             unsigned dom)
{
    return pv_hypercall4(__HYPERVISOR_mmu_update, (uint64_t)reqs, count, (uint64_t)done, dom);
}

pv_inline long pv_mmuext_op(const struct mmuext_op *ops, unsigned count, unsigned *done,
                            unsigned dom)
{
    return pv_hypercall4(__HYPERVISOR_mmuext_op, (uint64_t)ops, count, (uint64_t)done, dom);
}

pv_inline long pv_update_va_mapping(uint64_t va, uint64_t pte, uint64_t flags)
{
    return pv_hypercall3(__HYPERVISOR_update_va_mapping, va, pte, flags);
}

pv_inline long pv_set_gdt(const uint64_t *frames, unsigned entries)
{
    return pv_hypercall2(__HYPERVISOR_set_gdt, (uint64_t)frames, entries);
}

pv_inline long pv_update_descriptor(uint64_t maddr, uint64_t desc)
{
    return pv_hypercall2(__HYPERVISOR_update_descriptor, maddr, desc);
}

pv_inline long pv_set_trap_table(const struct trap_info *table)
{
    return pv_hypercall1(__HYPERVISOR_set_trap_table, (uint64_t)table);
}

pv_inline long pv_stack_switch(uint64_t ss, uint64_t sp)
{
    return pv_hypercall2(__HYPERVISOR_stack_switch, ss, sp);
}

pv_inline long pv_set_segment_base(unsigned which, uint64_t base)
{
    return pv_hypercall2(__HYPERVISOR_set_segment_base, which, base);
}

pv_inline long pv_fpu_taskswitch(bool set)
{
    return pv_hypercall1(__HYPERVISOR_fpu_taskswitch, set);
}

pv_inline long pv_set_debugreg(unsigned reg, uint64_t value)
{
    return pv_hypercall2(__HYPERVISOR_set_debugreg, reg, value);
}

pv_inline long pv_get_debugreg(unsigned reg)
{
    return pv_hypercall1(__HYPERVISOR_get_debugreg, reg);
}

pv_inline long pv_memory_op(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_memory_op, cmd, (uint64_t)arg);
}

pv_inline long pv_multicall(struct multicall_entry *calls, unsigned count)
{
    return pv_hypercall2(__HYPERVISOR_multicall, (uint64_t)calls, count);
}

pv_inline long pv_console_io(unsigned cmd, unsigned count, char *buf)
{
    return pv_hypercall3(__HYPERVISOR_console_io, cmd, count, (uint64_t)buf);
}

pv_inline long pv_grant_table_op(unsigned cmd, void *ops, unsigned count)
{
    return pv_hypercall3(__HYPERVISOR_grant_table_op, cmd, (uint64_t)ops, count);
}

pv_inline long pv_vm_assist(unsigned cmd, unsigned type)
{
    return pv_hypercall2(__HYPERVISOR_vm_assist, cmd, type);
}

pv_inline long pv_vcpu_op(unsigned cmd, unsigned vcpu, void *arg)
{
    return pv_hypercall3(__HYPERVISOR_vcpu_op, cmd, vcpu, (uint64_t)arg);
}

pv_inline long pv_sched_op(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_sched_op, cmd, (uint64_t)arg);
}

pv_inline long pv_set_timer_op(uint64_t deadline)
{
    return pv_hypercall1(__HYPERVISOR_set_timer_op, deadline);
}

pv_inline long pv_event_channel_op(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_event_channel_op, cmd, (uint64_t)arg);
}

pv_inline long pv_physdev_op(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_physdev_op, cmd, (uint64_t)arg);
}

pv_inline long pv_callback_op(unsigned cmd, void *arg)
{
    return pv_hypercall2(__HYPERVISOR_callback_op, cmd, (uint64_t)arg);
}

#endif
