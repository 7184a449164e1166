/* SPDX-License-Identifier: MIT */
/* HYPERVISOR_xen_version: who is below. The numbers are those of the Xen whose interfaces are
 * spoken here. */
#include <string.h>

#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <pvabi/version.h>

#define VERSION (4 << 16 | 17)
#define BIT(n)  (1u << XENFEAT_##n)

/* A string as an array of fixed size, filled up with zeros. */
static long put_string(uint64_t arg, const char *s, size_t size)
{
    size_t len = MIN(strlen(s), size - 1);

    return copy_to_guest(arg, s, len) || clear_guest(arg + len, size - len) ? -XEN_EFAULT : 0;
}

static long compile_info(uint64_t arg)
{
    static const struct xen_compile_info info = {.compiler = "gcc " __VERSION__,
                                                 .compile_by = "paravane",
                                                 .compile_domain = "",
                                                 .compile_date = "reproducible"};

    return put_guest(arg, &info);
}

/* Page tables are changed by calls (bit 0 clear), but stores to L1 tables are emulated. */
static long get_features(uint64_t arg)
{
    bool hardware = current->domain->is_hardware;
    struct xen_feature_info f;

    if (get_guest(&f, arg))
        return -XEN_EFAULT;
    if (f.submap_idx >= XENFEAT_NR_SUBMAPS)
        return -XEN_EINVAL;
    f.submap = BIT(pae_pgdir_above_4gb) | BIT(mmu_pt_update_preserve_ad) |
               BIT(gnttab_map_avail_bits) |
               (hardware ? BIT(dom0) | BIT(direct_mapped) : BIT(not_direct_mapped));
    return put_guest(arg, &f);
}

static long platform_parameters(uint64_t arg)
{
    struct xen_platform_parameters p = {.virt_start = HYPERVISOR_VIRT_START};

    return put_guest(arg, &p);
}

static long other(uint64_t cmd, uint64_t arg)
{
    const struct domain *d = current->domain;

    switch (cmd) {
    case XENVER_extraversion:
        return put_string(arg, ".0-paravane", XEN_EXTRAVERSION_LEN);
    case XENVER_compile_info:
        return compile_info(arg);
    case XENVER_capabilities:
        return put_string(arg, "xen-3.0-x86_64 ", XEN_CAPABILITIES_INFO_LEN);
    case XENVER_changeset:
        return put_string(arg, "unavailable", XEN_CHANGESET_INFO_LEN);
    case XENVER_platform_parameters:
        return platform_parameters(arg);
    case XENVER_get_features:
        return get_features(arg);
    case XENVER_pagesize:
        return PAGE_SIZE;
    case XENVER_guest_handle:
        return put_guest(arg, &d->handle);
    case XENVER_commandline: /* no business of other guests */
        return put_string(arg, d->is_hardware ? boot_info.command_line : "",
                          sizeof(xen_commandline_t));
    case XENVER_build_id:
        return -XEN_ENODATA;
    default:
        return -XEN_ENOSYS;
    }
}

/* Kernels make this call as the cheapest one there is, to have pending events delivered. */
long do_xen_version(uint64_t cmd, uint64_t arg)
{
    return likely(cmd == XENVER_version) ? VERSION : other(cmd, arg);
}
