# SPDX-License-Identifier: MIT
# Unit tests of the scheduler, on two CPUs without stacks (a switch only changes who is current), and of memory_op, on the
# real frame allocator and reference counts.

SCHED_TESTS     := test_sched
SCHED_TEST_SRCS := hv/dom/sched.c

MEMORY_TESTS     := test_memory_op
MEMORY_TEST_SRCS := hv/dom/memory_exchange.c hv/dom/memory_op.c hv/dom/pages.c hv/mm/heap.c hv/mm/frame.c
