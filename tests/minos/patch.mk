# SPDX-License-Identifier: MIT
# How much it takes to make a guest of minos.

TESTS += 'lines of the port of minos=tests/minos/patch.sh'
TEST_FILES += build/minos/minos.elf build/minos-pv
