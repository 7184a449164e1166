/* SPDX-License-Identifier: MIT */
/* CPUID and MSR policy, control registers, segment bases, port I/O: instructions that trap. */
#include "selftest.h"

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

static void check_hypervisor_leaves(void)
{
    uint32_t r[4];

    cpuid(0x40000000, 0, r);
    CHECK("signature", r[1] == 0x566e6558 && r[2] == 0x65584d4d && r[3] == 0x4d4d566e);
    CHECK("leaves", r[0] >= 0x40000002 && r[0] < 0x40000100);
    cpuid(0x40000001, 0, r);
    CHECK_EQ("version", r[0], pv_xen_version(XENVER_version, NULL));
    cpuid(0x40000004, 0, r);
    CHECK_EQ("no HVM features", r[0], 0);
}

static void check_features(void)
{
    uint32_t r[4], max;

    cpuid(0, 0, r);
    max = r[0];
    CHECK("basic leaves", max >= 7);
    cpuid(1, 0, r);
    CHECK("hypervisor bit", r[2] & 1u << 31);
    CHECK("CX16", r[2] & 1u << 13);
    CHECK("FXSR, SSE2, CX8", (r[3] & (1u << 24 | 1u << 26 | 1u << 8)) ==
                                 (1u << 24 | 1u << 26 | 1u << 8));
    CHECK_EQ("no PSE, PGE, PSE36", r[3] & (1u << 3 | 1u << 13 | 1u << 17), 0);
    CHECK_OURS("no MTRR", !(r[3] & 1u << 12)); /* there dom0 is to program them by platform_op */
    CHECK_EQ("no MONITOR, VMX, PCID", r[2] & (1u << 3 | 1u << 5 | 1u << 17), 0);
    CHECK_OURS("no x2APIC", !(r[2] & 1u << 21)); /* there it is shown to dom0 */
    CHECK("XSAVE only with OSXSAVE", !(r[2] & 1u << 26) || (r[2] & 1u << 27));
    cpuid(7, 0, r);
    CHECK_EQ("no SMEP, INVPCID, SMAP", r[1] & (1u << 7 | 1u << 10 | 1u << 20), 0);
    CHECK_EQ("no UMIP, PKU, LA57", r[2] & (1u << 2 | 1u << 3 | 1u << 16), 0);
    cpuid(0x80000001, 0, r);
    CHECK_EQ("SYSCALL, NX, LM", r[3] & (1u << 11 | 1u << 20 | 1u << 29),
             1u << 11 | 1u << 20 | 1u << 29);
    CHECK_EQ("no 1 GiB pages", r[3] & 1u << 26, 0);
    CHECK_EQ("no SVM", r[2] & 1u << 2, 0);
}

static int rdmsr(uint32_t msr, volatile uint64_t *value)
{
    struct pv_fault f;

    PV_TRY(&f)
    {
        uint32_t lo, hi;

        __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
        *value = (uint64_t)hi << 32 | lo;
    }
    return f.vector;
}

static int wrmsr(uint32_t msr, uint64_t v)
{
    struct pv_fault f;

    PV_TRY(&f)
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
    return f.vector;
}

static void check_msrs(void)
{
    volatile uint64_t v = 0;
    static uint64_t word = 0xabcd;
    uint64_t seen;

    CHECK_EQ("PAT readable", rdmsr(0x277, &v), -1);
    CHECK_EQ("PAT as the ABI fixes it", v, 0x050100070406ul);
    CHECK_EQ("APIC base readable", rdmsr(0x1b, &v), -1);
    CHECK_EQ("microcode readable", rdmsr(0x8b, &v), -1);
    CHECK_EQ("EFER readable", rdmsr(0xc0000080, &v), -1);
    CHECK_EQ("EFER: LMA, LME, SCE", v & 0x501, 0x501);
    CHECK_EQ("unknown MSR", rdmsr(0x12345678, &v), 13);
    CHECK_EQ("write of an unknown MSR", wrmsr(0x12345678, 0), 13);
    CHECK_EQ("GS base written by MSR", wrmsr(0xc0000101, (uint64_t)&word), -1);
    __asm__ volatile("mov %%gs:0, %0" : "=r"(seen));
    CHECK_EQ("GS base at work", seen, 0xabcd);
    CHECK_EQ("GS base readable", (rdmsr(0xc0000101, &v), v), &word);
    CHECK_EQ("FS base written by MSR", wrmsr(0xc0000100, (uint64_t)&word), -1);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ("FS base at work", seen, 0xabcd);
    CHECK_EQ("non-canonical base", wrmsr(0xc0000100, 0x0000900000000000ul), 13);
    CHECK_EQ("FS base unchanged", (rdmsr(0xc0000100, &v), v), &word);
    pv_set_segment_base(SEGBASE_FS, 0);
    CHECK_EQ("FS base by hypercall seen by MSR", (rdmsr(0xc0000100, &v), v), 0);
    CHECK_REFUSED("non-canonical base by hypercall",
                  pv_set_segment_base(SEGBASE_FS, 0x0000900000000000ul));
    CHECK_OK("bad user GS selector is taken as NUL",
             pv_set_segment_base(SEGBASE_GS_USER_SEL, 0x1239));
    CHECK_OK("the hypervisor's data segment", pv_set_segment_base(SEGBASE_GS_USER_SEL, 0xe010));
    __asm__ volatile("mov %%gs, %0" : "=r"(seen));
    CHECK_EQ("is not had either", seen & 0xffff, 0);
    CHECK_REFUSED("unknown segment", pv_set_segment_base(7, 0));
}

