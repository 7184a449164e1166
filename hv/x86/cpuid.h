/* SPDX-License-Identifier: MIT */
/*
 * What guests see of the processor. Every answer is computed from a snapshot taken at boot and from
 * allow-lists: a feature bit nobody thought about is hidden.
 */
#ifndef HV_X86_CPUID_H
#define HV_X86_CPUID_H

#include <hv/types.h>

struct cpuid_regs {
    uint32_t a, b, c, d;
};

/* What the processor says itself. */
static inline void cpuid_raw(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *r)
{
    __asm__ volatile("cpuid" : "=a"(r->a), "=b"(r->b), "=c"(r->c), "=d"(r->d) : "0"(leaf), "2"(subleaf));
}

#define CPUID_BASIC_LEAVES 0x0e /* 0 .. 0xd */
#define CPUID_EXT_LEAVES   0x22 /* 0x80000000 .. 0x80000021 */

/* Raw leaves of the boot CPU; those it does not have are zero. */
struct cpuid_host {
    struct cpuid_regs basic[CPUID_BASIC_LEAVES];
    struct cpuid_regs ext[CPUID_EXT_LEAVES];
    struct cpuid_regs cache[8];    /* leaf 4 */
    struct cpuid_regs features[2]; /* leaf 7 */
    struct cpuid_regs xsave[8];    /* leaf 0xd: the components below bit 8 are all we know */
    /* Found by trying: loading a null selector clears the segment's base. Guests that are told so
     * save two segment loads for each context switch. */
    bool null_selector_clears_base;
};

struct cpuid_ctx {
    bool hardware_domain;
    bool itsc; /* the TSC never stops or changes its rate, as far as time.c knows */
    uint32_t vcpu_id;
    uint64_t xcr0; /* the vCPU's */
    uint32_t tsc_khz;
    uint32_t tsc_mul; /* as in vcpu_time_info */
    int8_t tsc_shift;
    uint8_t maddr_bits; /* width of the highest machine address of RAM */
};

#ifndef PARAVANE_HOST
extern struct cpuid_host cpuid_host;
void cpuid_host_init(void); /* once, on the boot CPU, before all else that looks at it and before FS means anything */
#endif
void cpuid_host_read(struct cpuid_host *h); /* the leaves alone */

void cpuid_policy(const struct cpuid_host *h, uint32_t leaf, uint32_t subleaf,
                  const struct cpuid_ctx *ctx, struct cpuid_regs *out);

/* Extended state: what guests may enable (0: no XSAVE), whether a value is good for XSETBV(0), and
 * how many bytes the standard format takes with it. */
uint64_t cpuid_xcr0_allowed(const struct cpuid_host *h);
bool cpuid_xcr0_valid(const struct cpuid_host *h, uint64_t xcr0);
uint32_t cpuid_xsave_size(const struct cpuid_host *h, uint64_t xcr0);

static inline bool cpuid_vendor_intel(const struct cpuid_host *h)
{
    return h->basic[0].b == 0x756e6547 && h->basic[0].d == 0x49656e69 &&
           h->basic[0].c == 0x6c65746e;
}

static inline bool cpuid_vendor_amd(const struct cpuid_host *h) /* or Hygon, its licensee */
{
    return (h->basic[0].b == 0x68747541 && h->basic[0].d == 0x69746e65 &&
            h->basic[0].c == 0x444d4163) ||
           (h->basic[0].b == 0x6f677948 && h->basic[0].d == 0x6e65476e &&
            h->basic[0].c == 0x656e6975);
}

#endif
