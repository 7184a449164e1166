# SPDX-License-Identifier: MIT
# build/pvscan: which instructions of a kernel do not do in ring 3 what they do in ring 0.

PVSCAN_OBJS := $(patsubst %.c,build/%.o,$(wildcard tools/pvscan/*.c))

$(PVSCAN_OBJS): build/%.o: %.c | build/.deps-scan.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -MMD -MP -c -o $@ $<

build/pvscan: $(PVSCAN_OBJS)
	$(CC) -o $@ $^ -ldw -lelf -lcapstone

.PHONY: pvscan
pvscan: build/pvscan

-include $(PVSCAN_OBJS:.o=.d)
