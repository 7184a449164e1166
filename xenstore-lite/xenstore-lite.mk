# SPDX-License-Identifier: MIT
# xenstore-lite: `make xenstore-lite`. It needs libevent-dev and libxen-dev.

XSL_CORE := $(addprefix xenstore-lite/,mem.c wire.c path.c place.c node.c tree.c perms.c quota.c watch.c transaction.c \
	commit.c conn.c request.c domain.c domain_ops.c ring.c control.c record.c restore.c journal.c store.c log.c io.c)
XSL_SRCS := $(XSL_CORE) $(addprefix xenstore-lite/,socket.c holder.c xen.c options.c main.c)
XSL_LIBS := -levent_core -lxenctrl -lxenevtchn -lxengnttab -lxenforeignmemory
XSL_CFLAGS := -std=gnu11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -MMD -MP

.PHONY: xenstore-lite
xenstore-lite: build/xenstore-lite/xenstore-lite

build/xenstore-lite/%.o: xenstore-lite/%.c
	@mkdir -p $(@D)
	$(CC) $(XSL_CFLAGS) -c -o $@ $<

build/xenstore-lite/xenstore-lite: $(patsubst %.c,build/%.o,$(XSL_SRCS))
	$(CC) -o $@ $^ $(XSL_LIBS)

-include $(wildcard build/xenstore-lite/*.d)
