/* SPDX-License-Identifier: MIT */
/* Our own control operation, by libxencall. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xencall.h>

#include <pvabi/xen.h>
#include "op.h"
#include "say.h"

static xencall_handle *handle;
static struct paravane_op *op;

static void open_handle(void)
{
    if (handle)
        return;
    handle = xencall_open(NULL, 0);
    op = handle ? xencall_alloc_buffer(handle, sizeof(*op)) : NULL;
    if (!op)
        die("hypercalls cannot be made: %s", strerror(errno));
}

struct paravane_op *op_prepare(uint32_t cmd, uint32_t domain)
{
    open_handle();
    *op = (struct paravane_op){.version = PARAVANE_INTERFACE_VERSION, .cmd = cmd, .domain = domain};
    return op;
}

int op_call(void)
{
    return xencall1(handle, __HYPERVISOR_paravane_op, (uint64_t)op);
}

void *op_buffer(size_t bytes)
{
    void *buffer;

    open_handle();
    buffer = xencall_alloc_buffer_pages(handle, (bytes + 4095) / 4096);
    if (!buffer)
        die("no memory for %zu bytes of a trace", bytes);
    return buffer;
}

const char *hypercall_name(unsigned number)
{
#define NAME(name) [__HYPERVISOR_##name] = #name
    static const char *const names[] = {
        NAME(set_trap_table),
        NAME(mmu_update),
        NAME(set_gdt),
        NAME(stack_switch),
        NAME(set_callbacks),
        NAME(fpu_taskswitch),
        NAME(sched_op_compat),
        NAME(platform_op),
        NAME(set_debugreg),
        NAME(get_debugreg),
        NAME(update_descriptor),
        NAME(memory_op),
        NAME(multicall),
        NAME(update_va_mapping),
        NAME(set_timer_op),
        NAME(event_channel_op_compat),
        NAME(xen_version),
        NAME(console_io),
        NAME(physdev_op_compat),
        NAME(grant_table_op),
        NAME(vm_assist),
        NAME(update_va_mapping_otherdomain),
        NAME(iret),
        NAME(vcpu_op),
        NAME(set_segment_base),
        NAME(mmuext_op),
        NAME(xsm_op),
        NAME(nmi_op),
        NAME(sched_op),
        NAME(callback_op),
        NAME(xenoprof_op),
        NAME(event_channel_op),
        NAME(physdev_op),
        NAME(hvm_op),
        NAME(sysctl),
        NAME(domctl),
        NAME(kexec_op),
        NAME(tmem_op),
        NAME(argo_op),
        NAME(xenpmu_op),
        NAME(dm_op),
        NAME(hypfs_op),
        NAME(mca),
        NAME(paravane_op),
    };
    static char other[24];

    if (number < sizeof(names) / sizeof(names[0]) && names[number])
        return names[number];
    snprintf(other, sizeof(other), "hypercall %u", number);
    return other;
}
