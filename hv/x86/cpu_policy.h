/* SPDX-License-Identifier: MIT */
/* What a domain sees by CPUID, for the instruction and for tools, who may hide features of it. */
#ifndef HV_X86_CPU_POLICY_H
#define HV_X86_CPU_POLICY_H

#include <hv/cpu.h>
#include <pvabi/domctl.h>

#include "cpuid.h"

/* CPUID of the running vCPU. */
void vcpu_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out);

/* Whose answers: the processor's, or those for a guest, of the domain if one is named. */
struct cpu_view {
    bool raw;
    const struct domain *d;
};

#define POLICY_LEAVES_MAX 128 /* room that tools are told to have; no policy has more */
#define POLICY_MSRS_MAX   2   /* likewise; there are none */

/* All leaves, to an array in guest memory; *count: room, then how many. -XEN_ENOBUFS: too little
 * room. */
int cpu_policy_export(const struct cpu_view *view, uint64_t leaves, uint32_t *count);
/* Features that these leaves lack are hidden from the domain. More than there are do no harm. */
int cpu_policy_import(struct domain *d, uint64_t leaves, uint32_t count);
/* Word n of the feature set. */
uint32_t cpu_feature_word(const struct cpu_view *view, unsigned n);

#endif
