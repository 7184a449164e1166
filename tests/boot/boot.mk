# SPDX-License-Identifier: MIT
# Guests of every kind: by our own tools and by Debian's, on Paravane and on Debian's Xen.

TESTS += 'stock kernel as guest=tests/boot/linux.sh $(O)/paravane' \
	'guests by xl, on Xen=tests/boot/guests.sh' 'guests by xl=tests/boot/guests.sh -p $(O)/paravane' \
	'daemons that are killed=FAULTS_KILLS=1 tests/boot/faults.sh $(O)/paravane' \
	'eight guests at once=SOAK_SECONDS=30 SOAK_ROUNDS=10 tests/boot/soak.sh $(O)/paravane'
TEST_FILES += build/guests.cpio build/dom0/physinfo minos guests

# The long form: five minutes of work, five hundred that come and go.
.PHONY: soak
soak: all build/guests.cpio build/dom0/physinfo
	SOAK_SECONDS=300 SOAK_ROUNDS=500 tests/boot/soak.sh $(O)/paravane
