/* SPDX-License-Identifier: MIT */
/* CPUID and MSR policy: what must stay hidden stays hidden whatever the host has; what Linux needs
 * is there. Links with hv/x86/cpuid.c and msr_policy.c. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../hv/x86/cpuid.h"

enum reg { A, Bx, C, D };

struct bit {
    uint32_t leaf, subleaf;
    enum reg reg;
    uint8_t bit;
    const char *name;
};

static const struct bit hidden[] = {
    {1, 0, D, 1, "VME"},
    {1, 0, D, 3, "PSE"},
    {1, 0, D, 7, "MCE"},
    {1, 0, D, 12, "MTRR"},
    {1, 0, D, 13, "PGE"},
    {1, 0, D, 14, "MCA"},
    {1, 0, D, 17, "PSE36"},
    {1, 0, D, 21, "DS"},
    {1, 0, D, 22, "ACPI"},
    {1, 0, D, 28, "HTT"},
    {1, 0, D, 29, "TM"},
    {1, 0, D, 31, "PBE"},
    {1, 0, C, 2, "DTES64"},
    {1, 0, C, 3, "MONITOR"},
    {1, 0, C, 4, "DS_CPL"},
    {1, 0, C, 5, "VMX"},
    {1, 0, C, 6, "SMX"},
    {1, 0, C, 7, "EST"},
    {1, 0, C, 15, "PDCM"},
    {1, 0, C, 17, "PCID"},
    {1, 0, C, 18, "DCA"},
    {1, 0, C, 21, "X2APIC"},
    {1, 0, C, 24, "TSC_DEADLINE"},
    {7, 0, Bx, 0, "FSGSBASE"},
    {7, 0, Bx, 1, "TSC_ADJUST"},
    {7, 0, Bx, 2, "SGX"},
    {7, 0, Bx, 4, "HLE"},
    {7, 0, Bx, 7, "SMEP"},
    {7, 0, Bx, 10, "INVPCID"},
    {7, 0, Bx, 11, "RTM"},
    {7, 0, Bx, 12, "RDT_M"},
    {7, 0, Bx, 14, "MPX"},
    {7, 0, Bx, 15, "RDT_A"},
    {7, 0, Bx, 20, "SMAP"},
    {7, 0, Bx, 25, "PT"},
    {7, 0, C, 2, "UMIP"},
    {7, 0, C, 3, "PKU"},
    {7, 0, C, 4, "OSPKE"},
    {7, 0, C, 5, "WAITPKG"},
    {7, 0, C, 7, "CET_SS"},
    {7, 0, C, 16, "LA57"},
    {7, 0, C, 22, "RDPID"},
    {7, 0, C, 24, "BUS_LOCK_DETECT"},
    {7, 0, C, 29, "ENQCMD"},
    {7, 0, C, 31, "PKS"},
    {7, 0, D, 5, "UINTR"},
    {7, 0, D, 9, "SRBDS_CTRL"},
    {7, 0, D, 18, "PCONFIG"},
    {7, 0, D, 19, "ARCH_LBR"},
    {7, 0, D, 20, "CET_IBT"},
    {7, 0, D, 22, "AMX_BF16"},
    {7, 0, D, 24, "AMX_TILE"},
    {7, 0, D, 25, "AMX_INT8"},
    {7, 0, D, 26, "SPEC_CTRL"},
    {7, 0, D, 27, "STIBP"},
    {7, 0, D, 28, "L1D_FLUSH"},
    {7, 0, D, 29, "ARCH_CAPABILITIES"},
    {7, 0, D, 30, "CORE_CAPABILITIES"},
    {7, 0, D, 31, "SSBD"},
    {7, 1, A, 17, "FRED"},
    {7, 1, A, 18, "LKGS"},
    {7, 1, A, 26, "LAM"},
    {7, 1, D, 18, "CET_SSS"},
    {0xd, 1, A, 3, "XSAVES"},
    {0xd, 0, A, 3, "BNDREGS"},
    {0xd, 0, A, 9, "PKRU"},
    {0xd, 0, A, 17, "TILECFG"},
    {0x80000001, 0, C, 1, "CMP_LEGACY"},
    {0x80000001, 0, C, 2, "SVM"},
    {0x80000001, 0, C, 3, "EXTAPIC"},
    {0x80000001, 0, C, 9, "OSVW"},
    {0x80000001, 0, C, 10, "IBS"},
    {0x80000001, 0, C, 15, "LWP"},
    {0x80000001, 0, C, 19, "NODEID_MSR"},
    {0x80000001, 0, C, 22, "TOPOEXT"},
    {0x80000001, 0, C, 23, "PERFCTR_CORE"},
    {0x80000001, 0, C, 29, "MWAITX"},
    {0x80000001, 0, D, 3, "PSE (AMD)"},
    {0x80000001, 0, D, 7, "MCE (AMD)"},
    {0x80000001, 0, D, 12, "MTRR (AMD)"},
    {0x80000001, 0, D, 13, "PGE (AMD)"},
    {0x80000001, 0, D, 14, "MCA (AMD)"},
    {0x80000001, 0, D, 17, "PSE36 (AMD)"},
    {0x80000001, 0, D, 26, "1 GiB pages"},
    {0x80000008, 0, Bx, 3, "INVLPGB"},
    {0x80000008, 0, Bx, 4, "RDPRU"},
    {0x80000008, 0, Bx, 12, "IBPB"},
    {0x80000008, 0, Bx, 14, "IBRS (AMD)"},
    {0x80000008, 0, Bx, 15, "STIBP (AMD)"},
    {0x80000008, 0, Bx, 24, "SSBD (AMD)"},
    {0x80000008, 0, Bx, 25, "VIRT_SSBD"},
};

/* Shown when the host has them. */
static const struct bit shown[] = {
    {1, 0, D, 0, "FPU"},           {1, 0, D, 4, "TSC"},
    {1, 0, D, 6, "PAE"},           {1, 0, D, 8, "CX8"},
    {1, 0, D, 16, "PAT"},          {1, 0, D, 24, "FXSR"},
    {1, 0, D, 26, "SSE2"},         {1, 0, C, 13, "CX16"},
    {1, 0, C, 25, "AES"},          {1, 0, C, 26, "XSAVE"},
    {1, 0, C, 27, "OSXSAVE"},      {1, 0, C, 28, "AVX"},
    {1, 0, C, 31, "HYPERVISOR"},   {7, 0, Bx, 5, "AVX2"},
    {7, 0, Bx, 16, "AVX512F"},     {0xd, 1, A, 0, "XSAVEOPT"},
    {0x80000001, 0, C, 0, "LAHF"}, {0x80000001, 0, D, 11, "SYSCALL"},
    {0x80000001, 0, D, 20, "NX"},  {0x80000001, 0, D, 27, "RDTSCP"},
    {0x80000001, 0, D, 29, "LM"},
};

