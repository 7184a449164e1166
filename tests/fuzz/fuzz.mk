# SPDX-License-Identifier: MIT
# `make fuzz`: libFuzzer over sequences of memory operations for DURATION seconds, from generated seeds; what it finds
# interesting is kept in build/fuzz/corpus for the next time. Each finding is a file there: build/fuzz/fuzz_mm FILE
# repeats it.

FUZZ_CC := clang-14
FUZZ_SECONDS := $(or $(FUZZ_SECONDS),$(DURATION),60)
FUZZ_OBJS := $(patsubst %.c,build/fuzz/%.o,tests/fuzz/fuzz_mm.c $(MM_TEST_SRCS))

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) -std=gnu11 -g -O1 -Wno-unused-function -fno-omit-frame-pointer -DPARAVANE_HOST -Ihv/include -I. -MMD -MP \
		-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -c -o $@ $<

build/fuzz/fuzz_mm: $(FUZZ_OBJS)
	$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^

build/fuzz/seeds: tests/fuzz/seeds.py
	python3 $< $@

.PHONY: fuzz
fuzz: build/fuzz/fuzz_mm build/fuzz/seeds
	@mkdir -p build/fuzz/corpus
	build/fuzz/fuzz_mm -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -len_control=0 -timeout=20 \
		-artifact_prefix=build/fuzz/found- -print_final_stats=1 build/fuzz/corpus build/fuzz/seeds

-include $(FUZZ_OBJS:.o=.d)
