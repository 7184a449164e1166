/* SPDX-License-Identifier: MIT */
/* CPUID as guests see it; see cpuid.h. */
#include "cpuid.h"

#define B(n) (1u << (n))

/* Leaf 1 ECX. Absent on purpose: DTES64, MONITOR, DS_CPL, VMX, SMX, EST, TM2, PDCM, PCID, DCA,
 * x2APIC, TSC deadline. */
#define C1_FMA        B(12)
#define C1_XSAVE      B(26)
#define C1_OSXSAVE    B(27)
#define C1_AVX        B(28)
#define C1_F16C       B(29)
#define C1_HYPERVISOR B(31)
#define ALLOW_1C                                                                                   \
    (B(0) /* SSE3 */ | B(1) /* PCLMULQDQ */ | B(9) /* SSSE3 */ | C1_FMA | B(13) /* CX16 */ |       \
     B(19) /* SSE4.1 */ | B(20) /* SSE4.2 */ | B(22) /* MOVBE */ | B(23) /* POPCNT */ |            \
     B(25) /* AES */ | C1_XSAVE | C1_AVX | C1_F16C | B(30) /* RDRAND */)

/* Leaf 1 EDX. Absent: VME, PSE, MCE, MTRR, PGE, MCA, PSE36, PSN, DS, ACPI, HTT, TM, PBE. */
#define D1_APIC B(9)
#define ALLOW_1D                                                                                   \
    (B(0) /* FPU */ | B(2) /* DE */ | B(4) /* TSC */ | B(5) /* MSR */ | B(6) /* PAE */ |           \
     B(8) /* CX8 */ | B(11) /* SEP */ | B(15) /* CMOV */ | B(16) /* PAT */ | B(19) /* CLFLUSH */ | \
     B(23) /* MMX */ | B(24) /* FXSR */ | B(25) /* SSE */ | B(26) /* SSE2 */ | B(27) /* SS */)

/* Leaf 7 EBX. Absent: FSGSBASE (would cost a trapped RDMSR for each context switch), TSC_ADJUST,
 * SGX, HLE, SMEP, INVPCID, RTM, RDT, MPX, SMAP, PT. */
#define B7_AVX    B(5) /* AVX2 */
#define B7_AVX512 (B(16) | B(17) | B(21) | B(26) | B(27) | B(28) | B(30) | B(31))
#define ALLOW_7B                                                                                   \
    (B(3) /* BMI1 */ | B7_AVX | B(6) /* FDP_EXCPTN_ONLY */ | B(8) /* BMI2 */ | B(9) /* ERMS */ |   \
     B(13) /* no FPU selectors */ | B(18) /* RDSEED */ | B(19) /* ADX */ |                         \
     B(23) /* CLFLUSHOPT */ | B(24) /* CLWB */ | B(29) /* SHA */ | B7_AVX512)

/* Leaf 7 ECX. Absent: UMIP, PKU, WAITPKG, CET, TME, LA57, RDPID, KL, bus lock, ENQCMD, SGX_LC, PKS.
 */
#define C7_AVX    (B(9) /* VAES */ | B(10) /* VPCLMULQDQ */)
#define C7_AVX512 (B(1) | B(6) | B(11) | B(12) | B(14))
#define ALLOW_7C                                                                                   \
    (B(0) /* PREFETCHWT1 */ | B(8) /* GFNI */ | B(25) /* CLDEMOTE */ | B(27) /* MOVDIRI */ |       \
     B(28) /* MOVDIR64B */ | C7_AVX | C7_AVX512)

/* Leaf 7 EDX. Absent: all speculation-control MSRs, UINTR, TSX, PCONFIG, LBR, CET, AMX, hybrid. */
#define D7_AVX512 (B(2) | B(3) | B(8) | B(23))
#define ALLOW_7D                                                                                   \
    (B(4) /* FSRM */ | B(10) /* MD_CLEAR: VERW works in ring 3 */ | B(14) /* SERIALIZE */ |        \
     D7_AVX512)

