# SPDX-License-Identifier: MIT
# Unit tests of the scheduler on two CPUs without stacks: a switch only changes who is current.

DOM_TESTS     := test_sched
DOM_TEST_SRCS := hv/dom/sched.c
