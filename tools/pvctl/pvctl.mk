# SPDX-License-Identifier: MIT
# pvctl (build/pvctl/pvctl). It needs what tools/deps guests installs. (pvabi defines some names as Xen's headers
# do, which is fine of system headers.)

PVCTL_OBJS := $(patsubst %.c,build/%.o,$(wildcard tools/pvctl/*.c) backend/store_link.c)
PVCTL_LIBS := -levent_core -lxenguest -lxenctrl -lxenstore -lxengnttab -lxenevtchn -lxencall -ljson-c -ldw -lelf

$(PVCTL_OBJS): build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wno-format-truncation -isystem . -MD -MP -c -o $@ $<

build/pvctl/pvctl: $(PVCTL_OBJS)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(PVCTL_LIBS)

-include $(PVCTL_OBJS:.o=.d)

TESTS += 'guests by pvctl=tests/boot/pvctl.sh $(O)/paravane' 'traces and advice=tests/boot/trace.sh $(O)/paravane'
TEST_FILES += build/guests.cpio build/dom0/physinfo build/minos-pv guests