/* Leaf 7.1. */
#define A71_AVX                                                                                    \
    (B(0) /* SHA512 */ | B(1) /* SM3 */ | B(2) /* SM4 */ | B(4) /* AVX-VNNI */ |                   \
     B(23) /* AVX-IFMA */)
#define A71_AVX512 B(5) /* BF16 */
#define ALLOW_71A  (B(10) /* FZRM */ | B(11) /* FSRS */ | B(12) /* FSRC */ | A71_AVX | A71_AVX512)
#define D71_AVX    (B(4) /* AVX-VNNI-INT8 */ | B(5) /* AVX-NE-CONVERT */ | B(10) /* AVX-VNNI-INT16 \
                                                                                  */)
#define ALLOW_71D (D71_AVX | B(14) /* PREFETCHI */)

/* Leaf 0x80000001 ECX. Absent: CMP_LEGACY, SVM, EXTAPIC, CR8_LEGACY, OSVW, IBS, SKINIT, WDT, LWP,
 * TCE, NODEID_MSR, TOPOEXT, the performance counters, MWAITX. */
#define CE1_AVX (B(11) /* XOP */ | B(16) /* FMA4 */)
#define ALLOW_E1C                                                                                  \
    (B(0) /* LAHF */ | B(5) /* ABM */ | B(6) /* SSE4A */ | B(7) /* MISALIGNSSE */ |                \
     B(8) /* 3DNOWPREFETCH */ | B(21) /* TBM */ | CE1_AVX)

/* Leaf 0x80000001 EDX: AMD repeats part of leaf 1 there. Absent beyond that: 1 GiB pages, MP. */
#define DE1_REPEATED 0x0183f3ffu
#define DE1_RDTSCP   B(27)
#define ALLOW_E1D                                                                                  \
    (B(11) /* SYSCALL */ | B(20) /* NX */ | B(22) /* MMXEXT */ | B(25) /* FXSR_OPT */ |            \
     DE1_RDTSCP | B(29) /* LM */ | B(30) /* 3DNOWEXT */ | B(31) /* 3DNOW */ |                      \
     (DE1_REPEATED & ALLOW_1D & ~B(11)))

#define D7E_ITSC              B(8)
#define ALLOW_E8B             (B(0) /* CLZERO */ | B(2) /* FXSAVE always keeps error pointers */)
#define A21E_NULL_CLEARS_BASE B(6)
#define ALLOW_E21A                                                                                 \
    (B(0) /* NO_NESTED_DATA_BP */ | B(2) /* LFENCE serialises */ | A21E_NULL_CLEARS_BASE)

#define ALLOW_D1A (B(0) /* XSAVEOPT */ | B(1) /* XSAVEC */ | B(2) /* XGETBV(1) */) /* not XSAVES   \
                                                                                    */
#define D1A_XSAVEC B(1)

#define XCR0_X87    0x01u
#define XCR0_SSE    0x02u
#define XCR0_AVX    0x04u
#define XCR0_AVX512 0xe0u

#define XEN_LEAF       0x40000000u
#define XEN_LEAF_MAX   0x40000005u
#define XEN_VERSION    ((4u << 16) | 17)
#define TSC_MODE_NEVER 2  /* the TSC is never emulated */
#define GRANT_V1_BITS  44 /* 32-bit frame numbers */
#define LINEAR_BITS    48

/* ---- The snapshot ---- */

void cpuid_host_read(struct cpuid_host *h)
{
    uint32_t max, n;

    *h = (struct cpuid_host){0};
    cpuid_raw(0, 0, &h->basic[0]);
    max = MIN(h->basic[0].a, CPUID_BASIC_LEAVES - 1u);
    for (n = 1; n <= max; n++)
        cpuid_raw(n, 0, &h->basic[n]);
    for (n = 0; max >= 4 && n < ARRAY_SIZE(h->cache); n++)
        cpuid_raw(4, n, &h->cache[n]);
    if (max >= 7) {
        h->features[0] = h->basic[7];
        if (h->basic[7].a >= 1)
            cpuid_raw(7, 1, &h->features[1]);
    }
    if (max >= 0xd && (h->basic[1].c & C1_XSAVE)) {
        for (n = 0; n < ARRAY_SIZE(h->xsave); n++)
            cpuid_raw(0xd, n, &h->xsave[n]);
    }
    cpuid_raw(0x80000000, 0, &h->ext[0]);
    if (h->ext[0].a >> 16 != 0x8000)
        return;
    max = MIN(h->ext[0].a & 0xffff, CPUID_EXT_LEAVES - 1u);
    for (n = 1; n <= max; n++)
        cpuid_raw(0x80000000 + n, 0, &h->ext[n]);
}

