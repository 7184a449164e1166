/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_platform_op: the hardware domain sets the clock, asks about processors and firmware,
 * and powers off. */
#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/dev.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/print.h>
#include <pvabi/platform.h>

#define SEC_MAX    (1ull << 33) /* keeps ns in 64 bits */
#define ACPI_S5    5
#define CPUMAP_MAX 8192 /* bits that are looked at for one call */

static int set_time(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
    if (sec >= SEC_MAX || nsec >= NS_PER_SEC || sec * NS_PER_SEC + nsec < system_time)
        return refuse(-XEN_EINVAL,
                      "settime: %lu s, %u ns since 1970 at system time %lu ns is no time of day",
                      sec, nsec, system_time);
    wallclock_set(sec, nsec, system_time);
    return 0;
}

static int settime64(const struct xenpf_settime64 *a)
{
    if (a->mbz)
        return refuse(-XEN_EINVAL, "settime64: the field that must be zero is %u", a->mbz);
    return set_time(a->secs, a->nsecs, a->system_time);
}

/* Nothing is known that only a BIOS call in real mode, or EFI, could have told. */
static int firmware_info(const struct xenpf_firmware_info *a)
{
    if (a->type < XEN_FW_DISK_INFO || a->type > XEN_FW_KBD_SHIFT_FLAGS)
        return refuse(-XEN_EINVAL, "firmware_info of unknown type %u", a->type);
    return -XEN_ESRCH;
}

static int enter_acpi_sleep(const struct xenpf_enter_acpi_sleep *a)
{
    if (a->sleep_state != ACPI_S5 || a->flags)
        return refuse(-XEN_EOPNOTSUPP,
                      "enter_acpi_sleep: S%u with flags %#x; the machine only powers off (S5)",
                      a->sleep_state, a->flags);
    power_sleep_values(a->val_a, a->val_b);
    machine_poweroff();
}

static int get_cpuinfo(struct xenpf_pcpuinfo *a)
{
    const struct percpu *c = a->xen_cpuid < cpu_count ? percpu_of[a->xen_cpuid] : NULL;

    *a = (struct xenpf_pcpuinfo){
        .xen_cpuid = a->xen_cpuid,
        .max_present = cpu_count - 1,
        .flags = c ? XEN_PCPU_FLAGS_ONLINE : XEN_PCPU_FLAGS_INVALID,
        .apic_id = c ? c->apic_id : 0,
        .acpi_id = c ? firmware_acpi_id(c->apic_id) : 0,
    };
    return 0;
}

static uint64_t idle_time(const struct percpu *c)
{
    struct vcpu_runstate_info info;

    runstate_get(c->idle, &info);
    return info.time[RUNSTATE_running];
}

/* Bits of processors that do not exist are cleared, their times too. */
static int getidletime(struct xenpf_getidletime *a)
{
    uint32_t bits = a->cpumap_nr_cpus;

    a->now = now_ns();
    if (bits > CPUMAP_MAX)
        return refuse(-XEN_E2BIG, "getidletime of %u CPUs: at most %u at once", bits, CPUMAP_MAX);
    if (!guest_array_ok(a->idletime, bits, sizeof(uint64_t)))
        return refuse(-XEN_EFAULT, "getidletime: %u times at %#lx are not all guest memory", bits,
                      a->idletime);
    for (uint32_t cpu = 0; cpu < bits; cpu++) {
        uint64_t at = a->cpumap_bitmap + cpu / 8, time = 0;
        uint8_t map, bit = (uint8_t)(1u << cpu % 8);

        preempt_point();
        if (get_guest(&map, at))
            return refuse(-XEN_EFAULT, "getidletime: no bitmap at %#lx", at);
        if (!(map & bit))
            continue;
        if (cpu < cpu_count) {
            time = idle_time(percpu_of[cpu]);
        } else {
            map &= (uint8_t)~bit;
            if (put_guest(at, &map))
                return refuse(-XEN_EFAULT, "getidletime: bitmap at %#lx cannot be written", at);
        }
        if (put_guest(a->idletime + cpu * sizeof(time), &time))
            return refuse(-XEN_EFAULT, "getidletime: time of CPU %u cannot be written", cpu);
    }
    return 0;
}

static int dispatch(struct xen_platform_op *op)
{
    switch (op->cmd) {
    case XENPF_settime32:
        return set_time(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
    case XENPF_settime64:
        return settime64(&op->u.settime64);
    case XENPF_firmware_info:
        return firmware_info(&op->u.firmware_info);
    case XENPF_enter_acpi_sleep:
        return enter_acpi_sleep(&op->u.enter_acpi_sleep);
    case XENPF_get_cpuinfo:
        return get_cpuinfo(&op->u.pcpu_info);
    case XENPF_getidletime:
        return getidletime(&op->u.getidletime);
    case XENPF_cpu_online:
    case XENPF_cpu_offline:
    case XENPF_cpu_hotadd:
    case XENPF_mem_hotadd:
        return refuse(-XEN_EOPNOTSUPP,
                      "platform operation %u: processors and memory stay as they were at boot",
                      op->cmd);
    default:
        return -XEN_ENOSYS; /* expected: MTRRs, microcode, EFI, power states are optional to the
                               kernel */
    }
}

long do_platform_op(uint64_t arg)
{
    struct xen_platform_op op;
    int err;

    if (!current->domain->is_hardware)
        return refuse(-XEN_EPERM, "platform operations are the hardware domain's");
    if (get_guest(&op, arg))
        return refuse(-XEN_EFAULT, "platform_op: no argument at %#lx", arg);
    if (op.interface_version != XENPF_INTERFACE_VERSION)
        return refuse(-XEN_EACCES, "platform_op: interface version %#x, %#x would be right",
                      op.interface_version, XENPF_INTERFACE_VERSION);
    err = dispatch(&op);
    if (!err && put_guest(arg, &op))
        return refuse(-XEN_EFAULT, "platform_op: result cannot be written at %#lx", arg);
    return err;
}
