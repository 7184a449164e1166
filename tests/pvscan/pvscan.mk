# SPDX-License-Identifier: MIT
# Tests of tools/pvscan, on minos and the stock kernel.

TESTS += 'pvscan=tests/pvscan/run.sh'
TEST_FILES += build/pvscan build/minos.bin