#ifndef PARAVANE_HOST
struct cpuid_host cpuid_host;

#define MSR_INDEX_FS_BASE 0xc0000100u

void cpuid_host_init(void)
{
    uint32_t low, high, null = 0;

    cpuid_host_read(&cpuid_host);
    __asm__ volatile("wrmsr\n\tmov %3, %%fs\n\trdmsr"
                     : "=a"(low), "=d"(high)
                     : "c"(MSR_INDEX_FS_BASE), "r"(null), "a"(1), "d"(0));
    cpuid_host.null_selector_clears_base = !low && !high;
    __asm__ volatile("wrmsr" : : "c"(MSR_INDEX_FS_BASE), "a"(0), "d"(0));
}
#endif

/* ---- Extended state ---- */

uint64_t cpuid_xcr0_allowed(const struct cpuid_host *h)
{
    uint32_t have = h->xsave[0].a, allowed = XCR0_X87 | XCR0_SSE;

    if (!(h->basic[1].c & C1_XSAVE) || !BITS_SET(have, allowed))
        return 0;
    if ((h->basic[1].c & C1_AVX) && (have & XCR0_AVX)) {
        allowed |= XCR0_AVX;
        if ((h->features[0].b & B(16)) && BITS_SET(have, XCR0_AVX512))
            allowed |= XCR0_AVX512;
    }
    return allowed;
}

bool cpuid_xcr0_valid(const struct cpuid_host *h, uint64_t xcr0)
{
    uint64_t avx512 = xcr0 & XCR0_AVX512;

    if ((xcr0 & ~cpuid_xcr0_allowed(h)) || !(xcr0 & XCR0_X87))
        return false;
    if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
        return false;
    return !avx512 || (avx512 == XCR0_AVX512 && (xcr0 & XCR0_AVX));
}

#define XSAVE_LEGACY 576 /* x87 and SSE state, and the header */

uint32_t cpuid_xsave_size(const struct cpuid_host *h, uint64_t xcr0)
{
    uint32_t size = XSAVE_LEGACY;

    xcr0 &= cpuid_xcr0_allowed(h);
    for (unsigned n = 2; n < ARRAY_SIZE(h->xsave); n++) {
        if (xcr0 >> n & 1)
            size = MAX(size, h->xsave[n].a + h->xsave[n].b);
    }
    return size;
}

static uint32_t xsave_compact_size(const struct cpuid_host *h, uint64_t xcr0)
{
    uint32_t size = XSAVE_LEGACY;

    xcr0 &= cpuid_xcr0_allowed(h);
    for (unsigned n = 2; n < ARRAY_SIZE(h->xsave); n++) {
        if (!(xcr0 >> n & 1))
            continue;
        if (h->xsave[n].c & 2)
            size = ROUND_UP(size, 64u);
        size += h->xsave[n].a;
    }
    return size;
}

static void xsave_leaf(const struct cpuid_host *h, uint32_t n, const struct cpuid_ctx *ctx,
                       struct cpuid_regs *out)
{
    uint64_t allowed = cpuid_xcr0_allowed(h);

    if (!allowed)
        return;
    if (n == 0) {
        out->a = (uint32_t)allowed;
        out->b = cpuid_xsave_size(h, ctx->xcr0);
        out->c = cpuid_xsave_size(h, allowed);
    } else if (n == 1) {
        out->a = h->xsave[1].a & ALLOW_D1A;
        if (out->a & D1A_XSAVEC)
            out->b = xsave_compact_size(h, ctx->xcr0);
    } else if (n < ARRAY_SIZE(h->xsave) && (allowed >> n & 1)) {
        out->a = h->xsave[n].a;
        out->b = h->xsave[n].b;
        out->c = h->xsave[n].c &
                 2; /* alignment in the compact format; bit 0 would mean supervisor state */
    }
}

