/* SPDX-License-Identifier: MIT */
/* The dispatcher itself, xen_version, multicall, vm_assist, console_io. */
#include "selftest.h"

static void check_version(void)
{
    static char buf[1024];
    struct xen_feature_info f = {.submap_idx = 0};
    struct xen_platform_parameters p = {.virt_start = 0};
    long v = pv_xen_version(XENVER_version, NULL);

    CHECK("4.17 or later of major 4", v >> 16 == 4 && (v & 0xffff) >= 17);
    CHECK_OK("extraversion", pv_xen_version(XENVER_extraversion, buf));
    CHECK_OK("capabilities", pv_xen_version(XENVER_capabilities, buf));
    CHECK("64-bit PV is one", !memcmp(buf, "xen-3.0-x86_64", 14));
    CHECK_OK("changeset", pv_xen_version(XENVER_changeset, buf));
    CHECK_OK("platform parameters", pv_xen_version(XENVER_platform_parameters, &p));
    CHECK_EQ("hole's start", p.virt_start, HYPERVISOR_VIRT_START);
    CHECK_EQ("page size", pv_xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
    CHECK_OK("guest handle", pv_xen_version(XENVER_guest_handle, buf));
    CHECK_OK("features", pv_xen_version(XENVER_get_features, &f));
    CHECK_EQ("pt_update_preserve_ad, gnttab_map_avail_bits", f.submap & 0xa0, 0xa0);
    CHECK_EQ("no auto-translation, no supervisor kernel, not HVM", f.submap & 0x70f, 0);
    CHECK("dom0", f.submap & 1u << XENFEAT_dom0);
    f.submap_idx = 9;
    pv_xen_version(XENVER_get_features, &f);
    CHECK_EQ("unknown subcommand", pv_xen_version(99, buf), -XEN_ENOSYS);
    CHECK_EQ("bad pointer", pv_xen_version(XENVER_extraversion, (void *)0xffff830000000000ul),
             -XEN_EFAULT);
    CHECK_EQ("unmapped pointer", pv_xen_version(XENVER_extraversion, (void *)0x12345000ul),
             -XEN_EFAULT);
}

static void check_registers_kept(void)
{
    uint64_t in[6], out[6];

    for (unsigned i = 0; i < 6; i++)
        in[i] = 0x1111111111111111ul * (i + 1);
    __asm__ volatile("mov (%0), %%rbx; mov 8(%0), %%r12; mov 16(%0), %%r13; mov 24(%0), %%r14;"
                     "mov 32(%0), %%r15; mov 40(%0), %%r9; xor %%esi, %%esi; xor %%edi, %%edi;"
                     "mov $17, %%eax; syscall;"
                     "mov %%rbx, (%1); mov %%r12, 8(%1); mov %%r13, 16(%1); mov %%r14, 24(%1);"
                     "mov %%r15, 32(%1); mov %%r9, 40(%1)" ::"d"(in),
                     "r"((uint64_t *)out)
                     : "rax", "rcx", "r11", "rbx", "rsi", "rdi", "r9", "r12", "r13", "r14", "r15",
                       "memory");
    CHECK("a call keeps the other registers", !memcmp(in, out, sizeof(in)));
}

static void check_multicall(void)
{
    static struct multicall_entry c[4];

    c[0].op = __HYPERVISOR_xen_version;
    c[0].args[0] = XENVER_version;
    c[1].op = __HYPERVISOR_xen_version;
    c[1].args[0] = 99;
    c[2].op = 63;
    c[3].op = __HYPERVISOR_xen_version;
    c[3].args[0] = XENVER_pagesize;
    CHECK_OK("multicall", pv_multicall(c, 4));
    CHECK_EQ("first result", c[0].result, pv_xen_version(XENVER_version, NULL));
    CHECK_EQ("failing result is sign-extended", c[1].result, -XEN_ENOSYS);
    CHECK_EQ("unknown call in a list", c[2].result, -XEN_ENOSYS);
    CHECK_EQ("calls after a failing one", c[3].result, PAGE_SIZE);
    CHECK_OK("empty multicall", pv_multicall(c, 0));
    CHECK_EQ("bad list", pv_multicall((void *)0xffff830000000000ul, 1), -XEN_EFAULT);
}

void test_calls(void)
{
    check_version();
    check_registers_kept();
    check_multicall();
    CHECK_EQ("unknown hypercall", pv_hypercall1(63, 0), -XEN_ENOSYS);
    CHECK_EQ("unknown hypercall, large", pv_hypercall1(1000, 0), -XEN_ENOSYS);
    CHECK_OK("vm_assist", pv_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag));
    CHECK_OK("console write of nothing", pv_console_io(CONSOLEIO_write, 0, NULL));
    CHECK_EQ("console command", pv_console_io(77, 0, NULL), -XEN_ENOSYS);
}
