# SPDX-License-Identifier: MIT
# Guests of every kind: by our own tools and by Debian's, on Paravane and on Debian's Xen.

TESTS += 'stock kernel as guest=tests/boot/linux.sh $(O)/paravane' \
	'guests by xl, on Xen=tests/boot/guests.sh' 'guests by xl=tests/boot/guests.sh -p $(O)/paravane'
TEST_FILES += build/guests.cpio build/dom0/physinfo minos guests
