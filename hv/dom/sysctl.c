/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_sysctl: the machine as a whole, for the hardware domain's tools. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/print.h>
#include <hv/x86.h>
#include <pvabi/sysctl.h>

#define CAPABILITY_PV (1u << 1)

static void physinfo(struct xen_sysctl_physinfo *p)
{
    uint32_t r[4];

    *p = (struct xen_sysctl_physinfo){
        .threads_per_core = 1,
        .cores_per_socket = cpu_count,
        .nr_cpus = cpu_count,
        .max_cpu_id = cpu_count - 1,
        .nr_nodes = 1,
        .max_node_id = 0,
        .cpu_khz = time_scale.tsc_khz,
        .capabilities = CAPABILITY_PV,
        .total_pages = heap_total_frames(),
        .free_pages = heap_free_frames(),
        .max_mfn = frame_max - 1,
    };
    cpuid_count(1, 0, r);
    p->hw_cap[0] = r[3];
    p->hw_cap[4] = r[2];
    cpuid_count(0x80000001, 0, r);
    p->hw_cap[1] = r[3];
    p->hw_cap[6] = r[2];
}

long do_sysctl(uint64_t arg)
{
    struct xen_sysctl op;

    if (get_guest(&op, arg))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
        return refuse(-XEN_EACCES, "sysctl interface 0x%x; 0x%x is spoken here",
                      op.interface_version, XEN_SYSCTL_INTERFACE_VERSION);
    switch (op.cmd) {
    case XEN_SYSCTL_physinfo:
        physinfo(&op.u.physinfo);
        return put_guest(arg, &op);
    default:
        return -XEN_ENOSYS;
    }
}
