/* SPDX-License-Identifier: MIT */
/* Which model-specific registers a guest may touch, and what it finds there. Everything not listed
 * is denied; values are constants or come from a snapshot, never from the hardware at the time of
 * the access. */
#ifndef HV_X86_MSR_POLICY_H
#define HV_X86_MSR_POLICY_H

#include "cpuid.h"

enum msr_action {
    MSR_DENY, /* #GP to the guest */
    MSR_DONE, /* *value is what is read; the write needs nothing */
    /* The caller reads or writes the vCPU's own copy. A written value was found fit. */
    MSR_DO_BASE, /* the register itself: FS's, GS's of the guest's current mode, or of the other one */
    MSR_DO_TSC_AUX,
};

struct msr_host {
    bool intel, amd;
    uint64_t ucode_revision; /* 0x8b */
    uint64_t platform_id;    /* 0x17, Intel */
};

/* The PAT guests are promised, so also the one every CPU must be given. */
#define GUEST_PAT 0x050100070406ull

#ifndef PARAVANE_HOST
extern struct msr_host msr_host;
void msr_host_init(void); /* after cpuid_host_init() */
#endif

enum msr_action msr_read(const struct msr_host *h, unsigned vcpu_id, uint32_t index,
                         uint64_t *value);
enum msr_action msr_write(const struct msr_host *h, unsigned vcpu_id, uint32_t index,
                          uint64_t value);

#endif
