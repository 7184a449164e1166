/* SPDX-License-Identifier: MIT */
/* R24 and R25: model-specific, control and debug registers, segment bases, extended state. */
#include "attack.h"

static int rdmsr(uint32_t msr, uint64_t *value)
{
    struct pv_fault f;
    uint32_t lo = 0, hi = 0;

    PV_TRY(&f)
    {
        __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
        *value = (uint64_t)hi << 32 | lo;
    }
    return f.vector;
}

static int wrmsr(uint32_t msr, uint64_t value)
{
    struct pv_fault f;

    PV_TRY(&f)
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
    return f.vector;
}

static bool in_hypervisor(uint64_t v)
{
    return v >= 0xffff800000000000ul && v < 0xffff880000000000ul;
}

static void msrs(void)
{
    /* sysenter, syscall, EFER, PAT, debug control, machine check, microcode, HWCR, VM_HSAVE_PA */
    static const uint32_t list[] = {0x174,      0x175,      0x176,      0xc0000080, 0xc0000081,
                                    0xc0000082, 0xc0000083, 0xc0000084, 0x277,      0x1d9,
                                    0x1b,       0x10,       0x3a,       0x48,       0x49,
                                    0x79,       0x122,      0x19a,      0xc0010015, 0xc0010117,
                                    0xc0010020, 0xc0010114, 0x17a,      0x179,      0x6e0,
                                    0x830,      0xda0,      0x1a0,      0x200,      0xc0000103};

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        uint64_t before = 0, after = 0;
        int readable = rdmsr(list[i], &before);

        holds("MSR does not tell where the hypervisor is", !in_hypervisor(before));
        wrmsr(list[i], 0);
        wrmsr(list[i], 0x1234567890abcdeful);
        wrmsr(list[i], ~0ul);
        if (readable < 0 && !rdmsr(list[i], &after))
            holds("MSR not readable before", false);
    }
    for (uint32_t m = 0xc0000100; m <= 0xc0000102; m++) {
        stopped("non-canonical base", wrmsr(m, NONCANON_VA));
        stopped("non-canonical base", wrmsr(m, 0x1234567890abcdeful));
    }
    pv_xen_version(0, NULL); /* SYSCALL still goes where it went */
    for (unsigned i = 0; i < 4000; i++) {
        uint64_t v;

        if (!(rdmsr(attack_random() & 0xc0011fff, &v) >= 0) && in_hypervisor(v))
            holds("random MSR leaks", false);
    }
}

static void bases(void)
{
    for (unsigned which = 0; which < 3; which++) {
        refused("non-canonical base", pv_set_segment_base(which, NONCANON_VA));
        refused("non-canonical base", pv_set_segment_base(which, 0x8000000000000000ul));
    }
    for (unsigned sel = 0; sel < 0x10000; sel += 0x7f)
        pv_set_segment_base(SEGBASE_GS_USER_SEL, sel);
    holds("user GS selectors", true);
    pv_set_segment_base(SEGBASE_GS_USER_SEL, 0);
}

static void debug_registers(void)
{
    static const uint64_t bad[] = {HV_INSIDE_VA, HV_TEXT_VA,           HV_M2P_VA,
                                   NONCANON_VA,  0xffff87fffffffffful, 0x8000000000000000ul};
    struct pv_fault f;

    for (unsigned reg = 0; reg < 4; reg++)
        for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
            refused("breakpoint in the hypervisor", pv_set_debugreg(reg, bad[i]));
    for (unsigned bit = 0; bit < 64; bit++) {
        pv_set_debugreg(6, 1ul << bit);
        pv_set_debugreg(7, 1ul << bit);
        PV_TRY(&f) pv_xen_version(0, NULL);
        holds("DR7 bit", !(pv_get_debugreg(7) & 1 << 13) || f.vector >= 0);
    }
    pv_set_debugreg(7, 0);
    PV_TRY(&f) __asm__ volatile("mov %0, %%dr0" ::"r"(HV_TEXT_VA));
    holds("mov to DR0", f.vector >= 0 || pv_get_debugreg(0) != (long)HV_TEXT_VA);
    PV_TRY(&f) __asm__ volatile("mov %0, %%dr7" ::"r"(~0ul));
    holds("general detect stays off", !(pv_get_debugreg(7) & 1 << 13));
    pv_set_debugreg(7, 0);
}