static const struct cpuid_ctx dom0 = {.hardware_domain = true,
                                      .itsc = true,
                                      .vcpu_id = 3,
                                      .xcr0 = 7,
                                      .tsc_khz = 2500000,
                                      .tsc_mul = 0xcccccccd,
                                      .tsc_shift = -1,
                                      .maddr_bits = 36};
static const struct cpuid_ctx domu = {.vcpu_id = 1, .xcr0 = 3, .tsc_khz = 1, .maddr_bits = 52};

static struct cpuid_regs ask(const struct cpuid_host *h, uint32_t leaf, uint32_t n,
                             const struct cpuid_ctx *ctx)
{
    struct cpuid_regs r;

    memset(&r, 0xa5, sizeof(r));
    cpuid_policy(h, leaf, n, ctx, &r);
    return r;
}

static bool bit_of(const struct cpuid_host *h, const struct bit *b, const struct cpuid_ctx *ctx)
{
    struct cpuid_regs r = ask(h, b->leaf, b->subleaf, ctx);
    const uint32_t v[4] = {r.a, r.b, r.c, r.d};

    return v[b->reg] >> b->bit & 1;
}

static void all_ones(struct cpuid_host *h)
{
    memset(h, 0xff, sizeof(*h));
    h->ext[0].a = 0x800000ff;
    h->null_selector_clears_base = true;
}

