# SPDX-License-Identifier: MIT
# Tests of xenstore-lite on the host, without a hypervisor. `make check-xenstore` runs them; MESSAGES=10000000 and
# OPS=1000000 make the random ones long, SEED=n begins elsewhere.

ifndef XSL_CORE
include xenstore-lite/xenstore-lite.mk
endif

XSL_TESTED := test_nodes test_txn test_watch test_domain test_model test_fuzz
XSL_TEST_CFLAGS := -std=gnu11 -O1 -g -D_GNU_SOURCE -Wall -Wextra -Werror -fno-omit-frame-pointer -MMD -MP \
	-fsanitize=address,undefined -fno-sanitize-recover=all

build/xenstore-test/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(XSL_TEST_CFLAGS) -c -o $@ $<

XSL_TEST_OBJS := $(patsubst %.c,build/xenstore-test/%.o,$(XSL_CORE) tests/xenstore/harness.c)
build/xenstore-test/test_model: build/xenstore-test/tests/xenstore/model.o
XSL_PROGRAMS := $(XSL_TESTED:%=build/xenstore-test/%)

$(XSL_PROGRAMS): build/xenstore-test/%: build/xenstore-test/tests/xenstore/%.o $(XSL_TEST_OBJS)
	$(CC) -fsanitize=address,undefined -o $@ $^ $$(pkg-config --libs check)

.PHONY: check-xenstore
check-xenstore: $(XSL_PROGRAMS) build/xenstore-lite/xenstore-lite
	@tools/run-tests $(foreach t,$(XSL_TESTED),'xenstore $t=build/xenstore-test/$t') 'xenstore socket=tests/xenstore/socket.sh'

# In dom0 on Paravane: Debian's programs against it; and beside C xenstored, counted in instructions.
build/xenstore-test/stopwatch: tests/xenstore/stopwatch.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<

build/xenstore-test/watches: tests/xenstore/watches.c | build/.deps-test.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $< -lxenstore

.PHONY: compare-xenstore
compare-xenstore: $(O)/paravane build/guests.cpio build/xenstore-test/stopwatch build/xenstore-test/watches
	tests/xenstore/compare.sh $(O)/paravane

-include $(shell find build/xenstore-test -name '*.d' 2>/dev/null)

TESTS += $(foreach t,$(XSL_TESTED),'xenstore $t=build/xenstore-test/$t') 'xenstore socket=tests/xenstore/socket.sh' \
	'xenstore in dom0=tests/xenstore/dom0.sh $(O)/paravane'
TEST_FILES += $(XSL_PROGRAMS) build/xenstore-lite/xenstore-lite build/guests.cpio