#define TRY_INSN(what, ...)                                                                        \
    do {                                                                                           \
        struct pv_fault f_;                                                                        \
        PV_TRY(&f_) __asm__ volatile(__VA_ARGS__);                                                 \
        holds(what, true);                                                                         \
    } while (0)

static void control_registers(void)
{
    volatile uint64_t cr3 = 0;
    struct pv_fault f;

    for (unsigned bit = 0; bit < 64; bit++) {
        TRY_INSN("mov to CR4", "mov %0, %%cr4" ::"r"(1ul << bit));
        TRY_INSN("mov to CR0", "mov %0, %%cr0" ::"r"(1ul << bit));
        TRY_INSN("mov to CR8", "mov %0, %%cr8" ::"r"(1ul << bit));
    }
    TRY_INSN("mov to CR2", "mov %0, %%cr2" ::"r"(HV_TEXT_VA));
    PV_TRY(&f)
    {
        uint64_t v;

        __asm__ volatile("mov %%cr3, %0" : "=r"(v));
        cr3 = v;
    }
    holds("CR3 as we see it is our own root",
          f.vector >= 0 || (cr3 & PTE_FRAME) >> PAGE_SHIFT == pv_va_to_mfn(pv_table(0, 4)));
    PV_TRY(&f) __asm__ volatile("mov %0, %%cr3" ::"r"(0x200000ul));
    holds("mov to CR3 of a foreign frame", pv_xen_version(0, NULL) > 0);
    pv_fpu_taskswitch(false);
}

static void registers(void)
{
    msrs();
    bases();
    debug_registers();
    control_registers();
}

/* R25 */
static int xsetbv(uint32_t index, uint64_t value)
{
    struct pv_fault f;

    PV_TRY(&f)
    __asm__ volatile("xsetbv" ::"c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
    return f.vector;
}

static void extended_state(void)
{
    static uint8_t area[8192] pv_aligned(64);
    static const uint64_t bad[] = {0, 2, 4, 6, 0x18, 1 | 1ul << 62, 1ul << 63 | 1, ~0ul};
    struct pv_fault f;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        stopped("XCR0 with bad bits", xsetbv(0, bad[i]));
    for (unsigned i = 1; i < 8; i++)
        stopped("XCR that is not there", xsetbv(i, 3));
    for (unsigned n = 0; n < 64; n++) {
        for (unsigned i = 0; i < sizeof(area); i += 8)
            *(uint64_t *)&area[i] = attack_random();
        PV_TRY(&f) __asm__ volatile("fxrstorq %0" ::"m"(area));
        PV_TRY(&f) __asm__ volatile("xrstor64 %0" ::"m"(area), "a"(~0u), "d"(~0u));
        PV_TRY(&f) __asm__ volatile("ldmxcsr %0" ::"m"(area));
        pv_fpu_taskswitch(n & 1);
        pv_xen_version(0, NULL);
    }
    pv_fpu_taskswitch(false);
    PV_TRY(&f) __asm__ volatile("fninit");
    holds("the FPU works after all that", f.vector < 0);
    pv_fpu_taskswitch(true);
    PV_TRY(&f) __asm__ volatile("fninit");
    holds("TS gives #NM", f.vector == 7);
    pv_fpu_taskswitch(false);
}

const struct attack state_attacks[] = {
    {"r24", "MSRs, control and debug registers, bases", registers, ATTACK_SURVIVES},
    {"r25", "extended state", extended_state, ATTACK_SURVIVES},
    {.name = NULL},
};
