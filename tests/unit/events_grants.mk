# SPDX-License-Identifier: MIT
# Unit tests of event channels and grant tables on the fake machine, with the real memory code below them (mm.mk lists it).

EG_TESTS     := test_event test_grant test_grant_map test_grant_copy test_grant_random
EG_TEST_SRCS = $(MM_TESTED) $(wildcard tests/unit/fake*.c)