static bool all_zero(struct cpuid_regs r)
{
    return !(r.a | r.b | r.c | r.d);
}

START_TEST(hidden_bits)
{
    const struct cpuid_ctx *ctx[] = {&dom0, &domu};
    struct cpuid_host h;

    all_ones(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++) {
        for (unsigned k = 0; k < 2; k++)
            ck_assert_msg(!bit_of(&h, &hidden[i], ctx[k]), "%s is visible", hidden[i].name);
    }
}
END_TEST

START_TEST(shown_bits)
{
    struct cpuid_host h;

    all_ones(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(shown); i++) {
        ck_assert_msg(bit_of(&h, &shown[i], &dom0), "%s is hidden from dom0", shown[i].name);
        ck_assert_msg(bit_of(&h, &shown[i], &domu), "%s is hidden from a domU", shown[i].name);
    }
}
END_TEST

START_TEST(apic_only_for_dom0)
{
    static const struct bit apic[] = {{1, 0, D, 9, "APIC"}, {0x80000001, 0, D, 9, "APIC (AMD)"}};
    struct cpuid_host h;

    all_ones(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(apic); i++) {
        ck_assert(bit_of(&h, &apic[i], &dom0));
        ck_assert(!bit_of(&h, &apic[i], &domu));
    }
}
END_TEST

/* No answer holds a bit the host lacks, but for those that are the policy's own. */
START_TEST(empty_host)
{
    struct cpuid_host h;
    struct cpuid_regs r;

    memset(&h, 0, sizeof(h));
    for (uint32_t leaf = 0; leaf < 0x40; leaf++) {
        for (uint32_t n = 0; n < 70; n++)
            ck_assert(all_zero(ask(&h, leaf, n, &dom0)));
    }
    r = ask(&h, 0x80000000, 0, &dom0);
    ck_assert_uint_eq(r.a, 0x80000000);
    for (uint32_t leaf = 0x80000001; leaf < 0x80000040; leaf++)
        ck_assert(all_zero(ask(&h, leaf, 0, &dom0)));
    ck_assert_uint_eq(cpuid_xcr0_allowed(&h), 0);
    ck_assert(!cpuid_xcr0_valid(&h, 1));
    h.basic[0].a = 0xd;
    r = ask(&h, 1, 0, &dom0);
    ck_assert_uint_eq(r.c, 1u << 31);
    ck_assert_uint_eq(r.d, 0);
    ck_assert(all_zero(ask(&h, 0xd, 0, &dom0)));
    ck_assert(all_zero(ask(&h, 0xd, 1, &dom0)));
}
END_TEST

START_TEST(unknown_leaves)
{
    static const uint32_t leaves[] = {
        3,          5,          6,          8,          9,          0xa,        0xc,
        0xe,        0x14,       0x15,       0x1d,       0x3fffffff, 0x40000004, 0x40000006,
        0x40000100, 0x7fffffff, 0x80000009, 0x8000000a, 0x8000001b, 0x8000001d, 0x8000001e,
        0x8000001f, 0x80000020, 0x80000022, 0xc0000000, 0xffffffff};
    struct cpuid_host h;

    all_ones(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        for (uint32_t n = 0; n < 4; n++)
            ck_assert_msg(all_zero(ask(&h, leaves[i], n, &dom0)), "leaf %x", leaves[i]);
    }
    for (uint32_t n = 8; n < 64; n++)
        ck_assert(all_zero(ask(&h, 0xd, n, &dom0)));
    for (uint32_t n = 2; n < 64; n++)
        ck_assert(all_zero(ask(&h, 7, n, &dom0)));
}
END_TEST

