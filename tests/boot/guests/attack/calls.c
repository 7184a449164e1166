/* SPDX-License-Identifier: MIT */
/* R16 and R18: multicalls that change the ground under themselves, and calls made at random. */
#include "attack.h"

/* R16: continuation state is ours to forge, and some calls do not belong in a list. */
static void nested_calls(void)
{
    static struct multicall_entry outer[4], inner[2];
    struct multicall_entry *c = outer;

    c[0].op = __HYPERVISOR_multicall;
    c[0].args[0] = (uint64_t)inner;
    c[0].args[1] = 2;
    inner[0] = inner[1] = c[1] = c[0];
    pv_multicall(c, 2);
    refused("multicall in a multicall", (long)c[0].result);
    for (unsigned nr = 56; nr < 70; nr++) {
        c[0].op = nr;
        pv_multicall(c, 1);
        refused("number past the table", (long)c[0].result);
    }
    c[0].op = -1ul;
    pv_multicall(c, 1);
    refused("number of 64 bits", (long)c[0].result);
    c[0].op = 1ul << 32 | __HYPERVISOR_xen_version;
    pv_multicall(c, 1);
    refused("number with high bits", (long)c[0].result);
}

static void forged_progress(void)
{
    uint64_t own = pv_va_to_mfn(pv_page_alloc());
    struct mmu_update u = {.ptr = own << PAGE_SHIFT};
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    unsigned done = 0x7fffffff;

    /* Xen marks a preempted call by the top bit of its count. */
    holds("preempted mmu_update", (pv_mmu_update(&u, 0x80000001, &done, DOMID_SELF), true));
    holds("preempted mmuext_op",
          (pv_mmuext_op(&op, 0x80000001, &done, DOMID_SELF), true));
    for (unsigned start = 1; start; start <<= 1) {
        struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};

        PV_SET_PTR(res.extent_start, &own);
        holds("progress beyond the list",
              pv_memory_op(XENMEM_add_to_physmap | start << 6, &res) < 1);
    }
}

/* The list ends kernel mode by iret: nothing after it may run as the kernel's. */
static void iret_in_list(void)
{
    static struct multicall_entry c[2];
    struct pv_fault f;

    c[0].op = __HYPERVISOR_iret;
    c[1].op = __HYPERVISOR_xen_version;
    c[1].args[0] = XENVER_version;
    PV_TRY(&f) pv_multicall(c, 2);
    holds("iret in a multicall", f.vector >= 0 || (long)c[0].result < 0);
}

static void continuations(void)
{
    nested_calls();
    forged_progress();
}

/* R18: no call, however nonsensical, may reach an assertion. Left out: calls that end or stop the
 * domain or the machine by design, and those that redirect our own exceptions and stack. */
static bool left_out(unsigned nr)
{
    switch (nr) {
    case __HYPERVISOR_set_trap_table:
    case __HYPERVISOR_set_gdt:
    case __HYPERVISOR_stack_switch:
    case __HYPERVISOR_sched_op:
    case __HYPERVISOR_sched_op_compat:
    case __HYPERVISOR_platform_op:
    case __HYPERVISOR_console_io:
    case __HYPERVISOR_callback_op:
    case __HYPERVISOR_set_segment_base:
    case __HYPERVISOR_iret:
    case __HYPERVISOR_domctl:
    case __HYPERVISOR_sysctl:
    case __HYPERVISOR_kexec_op:
    case __HYPERVISOR_multicall:
    case __HYPERVISOR_update_va_mapping:
    case __HYPERVISOR_update_va_mapping_otherdomain:
        return true;
    default:
        return nr == 4 || nr == 48; /* the old callback call; machine checks injected by dom0 */
    }
}

static uint64_t random_argument(uint64_t *buf)
{
    static const uint64_t fixed[] = {0,  1,       2,          3,           7,    8,
                                     16, 0x7ff0,  0x7ff1,     0x7ff2,      4096, 0xffff,
                                     -1, 1u << 31, 0xffffffff, HV_INSIDE_VA};
    uint64_t r = attack_random();

    switch (r & 7) {
    case 0:
    case 1:
        return (uint64_t)buf + (r >> 8 & 0x3f8);
    case 2:
        return r >> 8 & 63;
    case 3:
        return attack_random() & PAGE_MASK;
    default:
        return fixed[r >> 8 & 15];
    }
}

static void fill_random(uint64_t *buf, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        uint64_t r = attack_random();

        buf[i] = r & 1 ? random_argument(buf) : r >> 4 & 0xf0ff;
    }
}

/* The arguments lie above all variables: a call with a long list may scribble over what follows. */
static void monkey(void)
{
    uint64_t *buf = pv_pages_alloc(2);
    unsigned calls = 0;

    for (unsigned n = 0; n < 40000; n++) {
        unsigned nr = attack_random() >> 20 & 63;

        if (left_out(nr))
            continue;
        fill_random(buf, 64);
        pv_hypercall5(nr, random_argument(buf), random_argument(buf), random_argument(buf),
                      random_argument(buf), random_argument(buf));
        calls++;
    }
    pv_printf("ATTACK r18: %u random calls\n", calls);
    holds("the hypervisor still answers", pv_xen_version(XENVER_version, NULL) > 0);
}

const struct attack call_attacks[] = {
    {"r16", "forged continuations, lists within lists", continuations, ATTACK_SURVIVES},
    {"r16b", "iret within a multicall", iret_in_list, ATTACK_EITHER},
    {"r18", "random calls against assertions", monkey, ATTACK_EITHER},
    {.name = NULL},
};
