# SPDX-License-Identifier: MIT
# The backend daemon (build/backend/backend) and its host tests (build/backend/test_*), which ASan and UBSan watch.

BACKEND_SRCS := $(wildcard backend/*.c)
BACKEND_OBJS := $(BACKEND_SRCS:%.c=build/backend/obj/%.o)
BACKEND_LIBS := -levent_core -luring -lxenstore -lxengnttab -lxenevtchn -lxentoollog

BACKEND_CFLAGS := -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -fno-strict-aliasing \
	-I. -MMD -MP

BACKEND_TESTS := test_blk test_blk_hostile test_net test_net_hostile
# What they test: the engines, which know of no hypervisor.
BACKEND_ENGINES := backend/blk_ring.c backend/blk_parse.c backend/pages.c backend/net_side.c backend/net_tx.c \
	backend/net_rx.c backend/net_offload.c
BACKEND_TEST_OBJS := $(patsubst %.c,build/backend/test/%.o,$(BACKEND_ENGINES) tests/backend/hostile.c)
BACKEND_FIXTURE = build/backend/test/tests/backend/$(word 2,$(subst _, ,$*))_fixture.o

build/backend/backend: $(BACKEND_OBJS)
	gcc -o $@ $^ $(BACKEND_LIBS)

build/backend/obj/%.o: %.c
	@mkdir -p $(@D)
	gcc $(BACKEND_CFLAGS) -O2 -c -o $@ $<

build/backend/test/%.o: %.c
	@mkdir -p $(@D)
	gcc $(BACKEND_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -c -o $@ $<

$(BACKEND_TESTS:%=build/backend/%): build/backend/%: build/backend/test/tests/backend/%.o $(BACKEND_TEST_OBJS) \
		$(patsubst %,build/backend/test/tests/backend/%_fixture.o,blk net)
	gcc -fsanitize=address,undefined -o $@ $(filter-out %_fixture.o,$^) $(BACKEND_FIXTURE) $$(pkg-config --libs check)

# And what stands between them and the libraries.
build/backend/test_staging: $(patsubst %.c,build/backend/test/%.o,tests/backend/test_staging.c backend/staging.c)
	gcc -fsanitize=address,undefined -o $@ $^ $$(pkg-config --libs check)

# N=10000000 makes them long, SEED=n begins where a run that failed did.
.PHONY: test-backend
test-backend: $(BACKEND_TESTS:%=build/backend/%) build/backend/test_staging
	for t in $^; do $$t || exit 1; done

-include $(shell find build/backend -name '*.d' 2>/dev/null)

TESTS += $(foreach t,$(BACKEND_TESTS) test_staging,'backend $t=build/backend/$t')
TEST_FILES += $(BACKEND_TESTS:%=build/backend/%) build/backend/test_staging
