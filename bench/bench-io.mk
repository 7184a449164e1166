# SPDX-License-Identifier: MIT
# `make bench-io`: disks and network cards of a stock guest, on our back end and on Linux's. BENCH_OPTIONS: more for
# bench/backend.sh (its --help lists them).

ifneq ($(filter bench-io,$(GOALS)),)
-load build/make-exit.so
endif

build/iobench: bench/iobench.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -static -o $@ $<

BENCH_IO_STATUS := build/bench/io-status-$(shell echo $$PPID)

bench-io: run-bench-io
	@$(eval STATUS := $(shell cat $(BENCH_IO_STATUS); rm -f $(BENCH_IO_STATUS)))$(exit-with $(STATUS))exit $(STATUS)

.PHONY: bench-io run-bench-io
run-bench-io: all dom0-files build/guests.cpio build/iobench
	@mkdir -p build/bench
	@bench/backend.sh --image $(O)/paravane $(BENCH_OPTIONS); echo $$? >$(BENCH_IO_STATUS)
