/* SPDX-License-Identifier: MIT */
/* The hypervisor's CPUID leaves. */
#ifndef PVABI_CPUID_H
#define PVABI_CPUID_H

#define XEN_CPUID_FIRST_LEAF 0x40000000
#define XEN_CPUID_LEAF(i)    (XEN_CPUID_FIRST_LEAF + (i))

/* Leaf 0: EAX the last leaf, EBX, ECX, EDX the signature. */
#define XEN_CPUID_SIGNATURE_EBX 0x566e6558 /* "XenV" */
#define XEN_CPUID_SIGNATURE_ECX 0x65584d4d /* "MMXe" */
#define XEN_CPUID_SIGNATURE_EDX 0x4d4d566e /* "nVMM" */

/* Leaf 1: EAX the version. Leaf 2: EAX hypercall pages, EBX the MSR for them, ECX features. */
#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD (1u << 0)

/* Leaf 5, EBX: width of the machine's addresses, in bits. */
#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK 0xffu

#define XEN_CPUID_MAX_NUM_LEAVES 5

#endif
