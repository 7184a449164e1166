# SPDX-License-Identifier: MIT
# Unit tests of hv/x86's pure logic, one program for each test_*.c; only check is linked. Needs an x86-64 host:
# test_decode_native executes what it decodes.

X86_TESTS     := test_decode test_decode_native test_cpuid_policy test_msr_policy
X86_TEST_SRCS := hv/x86/decode.c hv/x86/decode_pte.c hv/x86/cpuid.c hv/x86/msr_policy.c