START_TEST(xen_leaves)
{
    struct cpuid_host h;
    struct cpuid_regs r;

    all_ones(&h);
    r = ask(&h, 0x40000000, 0, &dom0);
    ck_assert_uint_eq(r.a, 0x40000005);
    ck_assert_mem_eq(&r.b, "XenVMMXenVMM", 12);
    ck_assert_uint_eq(ask(&h, 0x40000001, 0, &dom0).a, 0x40011);
    r = ask(&h, 0x40000002, 0, &dom0);
    ck_assert_uint_eq(r.a, 0);
    ck_assert_uint_eq(r.c, 1);
    r = ask(&h, 0x40000003, 0, &dom0);
    ck_assert_uint_eq(r.a, 6);
    ck_assert_uint_eq(r.b, 2);
    ck_assert_uint_eq(r.c, 2500000);
    r = ask(&h, 0x40000003, 1, &dom0);
    ck_assert_uint_eq(r.c, 0xcccccccd);
    ck_assert_uint_eq(r.d, 0xffffffff);
    ck_assert_uint_eq(ask(&h, 0x40000003, 2, &dom0).a, 2500000);
    ck_assert(all_zero(ask(&h, 0x40000004, 0, &dom0)));
    ck_assert_uint_eq(ask(&h, 0x40000005, 0, &dom0).b, 36);
    ck_assert_uint_eq(ask(&h, 0x40000005, 0, &domu).b, 44);
}
END_TEST

START_TEST(topology)
{
    struct cpuid_host h;
    struct cpuid_regs r;

    all_ones(&h);
    r = ask(&h, 1, 0, &dom0);
    ck_assert_uint_eq(r.b >> 24, 6);
    ck_assert_uint_eq(r.b >> 16 & 0xff, 1);
    for (uint32_t n = 0; n < 2; n++) {
        r = ask(&h, 0xb, n, &dom0);
        ck_assert(r.a == 1 && r.b == 1 && r.d == 6 && r.c == ((n + 1) << 8 | n));
    }
    r = ask(&h, 0xb, 2, &dom0);
    ck_assert(r.a == 0 && r.b == 0 && r.c == 2 && r.d == 6);
    r = ask(&h, 4, 0, &dom0);
    ck_assert_uint_eq(r.a >> 14, 0);
    ck_assert_uint_eq(ask(&h, 0, 0, &dom0).a, 0xd);
    r = ask(&h, 0x80000008, 0, &dom0);
    ck_assert_uint_eq(r.a, 0x30ff);
    ck_assert(!r.c && !r.d);
    ck_assert_uint_eq(ask(&h, 0x80000007, 0, &dom0).d, 0x100);
    ck_assert(all_zero(ask(&h, 0x80000007, 0, &domu)));
}
END_TEST

/* Sizes as an Intel server CPU gives them. */
static void xsave_host(struct cpuid_host *h)
{
    memset(h, 0, sizeof(*h));
    h->basic[0].a = 0xd;
    h->basic[1].c = 1u << 26 | 1u << 28;
    h->features[0].b = 1u << 16 | 1u << 5;
    h->xsave[0].a = 0x2e7;
    h->xsave[1].a = 0x1f;
    h->xsave[2] = (struct cpuid_regs){256, 576, 0, 0};
    h->xsave[5] = (struct cpuid_regs){64, 1088, 0, 0};
    h->xsave[6] = (struct cpuid_regs){512, 1152, 0, 0};
    h->xsave[7] = (struct cpuid_regs){1024, 1664, 2, 0};
}