/* ---- Features ---- */

/* Of an allow-list, what the extended state makes possible. */
static uint32_t usable(uint64_t xcr0, uint32_t allow, uint32_t need_avx, uint32_t need_avx512)
{
    if (!(xcr0 & XCR0_AVX))
        allow &= ~need_avx;
    if (!BITS_SET(xcr0, (uint64_t)XCR0_AVX512))
        allow &= ~need_avx512;
    return allow;
}

/* Each vCPU is a package of its own; leaving odd numbers out keeps SMT guesses away. */
static uint32_t apic_id(const struct cpuid_ctx *ctx)
{
    return ctx->vcpu_id * 2;
}

static void leaf_1(const struct cpuid_host *h, const struct cpuid_ctx *ctx, struct cpuid_regs *out)
{
    const struct cpuid_regs *in = &h->basic[1];
    uint64_t xcr0 = cpuid_xcr0_allowed(h);

    out->a = in->a;
    out->b = (in->b & 0xff00) | 1u << 16 | (apic_id(ctx) & 0xff) << 24;
    out->c = in->c & usable(xcr0, ALLOW_1C, C1_FMA | C1_AVX | C1_F16C, 0);
    /* CR4.OSXSAVE is always set below a guest, which looks here to see whether XSAVE can be used.
     */
    if (xcr0)
        out->c |= C1_OSXSAVE;
    else
        out->c &= ~C1_XSAVE;
    out->c |= C1_HYPERVISOR;
    out->d = in->d & (ALLOW_1D | (ctx->hardware_domain ? D1_APIC : 0));
}

static void leaf_4(const struct cpuid_host *h, uint32_t n, struct cpuid_regs *out)
{
    if (n >= ARRAY_SIZE(h->cache) || !(h->cache[n].a & 0x1f))
        return;
    *out = h->cache[n];
    out->a &= 0x3fff; /* shared by one thread, one core in the package */
}

static void leaf_7(const struct cpuid_host *h, uint32_t n, struct cpuid_regs *out)
{
    uint64_t xcr0 = cpuid_xcr0_allowed(h);

    if (n == 0) {
        const struct cpuid_regs *in = &h->features[0];

        out->a = MIN(in->a, 1u);
        out->b = in->b & usable(xcr0, ALLOW_7B, B7_AVX, B7_AVX512);
        out->c = in->c & usable(xcr0, ALLOW_7C, C7_AVX, C7_AVX512);
        out->d = in->d & usable(xcr0, ALLOW_7D, 0, D7_AVX512);
    } else if (n == 1) {
        const struct cpuid_regs *in = &h->features[1];

        out->a = in->a & usable(xcr0, ALLOW_71A, A71_AVX, A71_AVX512);
        out->d = in->d & usable(xcr0, ALLOW_71D, D71_AVX, 0);
    }
}

/* Topology: a thread level and a core level with one member each. */
static void leaf_b(uint32_t n, const struct cpuid_ctx *ctx, struct cpuid_regs *out)
{
    out->c = n & 0xff;
    out->d = apic_id(ctx);
    if (n < 2) {
        out->a = 1;
        out->b = 1;
        out->c |= (n + 1) << 8;
    }
}

static void basic_leaf(const struct cpuid_host *h, uint32_t leaf, uint32_t n,
                       const struct cpuid_ctx *ctx, struct cpuid_regs *out)
{
    switch (leaf) {
    case 0:
        *out = h->basic[0];
        out->a = MIN(out->a, CPUID_BASIC_LEAVES - 1u);
        break;
    case 1:
        leaf_1(h, ctx, out);
        break;
    case 2:
        *out = h->basic[2];
        break;
    case 4:
        leaf_4(h, n, out);
        break;
    case 7:
        leaf_7(h, n, out);
        break;
    case 0xb:
        leaf_b(n, ctx, out);
        break;
    case 0xd:
        xsave_leaf(h, n, ctx, out);
        break;
    }
}

