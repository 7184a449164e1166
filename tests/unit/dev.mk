# SPDX-License-Identifier: MIT
# Unit tests of the parts of hv/dev that touch no device: timer queues and firmware tables.

TIMER_TESTS     := test_timer
TIMER_TEST_SRCS := hv/dev/timer.c

ACPI_TESTS     := test_acpi
ACPI_TEST_SRCS := hv/dev/acpi.c hv/dev/aml.c
