# SPDX-License-Identifier: MIT
# libpvguest.a and the guests linked with it. A guest names its sources and calls pv_guest:
#   $(eval $(call pv_guest,build/bench/pvbench,$(wildcard bench/guest/*.c)))
# The including Makefile may set CC; objects go below build/.

# -Wno-clobbered: GCC cannot see that PV_TRY restores registers as they were when it was entered;
# what the block changes is declared volatile.
PVGUEST_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes \
	-ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
	-fno-strict-aliasing -ffunction-sections -fdata-sections -Wno-clobbered -Iguest-lib/include -I. -MMD -MP
PVGUEST_LDS := guest-lib/guest.lds
PVGUEST_SRCS := $(wildcard guest-lib/*.c guest-lib/*.S)
PVGUEST_OBJS := $(patsubst %,build/%.o,$(PVGUEST_SRCS))
PVGUEST_LIB := build/guest-lib/libpvguest.a

$(PVGUEST_OBJS): build/%.o: % guest-lib/guest.mk
	@mkdir -p $(@D)
	$(CC) $(PVGUEST_CFLAGS) $(PVGUEST_EXTRA) -c -o $@ $<

$(PVGUEST_LIB): $(PVGUEST_OBJS)
	rm -f $@
	ar rcs $@ $^

# $(1): the ELF, $(2): its sources
define pv_guest
$(1): $$(patsubst %,build/%.o,$(2)) $$(PVGUEST_LIB) $$(PVGUEST_LDS)
	@mkdir -p $$(@D)
	$$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
		-Wl,--no-warn-rwx-segments -T $$(PVGUEST_LDS) -o $$@ \
		$$(patsubst %,build/%.o,$(2)) -Wl,--gc-sections -Wl,-u,pv_entry $$(PVGUEST_LIB)
PV_GUESTS += $(1)
PV_GUEST_OBJS += $$(patsubst %,build/%.o,$(2))
endef

PV_GUESTS :=
PV_GUEST_OBJS :=

$(eval $(call pv_guest,build/bench/pvbench,$(wildcard bench/guest/*.c)))
$(eval $(call pv_guest,build/tests/attack,$(wildcard tests/boot/guests/attack/*.c)))
$(eval $(call pv_guest,build/tests/selftest,$(wildcard tests/boot/guests/selftest/*.c tests/boot/guests/selftest/*.S)))

$(eval $(call pv_guest,build/tests/tracee,tests/boot/guests/tracee.c))
$(foreach e,$(wildcard guest-lib/examples/*.c),$(eval $(call pv_guest,build/examples/$(basename $(notdir $e)),$e)))

$(sort $(PV_GUEST_OBJS)): build/%.o: % guest-lib/guest.mk
	@mkdir -p $(@D)
	$(CC) $(PVGUEST_CFLAGS) $(PVGUEST_EXTRA) -c -o $@ $<

.PHONY: guests install
guests: $(PV_GUESTS)

# --- For guests built elsewhere: headers, library, linker script, and how pkg-config finds them ---

PREFIX := /usr/local

install: $(PVGUEST_LIB)
	mkdir -p $(DESTDIR)$(PREFIX)/include/pvabi/io $(DESTDIR)$(PREFIX)/include/pvguest $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 pvabi/*.h $(DESTDIR)$(PREFIX)/include/pvabi
	install -m 644 pvabi/io/*.h $(DESTDIR)$(PREFIX)/include/pvabi/io
	install -m 644 guest-lib/include/pvguest/*.h $(DESTDIR)$(PREFIX)/include/pvguest
	install -m 644 $(PVGUEST_LIB) $(PVGUEST_LDS) $(DESTDIR)$(PREFIX)/lib
	sed 's,@PREFIX@,$(PREFIX),' guest-lib/pvguest.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/pvguest.pc

-include $(PVGUEST_OBJS:.o=.d) $(PV_GUEST_OBJS:.o=.d)

TESTS += 'a guest built elsewhere=tests/boot/install.sh $(O)/paravane'
