/* SPDX-License-Identifier: MIT */
/* Start of day: start_info, registers, the bootstrap map, p2m and M2P, the shared page. */
#include "selftest.h"

static void check_start_info(void)
{
    const struct start_info *s = pv_start_info;
    char arg[8];

    CHECK("magic", !memcmp(s->magic, "xen-3.0-x86_64", 14));
    CHECK("memory", s->nr_pages > 4096);
    CHECK_EQ("flags say dom0", s->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN),
             SIF_PRIVILEGED | SIF_INITDOMAIN);
    CHECK("shared page is page aligned", s->shared_info && !(s->shared_info & 4095));
    CHECK("root is page aligned", s->pt_base && !(s->pt_base & 4095));
    CHECK("at least four tables", s->nr_pt_frames >= 4 && s->nr_pt_frames < 1024);
    CHECK("p2m list", s->mfn_list != 0);
    CHECK("command line", pv_option("end=", arg, sizeof(arg)));
    CHECK("no initrd", s->mod_start == 0 && s->mod_len == 0);
}

static void check_registers(void)
{
    const struct pv_boot_regs *r = &pv_boot_regs;

    CHECK_EQ("rsi is start_info", r->rsi, pv_start_info);
    CHECK_EQ("cs", r->cs, PV_CS64);
    CHECK_EQ("ss", r->ss, PV_SS);
    CHECK_EQ("other selectors", r->ds | r->es | r->fs | r->gs, 0);
    CHECK_EQ("other registers", r->rax | r->rbx | r->rcx | r->rdx | r->rdi | r->rbp | r->r8 |
             r->r9 | r->r10 | r->r11 | r->r12 | r->r13 | r->r14 | r->r15, 0);
    CHECK_EQ("flags: IF alone", r->rflags & ~0x46ul, 0x200);
    CHECK("stack lies in the bootstrap map", pv_l1_entry(r->rsp - 8) &&
          (*pv_l1_entry(r->rsp - 8) & (PTE_P | PTE_RW)) == (PTE_P | PTE_RW));
}

static bool is_boot_table(uint64_t va)
{
    return va >= pv_start_info->pt_base &&
           va < pv_start_info->pt_base + pv_start_info->nr_pt_frames * PAGE_SIZE;
}

static void check_bootstrap_map(void)
{
    uint64_t shared = pv_start_info->shared_info >> PAGE_SHIFT, va, bad_frame = 0, bad_rw = 0;
    uint64_t last = pv_boot_regs.rsp > pv_start_info->pt_base ? pv_boot_regs.rsp
                                                              : pv_start_info->pt_base;

    for (va = PV_VIRT_BASE; va < PV_VIRT_BASE + (1ul << 30); va += PAGE_SIZE) {
        uint64_t *entry = pv_l1_entry(va), pfn = (va - PV_VIRT_BASE) >> PAGE_SHIFT;

        if (!entry || !(*entry & PTE_P))
            break;
        if ((*entry & PTE_FRAME) >> PAGE_SHIFT == shared)
            continue;
        bad_frame += (*entry & PTE_FRAME) >> PAGE_SHIFT != pv_p2m[pfn];
        bad_rw += !(*entry & PTE_RW) != is_boot_table(va);
    }
    CHECK_EQ("va is pfn plus the base", bad_frame, 0);
    CHECK_EQ("writable, except the tables", bad_rw, 0);
    CHECK_EQ("ends at 4 MiB", va & ((4ul << 20) - 1), 0);
    CHECK("512 KiB to spare", va >= last + (512ul << 10));
    CHECK("everything in one L2", va <= PV_VIRT_BASE + (1ul << 30));
    CHECK_EQ("write to the root faults", pv_try_write(pv_start_info->pt_base, 0), 14);
    CHECK_EQ("root comes first", pv_maddr((void *)pv_start_info->pt_base) >> PAGE_SHIFT,
             pv_p2m[(pv_start_info->pt_base - PV_VIRT_BASE) >> PAGE_SHIFT]);
}

static void check_translations(void)
{
    struct xen_machphys_mapping m = {.v_start = 0};
    uint64_t wrong = 0, value;

    for (uint64_t pfn = 0; pfn < pv_start_info->nr_pages; pfn++)
        wrong += pv_m2p[pv_p2m[pfn]] != pfn;
    CHECK_EQ("M2P of the p2m is the identity", wrong, 0);
    CHECK_OK("machphys_mapping", pv_memory_op(XENMEM_machphys_mapping, &m));
    CHECK_EQ("M2P begins the hole", m.v_start, HYPERVISOR_VIRT_START);
    CHECK("M2P covers our frames", m.max_mfn >= pv_p2m[0] && m.v_end > m.v_start);
    CHECK_EQ("M2P cannot be written", pv_try_write((uint64_t)&pv_m2p[pv_p2m[0]], 0), 14);
    CHECK_EQ("the hypervisor cannot be read", pv_try_read(0xffff830000000000ul, &value), 14);
    CHECK_EQ("nor its image", pv_try_read(0xffff82d040200000ul, &value), 14);
}

static void check_shared_page(void)
{
    const struct shared_info *s = pv_shared_info;
    uint64_t unmasked = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(s->vcpu_info); i++)
        unmasked += !s->vcpu_info[i].evtchn_upcall_mask;
    CHECK_EQ("events masked on every vCPU", unmasked, 0);
    CHECK("clock scale", s->vcpu_info[0].time.tsc_to_system_mul != 0);
    CHECK_EQ("clock version even", s->vcpu_info[0].time.version & 1, 0);
    CHECK("wall clock after 2020", s->wc_sec > 1577836800u && !(s->wc_version & 1));
}

static void check_hypercall_page(void)
{
    const uint8_t *slot = &pv_hypercall_page[__HYPERVISOR_xen_version * 32];
    bool has_syscall = false, has_number = false;

    for (unsigned i = 0; i < 31; i++) {
        has_syscall |= slot[i] == 0x0f && slot[i + 1] == 0x05;
        has_number |= slot[i] == 0xb8 && slot[i + 1] == __HYPERVISOR_xen_version;
    }
    CHECK("slot loads its number and calls", has_syscall && has_number);
    CHECK_EQ("page and SYSCALL agree", PV_PAGE_HYPERCALL(__HYPERVISOR_xen_version, 0, 0, 0, 0),
             pv_xen_version(0, NULL));
}

void test_boot(void)
{
    check_start_info();
    check_registers();
    check_bootstrap_map();
    check_translations();
    check_shared_page();
    check_hypercall_page();
}
