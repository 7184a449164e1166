# SPDX-License-Identifier: MIT
# Unit tests of memory, grants and events on the fake machine (fake*.c), and the random driver with its reference model
# (tests/model). OPS=10000000 makes test_mm_random long, SEED=n begins where a run that failed did.

MM_TESTS := test_mm_types test_mm_update test_mm_ext test_mm_ptwr test_mm_audit test_mm_event test_mm_end test_mm_interleave test_mm_random

MM_TESTED := $(filter-out %/heap.c %/m2p.c %/map.c %/memory.c %/tlb.c,$(wildcard hv/mm/*.c)) hv/dom/pages.c \
	$(wildcard hv/dom/memory_*.c) hv/dom/multicall.c hv/dom/destroy.c \
	hv/dom/event.c hv/dom/event_bind.c $(wildcard hv/dom/grant*.c) \
	hv/x86/desc_page.c hv/x86/decode.c hv/x86/decode_pte.c
MM_TEST_SRCS := $(MM_TESTED) $(wildcard tests/unit/fake*.c tests/model/*.c)
MM_TEST_LIBS :=

# hv/mm/tlb.c is part of its test.
TLB_TESTS     := test_mm_tlb
TLB_TEST_SRCS :=
