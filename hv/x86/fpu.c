/* SPDX-License-Identifier: MIT */
/* Extended processor state: saved whenever a vCPU leaves the CPU, loaded before another one's guest runs. Never lazily:
 * what is in the registers is the current vCPU's, or nobody's while the idle vCPU runs. */
#include <string.h>

#include "context.h"
#include "cpuid.h"

#define FXSAVE_SIZE  512
#define XSAVE_HEADER 64
#define MXCSR_OFFSET 24
#define MXCSR_MASK_OFFSET 28
#define MXCSR_DEFAULT 0x1f80
#define FCW_DEFAULT   0x37f
#define XCR0_X87      1ull

static uint64_t xcr0_all; /* what any guest may enable; 0: no XSAVE */
static uint32_t mxcsr_mask = 0xffbf;
static unsigned area_order;

static void write_xcr0(uint64_t v)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

/* XCR0 is the guest's while its vCPU runs, but it stops neither SSE nor components that were in use before it was narrowed:
 * all of the state is moved under an XCR0 that lets all be moved. */
static void xcr0_load(struct percpu *c, uint64_t v)
{
    if (unlikely(c->xcr0 != v)) {
        c->xcr0 = v;
        write_xcr0(v);
    }
}

void fpu_host_init(struct percpu *c)
{
    static uint8_t area[FXSAVE_SIZE] __aligned(16);
    uint32_t mask;

    xcr0_all = cpuid_xcr0_allowed(&cpuid_host);
    if (xcr0_all) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xcr0_load(c, xcr0_all);
        while ((PAGE_SIZE << area_order) < cpuid_xsave_size(&cpuid_host, xcr0_all))
            area_order++;
    }
    __asm__ volatile("fninit; fxsave64 %0" : "=m"(area));
    memcpy(&mask, area + MXCSR_MASK_OFFSET, sizeof(mask));
    if (mask)
        mxcsr_mask = mask;
}

/* The state that the processor has after reset, in the standard format. */
static void set_initial(uint8_t *area)
{
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;

    memcpy(area, &fcw, sizeof(fcw));
    memcpy(area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

int fpu_create(struct vcpu *v)
{
    v->xsave = page_alloc(area_order);
    if (!v->xsave)
        return -XEN_ENOMEM;
    v->xcr0 = xcr0_all ? XCR0_X87 : 0;
    set_initial(v->xsave);
    return 0;
}

void fpu_destroy(struct vcpu *v)
{
    if (v->xsave)
        page_free(v->xsave, area_order);
}

void fpu_save(struct vcpu *v)
{
    __asm__ volatile("clts");
    if (xcr0_all) {
        xcr0_load(v->pcpu, xcr0_all);
        __asm__ volatile("xsave64 (%0)" ::"r"(v->xsave), "a"(-1), "d"(-1) : "memory");
    } else {
        __asm__ volatile("fxsave64 (%0)" ::"r"(v->xsave) : "memory");
    }
}

void fpu_restore(struct vcpu *v)
{
    bool ok;

    __asm__ volatile("clts");
    ok = xcr0_all ? xrstor_safe(v->xsave, xcr0_all) : fxrstor_safe(v->xsave);
    if (!ok) { /* only an area given from outside could be unfit, and those were made fit */
        memset(v->xsave, 0, PAGE_SIZE << area_order);
        set_initial(v->xsave);
        __asm__ volatile("fninit");
    }
}

void fpu_resume(struct percpu *c, const struct vcpu *v)
{
    if (xcr0_all)
        xcr0_load(c, v->xcr0);
}

bool fpu_set_xcr0(struct vcpu *v, uint64_t xcr0)
{
    if (!xcr0_all || !cpuid_xcr0_valid(&cpuid_host, xcr0))
        return false;
    v->xcr0 = xcr0;
    fpu_resume(v->pcpu, v);
    return true;
}

void fpu_import(struct vcpu *v, const void *fxsave_area)
{
    uint8_t *area = v->xsave;
    uint32_t mxcsr;
    uint64_t header = xcr0_all ? 3 : 0;

    memcpy(area, fxsave_area, FXSAVE_SIZE);
    memcpy(&mxcsr, area + MXCSR_OFFSET, sizeof(mxcsr));
    mxcsr &= mxcsr_mask;
    memcpy(area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    if (xcr0_all) {
        memset(area + FXSAVE_SIZE, 0, XSAVE_HEADER);
        memcpy(area + FXSAVE_SIZE, &header, sizeof(header));
    }
}

void fpu_export(const struct vcpu *v, void *fxsave_area)
{
    memcpy(fxsave_area, v->xsave, FXSAVE_SIZE);
}
