/* SPDX-License-Identifier: MIT */
/* The one table of all hypercalls. entry.S jumps through hypercall_table, which is made of the same rows. */
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <pvabi/paravane.h>
#include <pvabi/xen.h>

long hypercall_iret(void); /* fast.S */
long hypercall_unknown(struct guest_regs *r);

/* X(number, handler): any guest may call it. P: the hardware domain alone. */
#define HYPERCALLS(X, P)                                                                           \
    X(set_trap_table, do_set_trap_table)                                                           \
    X(mmu_update, do_mmu_update)                                                                   \
    X(set_gdt, do_set_gdt)                                                                         \
    X(stack_switch, do_stack_switch)                                                               \
    X(set_callbacks, do_set_callbacks)                                                             \
    X(fpu_taskswitch, do_fpu_taskswitch)                                                           \
    X(sched_op_compat, do_sched_op_compat)                                                         \
    P(platform_op, do_platform_op)                                                                 \
    X(set_debugreg, do_set_debugreg)                                                               \
    X(get_debugreg, do_get_debugreg)                                                               \
    X(update_descriptor, do_update_descriptor)                                                     \
    X(memory_op, do_memory_op)                                                                     \
    X(multicall, do_multicall)                                                                     \
    X(update_va_mapping, do_update_va_mapping)                                                     \
    X(set_timer_op, do_set_timer_op)                                                               \
    X(event_channel_op_compat, do_event_channel_op_compat)                                         \
    X(xen_version, do_xen_version)                                                                 \
    X(console_io, do_console_io)                                                                   \
    X(physdev_op_compat, do_physdev_op_compat)                                                     \
    X(grant_table_op, do_grant_table_op)                                                           \
    X(vm_assist, do_vm_assist)                                                                     \
    P(update_va_mapping_otherdomain, do_update_va_mapping_otherdomain)                             \
    X(iret, hypercall_iret)                                                                        \
    X(vcpu_op, do_vcpu_op)                                                                         \
    X(set_segment_base, do_set_segment_base)                                                       \
    X(mmuext_op, do_mmuext_op)                                                                     \
    X(nmi_op, do_nmi_op)                                                                           \
    X(sched_op, do_sched_op)                                                                       \
    X(callback_op, do_callback_op)                                                                 \
    X(event_channel_op, do_event_channel_op)                                                       \
    X(physdev_op, do_physdev_op)                                                                   \
    P(sysctl, do_sysctl)                                                                           \
    P(domctl, do_domctl)                                                                           \
    P(paravane_op, do_paravane_op)

#define NR_ROWS ARRAY_SIZE(((struct vcpu *)0)->hcall_count)
_Static_assert((NR_ROWS & (NR_ROWS - 1)) == 0, "entry.S masks by it");

static const struct row {
    const char *name;
    hypercall_fn *fn;
    bool hardware_domain_only;
} rows[NR_ROWS] = {
#define ROW_ANY(nr, handler)  [__HYPERVISOR_##nr] = {#nr, (hypercall_fn *)(void *)handler, false},
#define ROW_PRIV(nr, handler) [__HYPERVISOR_##nr] = {#nr, (hypercall_fn *)(void *)handler, true},
    HYPERCALLS(ROW_ANY, ROW_PRIV)};

const char *hypercall_name(unsigned nr)
{
    return nr < NR_ROWS && rows[nr].name ? rows[nr].name : "unknown hypercall";
}

static cold long not_permitted(const char *name)
{
    return refuse(-XEN_EPERM, "%s is the hardware domain's alone", name);
}

/* In place of a privileged row's handler: the number is still in the frame. */
static long privileged(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    const struct row *row = &rows[(uint32_t)vcpu_regs(current)->rax % NR_ROWS];

    return current->domain->is_hardware ? row->fn(a, b, c, d, e) : not_permitted(row->name);
}

static long not_there(void)
{
    return hypercall_unknown(vcpu_regs(current));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
hypercall_fn *const hypercall_table[NR_ROWS] = {
    [0 ... NR_ROWS - 1] = (hypercall_fn *)(void *)not_there,
#define TABLE_ANY(nr, handler)  [__HYPERVISOR_##nr] = (hypercall_fn *)(void *)handler,
#define TABLE_PRIV(nr, handler) [__HYPERVISOR_##nr] = privileged,
    HYPERCALLS(TABLE_ANY, TABLE_PRIV)};
#pragma GCC diagnostic pop

/* Kernels try calls out, so this is no offence. */
long hypercall_unknown(struct guest_regs *r)
{
    guest_log(current->domain, LOG_DEBUG, "hypercall %u at RIP %#lx does not exist here", (uint32_t)r->rax, r->rip);
    return -XEN_ENOSYS;
}

/* The number is in the frame, too, where the handlers of missing and privileged rows look for it. */
long hypercall_dispatch(uint64_t nr, const uint64_t args[6])
{
    if (unlikely(nr >= NR_ROWS || nr == __HYPERVISOR_iret || nr == __HYPERVISOR_multicall))
        return -XEN_ENOSYS;
    return hypercall_table[nr % NR_ROWS](args[0], args[1], args[2], args[3], args[4]);
}
