/* SPDX-License-Identifier: MIT */
/* The table of model-specific registers; see msr_policy.h. */
#include <hv/access.h>
#include "msr_policy.h"

enum vendor { ANY, INTEL, AMD };

enum read_rule {
    R_DENY,
    R_CONST, /* rule.value */
    R_UCODE,
    R_PLATFORM,
    R_APIC_BASE,
    R_CALLER, /* rule.value is the action */
};

enum write_rule {
    W_DENY,
    W_IGNORE,
    W_SAME, /* only what reading it gives: a guest that writes back what it found goes on */
    W_ZERO, /* ignored, but only a zero */
    W_BASE, /* a canonical address, for the caller */
    W_U32,  /* 32 bits, for the caller */
};

struct rule {
    uint32_t first, last;
    uint8_t vendor, read, write;
    uint64_t value;
};

#define EFER_VALUE               0xd01  /* SCE, LME, LMA, NX */
#define MISC_ENABLE              0x1801 /* fast strings; no BTS, no PEBS */
#define HWCR_TSC_AT_P0           (1ull << 24)
#define DE_CFG_LFENCE_SERIALIZES 2 /* the CPU's start sets it where it exists */

#define ONE(index) (index), (index)
static const struct rule rules[] = {
    {ONE(0x0000001b), ANY, R_APIC_BASE, W_SAME, 0},
    {ONE(0x0000008b), ANY, R_UCODE, W_ZERO, 0}, /* Intel's way to read it begins with writing 0 */
    /* SYSENTER_CS, ESP, EIP: entries are registered by hypercall */
    {0x00000174, 0x00000176, ANY, R_DENY, W_IGNORE, 0},
    {ONE(0x00000179), ANY, R_CONST, W_DENY, 0}, /* MCG_CAP: no banks */
    {ONE(0x00000277), ANY, R_CONST, W_SAME, GUEST_PAT},
    {ONE(0xc0000080), ANY, R_CONST, W_SAME, EFER_VALUE},
    {0xc0000081, 0xc0000084, ANY, R_DENY, W_IGNORE, 0}, /* STAR, LSTAR, CSTAR, SFMASK: likewise */
    {0xc0000100, 0xc0000102, ANY, R_CALLER, W_BASE, MSR_DO_BASE}, /* FS, GS, KERNEL_GS */
    {ONE(0xc0000103), ANY, R_CALLER, W_U32, MSR_DO_TSC_AUX},

    {ONE(0x00000017), INTEL, R_PLATFORM, W_DENY, 0},
    {ONE(0x000001a0), INTEL, R_CONST, W_SAME, MISC_ENABLE},

    /* four event selectors and counters: none usable */
    {0xc0010000, 0xc0010007, AMD, R_CONST, W_DENY, 0},
    {ONE(0xc0010015), AMD, R_CONST, W_IGNORE, HWCR_TSC_AT_P0},
    {ONE(0xc0010055), AMD, R_CONST, W_DENY, 0}, /* interrupt pending message: off */
    {ONE(0xc0011029), AMD, R_CONST, W_SAME, DE_CFG_LFENCE_SERIALIZES},
};

#ifndef PARAVANE_HOST
#include <hv/x86.h>

struct msr_host msr_host;

void msr_host_init(void)
{
    msr_host.intel = cpuid_vendor_intel(&cpuid_host);
    msr_host.amd = cpuid_vendor_amd(&cpuid_host);
    /* Both are architectural where they are read. */
    if (msr_host.intel)
        msr_host.platform_id = rdmsr(0x17);
    if (msr_host.intel || msr_host.amd)
        msr_host.ucode_revision = rdmsr(0x8b);
}
#endif

static const struct rule *find(const struct msr_host *h, uint32_t index)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct rule *r = &rules[i];

        if (index >= r->first && index <= r->last)
            return r->vendor == ANY || (r->vendor == INTEL ? h->intel : h->amd) ? r : NULL;
    }
    return NULL;
}

static enum msr_action read_by(const struct rule *r, const struct msr_host *h, unsigned vcpu_id,
                               uint64_t *value)
{
    switch ((enum read_rule)r->read) {
    case R_CONST:
        *value = r->value;
        return MSR_DONE;
    case R_UCODE:
        *value = h->ucode_revision;
        return MSR_DONE;
    case R_PLATFORM:
        *value = h->platform_id;
        return MSR_DONE;
    case R_APIC_BASE: /* enabled, at the usual place; bit 8 marks the boot CPU */
        *value = 0xfee00800 | (vcpu_id ? 0 : 0x100);
        return MSR_DONE;
    case R_CALLER:
        return (enum msr_action)r->value;
    case R_DENY:
        break;
    }
    return MSR_DENY;
}

enum msr_action msr_read(const struct msr_host *h, unsigned vcpu_id, uint32_t index,
                         uint64_t *value)
{
    const struct rule *r = find(h, index);

    *value = 0;
    return r ? read_by(r, h, vcpu_id, value) : MSR_DENY;
}

enum msr_action msr_write(const struct msr_host *h, unsigned vcpu_id, uint32_t index,
                          uint64_t value)
{
    const struct rule *r = find(h, index);
    uint64_t now = 0;

    if (!r)
        return MSR_DENY;
    switch ((enum write_rule)r->write) {
    case W_IGNORE:
        return MSR_DONE;
    case W_SAME:
        return read_by(r, h, vcpu_id, &now) == MSR_DONE && now == value ? MSR_DONE : MSR_DENY;
    case W_ZERO:
        return value ? MSR_DENY : MSR_DONE;
    case W_BASE:
        return canonical(value) ? (enum msr_action)r->value : MSR_DENY;
    case W_U32:
        return value >> 32 ? MSR_DENY : (enum msr_action)r->value;
    case W_DENY:
        break;
    }
    return MSR_DENY;
}
