# SPDX-License-Identifier: MIT
# Unit tests of the frame allocator, on frames of their own.

HEAP_TESTS     := test_heap
HEAP_TEST_SRCS := hv/mm/heap.c