START_TEST(extended_state)
{
    struct cpuid_ctx ctx = dom0;
    struct cpuid_host h;
    struct cpuid_regs r;

    xsave_host(&h);
    ck_assert_uint_eq(cpuid_xcr0_allowed(&h), 0xe7);
    for (uint64_t v = 0; v < 1024; v++) {
        bool good = (v & 1) && !(v & ~0xe7ull) && (!(v & 4) || (v & 2)) &&
                    (!(v & 0xe0) || ((v & 0xe0) == 0xe0 && (v & 4)));
        ck_assert_msg(cpuid_xcr0_valid(&h, v) == good, "xcr0 %lx", (unsigned long)v);
    }
    ck_assert(!cpuid_xcr0_valid(&h, 1ull << 62 | 1));
    r = ask(&h, 0xd, 0, &ctx);
    ck_assert(r.a == 0xe7 && r.b == 832 && r.c == 2688 && r.d == 0);
    ctx.xcr0 = 0xe7;
    r = ask(&h, 0xd, 1, &ctx);
    ck_assert(r.a == 7 && r.b == 576 + 256 + 64 + 512 + 1024 && r.c == 0 && r.d == 0);
    h.xsave[5].a = 8; /* the component behind is aligned in the compact format */
    ck_assert_uint_eq(ask(&h, 0xd, 1, &ctx).b, 1408 + 1024);
    r = ask(&h, 0xd, 7, &ctx);
    ck_assert(r.a == 1024 && r.b == 1664 && r.c == 2);
    ck_assert(all_zero(ask(&h, 0xd, 3, &ctx)));
    ck_assert(ask(&h, 7, 0, &ctx).b & 1u << 16);
    h.xsave[0].a = 3; /* no AVX state: its instructions must vanish too */
    r = ask(&h, 7, 0, &ctx);
    ck_assert(!(r.b & (1u << 16 | 1u << 5)));
    ck_assert(!(ask(&h, 1, 0, &ctx).c & 1u << 28));
    ck_assert_uint_eq(ask(&h, 0xd, 0, &ctx).c, 576);
    h.basic[1].c &= ~(1u << 26);
    ck_assert(!(ask(&h, 1, 0, &ctx).c & (3u << 26)));
    ck_assert(all_zero(ask(&h, 0xd, 0, &ctx)));
}
END_TEST

START_TEST(null_selector)
{
    struct cpuid_host h;

    memset(&h, 0, sizeof(h));
    h.ext[0].a = 0x80000008;
    ck_assert_uint_eq(ask(&h, 0x80000000, 0, &domu).a, 0x80000008);
    h.null_selector_clears_base = true;
    ck_assert_uint_eq(ask(&h, 0x80000000, 0, &domu).a, 0x80000021);
    ck_assert_uint_eq(ask(&h, 0x80000021, 0, &domu).a, 1u << 6);
    ck_assert(all_zero(ask(&h, 0x8000001f, 0, &domu)));
}
END_TEST

/* The machine the test runs on: nothing appears that it lacks. */
START_TEST(this_host)
{
    static const uint32_t leaves[] = {1, 7, 0x80000001, 0x80000008};
    struct cpuid_host h;

    cpuid_host_read(&h);
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        uint32_t l = leaves[i];
        struct cpuid_regs raw = l >> 31 ? h.ext[l & 0xffff] : l == 7 ? h.features[0] : h.basic[l];
        struct cpuid_regs r = ask(&h, l, 0, &dom0);

        if (l != 0x80000008)
            ck_assert(!(r.c & ~raw.c & ~(l == 1 ? 1u << 31 | 1u << 27 : 0)) && !(r.d & ~raw.d));
        if (l != 1)
            ck_assert(!(r.b & ~raw.b));
    }
    ck_assert(!cpuid_xcr0_allowed(&h) || cpuid_xcr0_valid(&h, cpuid_xcr0_allowed(&h)));
    ck_assert(!(cpuid_vendor_intel(&h) && cpuid_vendor_amd(&h)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cpuid_policy");
    TCase *t = tcase_create("cpuid_policy");
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, hidden_bits);
    tcase_add_test(t, shown_bits);
    tcase_add_test(t, apic_only_for_dom0);
    tcase_add_test(t, empty_host);
    tcase_add_test(t, unknown_leaves);
    tcase_add_test(t, xen_leaves);
    tcase_add_test(t, topology);
    tcase_add_test(t, extended_state);
    tcase_add_test(t, null_selector);
    tcase_add_test(t, this_host);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