#define READ_CR(n, out)                                                                            \
    ({                                                                                             \
        struct pv_fault f_;                                                                        \
        PV_TRY(&f_)                                                                                \
        {                                                                                          \
            uint64_t v_;                                                                           \
            __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v_));                                     \
            *(out) = v_;                                                                           \
        }                                                                                          \
        f_.vector;                                                                                 \
    })

static void check_control_registers(void)
{
    volatile uint64_t v = 0;
    struct pv_fault f;
    uint64_t ignored;

    CHECK_EQ("CR0 readable", READ_CR(0, &v), -1);
    CHECK_EQ("CR0: PE, PG", v & 0x80000001, 0x80000001);
    CHECK_EQ("CR4 readable", READ_CR(4, &v), -1);
    CHECK_EQ("CR4: PAE", v & 0x20, 0x20);
    PV_TRY(&f) __asm__ volatile("mov %0, %%cr4" ::"r"((uint64_t)v));
    CHECK_EQ("CR4 written back", f.vector, -1);
    pv_try_read(0x4321000, &ignored);
    CHECK_EQ("CR2 readable", READ_CR(2, &v), -1);
    CHECK_EQ("CR2 is the last fault's", v, 0x4321000);
    CHECK_EQ("CR3 readable", READ_CR(3, &v), -1);
    CHECK_EQ("CR3 is our root", (v & PTE_FRAME) >> PAGE_SHIFT, pv_va_to_mfn(pv_table(0, 4)));
    PV_TRY(&f) __asm__ volatile("clts");
    CHECK_EQ("CLTS", f.vector, -1);
    PV_TRY(&f) __asm__ volatile("wbinvd");
    CHECK_EQ("WBINVD", f.vector, -1);
    pv_events_on();
    PV_TRY(&f) __asm__ volatile("cli");
    CHECK_EQ("CLI", f.vector, -1);
    CHECK_EQ("CLI does not mask events", pv_vcpu_info->evtchn_upcall_mask, 0);
    PV_TRY(&f) __asm__ volatile("sti");
    CHECK_EQ("STI", f.vector, -1);
    pv_events_off();
    PV_TRY(&f) __asm__ volatile("sti");
    CHECK_EQ("STI does not unmask events", pv_vcpu_info->evtchn_upcall_mask, 1);
    PV_TRY(&f) __asm__ volatile("lgdt %0" ::"m"(v));
    CHECK_EQ("LGDT", f.vector, 13);
}

static void check_xcr0(void)
{
    uint32_t r[4];
    volatile uint64_t v = 0;
    struct pv_fault f;

    cpuid(1, 0, r);
    if (!(r[2] & 1u << 26))
        return;
    PV_TRY(&f)
    {
        uint32_t lo, hi;

        __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
        v = (uint64_t)hi << 32 | lo;
    }
    CHECK_EQ("XGETBV", f.vector, -1);
    PV_TRY(&f)
    __asm__ volatile("mov %%cr4, %%rax; or $0x40000, %%rax; mov %%rax, %%cr4" ::: "rax");
    CHECK_EQ("CR4.OSXSAVE", f.vector, -1);
    PV_TRY(&f) __asm__ volatile("xsetbv" ::"c"(0), "a"(3), "d"(0));
    CHECK_EQ("XSETBV", f.vector, -1);
    PV_TRY(&f)
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
    CHECK_EQ("XSETBV back", f.vector, -1);
    PV_TRY(&f) __asm__ volatile("xsetbv" ::"c"(0), "a"(0), "d"(0));
    CHECK_EQ("XSETBV without x87", f.vector, 13);
}

static int in8(uint16_t port, volatile uint8_t *value)
{
    struct pv_fault f;

    PV_TRY(&f)
    {
        uint8_t v;

        __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
        *value = v;
    }
    return f.vector;
}

static void check_ports(void)
{
    struct physdev_set_iopl iopl = {.iopl = 1};
    volatile uint8_t v = 0;
    struct pv_fault f;

    CHECK_OK("set_iopl", pv_physdev_op(PHYSDEVOP_set_iopl, &iopl));
    CHECK_EQ("IN of dom0", in8(0x71, &v), -1);
    CHECK_EQ("IN of the hypervisor's UART", in8(0x3f8, &v), -1);
    CHECK_EQ("it reads as nothing", v, 0xff);
    PV_TRY(&f) __asm__ volatile("outb %%al, $0x80" ::"a"(0));
    CHECK_EQ("OUT with immediate port", f.vector, -1);
    PV_TRY(&f) __asm__ volatile("outl %%eax, %%dx" ::"a"(0x80000000), "d"(0xcf8));
    CHECK_EQ("OUT of 32 bits", f.vector, -1);
    PV_TRY(&f) __asm__ volatile("inl %%dx, %%eax" ::"d"(0xcfc) : "eax");
    CHECK_EQ("IN of 32 bits", f.vector, -1);
}

void test_cpu(void)
{
    check_hypervisor_leaves();
    check_features();
    check_msrs();
    check_ports();
    check_control_registers();
    check_xcr0();
}