/* The last extended leaf shown. Raised to reach the one bit of 0x80000021 that we know without the
 * CPU's telling. */
static uint32_t ext_max(const struct cpuid_host *h)
{
    uint32_t max =
        h->ext[0].a >> 16 == 0x8000 ? MIN(h->ext[0].a & 0xffff, CPUID_EXT_LEAVES - 1u) : 0;

    return max >= 8 && h->null_selector_clears_base ? CPUID_EXT_LEAVES - 1u : max;
}

static void ext_leaf(const struct cpuid_host *h, uint32_t n, const struct cpuid_ctx *ctx,
                     struct cpuid_regs *out)
{
    const struct cpuid_regs *in = &h->ext[n];
    uint64_t xcr0 = cpuid_xcr0_allowed(h);

    switch (n) {
    case 0:
        *out = *in;
        out->a = 0x80000000 | ext_max(h);
        break;
    case 1:
        out->a = in->a;
        out->c = in->c & usable(xcr0, ALLOW_E1C, CE1_AVX, 0);
        out->d = in->d & (ALLOW_E1D | (ctx->hardware_domain ? D1_APIC : 0));
        break;
    case 2 ... 6: /* brand string, caches */
        *out = *in;
        break;
    case 7:
        out->d = ctx->itsc ? in->d & D7E_ITSC : 0;
        break;
    case 8:
        out->a = (in->a & 0xff) | MIN(in->a >> 8 & 0xff, (uint32_t)LINEAR_BITS) << 8;
        out->b = in->b & ALLOW_E8B;
        break;
    case 0x21:
        out->a = in->a & ALLOW_E21A;
        if (h->null_selector_clears_base)
            out->a |= A21E_NULL_CLEARS_BASE;
        break;
    }
}

static void xen_leaf(const struct cpuid_host *h, uint32_t leaf, uint32_t n,
                     const struct cpuid_ctx *ctx, struct cpuid_regs *out)
{
    switch (leaf) {
    case XEN_LEAF:
        *out = (struct cpuid_regs){XEN_LEAF_MAX, 0x566e6558, 0x65584d4d,
                                   0x4d4d566e}; /* "XenVMMXenVMM" */
        break;
    case XEN_LEAF + 1:
        out->a = XEN_VERSION;
        break;
    case XEN_LEAF + 2:
        out->b = XEN_LEAF; /* MSR for a hypercall page, of which there is none: EAX counts 0 */
        out->c = 1;        /* MMU_PT_UPDATE_PRESERVE_AD */
        break;
    case XEN_LEAF + 3:
        if (n == 0) {
            out->a = (ctx->itsc ? 2 : 0) | (h->ext[1].d & DE1_RDTSCP ? 4 : 0);
            out->b = TSC_MODE_NEVER;
            out->c = ctx->tsc_khz;
        } else if (n == 1) {
            out->c = ctx->tsc_mul;
            out->d = (uint32_t)ctx->tsc_shift;
        } else if (n == 2) {
            out->a = ctx->tsc_khz;
        }
        break;
    case XEN_LEAF + 5:
        /* More would make Linux ask for version 2 grants, which do not exist here. */
        if (n == 0)
            out->b = MIN(ctx->maddr_bits, GRANT_V1_BITS);
        break;
    }
}

void cpuid_policy(const struct cpuid_host *h, uint32_t leaf, uint32_t subleaf,
                  const struct cpuid_ctx *ctx, struct cpuid_regs *out)
{
    *out = (struct cpuid_regs){0};
    if (leaf == 0 || leaf <= MIN(h->basic[0].a, CPUID_BASIC_LEAVES - 1u))
        basic_leaf(h, leaf, subleaf, ctx, out);
    else if (leaf >= XEN_LEAF && leaf <= XEN_LEAF_MAX)
        xen_leaf(h, leaf, subleaf, ctx, out);
    else if (leaf >= 0x80000000 && leaf - 0x80000000 <= ext_max(h))
        ext_leaf(h, leaf - 0x80000000, ctx, out);
}
