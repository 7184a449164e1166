# SPDX-License-Identifier: MIT
# Unit tests of what the hypervisor brings along in place of a C library, and of what it learns at boot.

LIB_TESTS     := test_printf test_options test_e820
LIB_TEST_SRCS := hv/boot/options.c hv/boot/e820.c tests/unit/boot_fixture.c
