# SPDX-License-Identifier: MIT
# `make bench` measures Paravane, `make bench PEER=xen` Debian's Xen too. XEN_IMAGE: another image of Xen;
# BENCH_OPTIONS: more for bench/run.sh (its --help lists them).

ifneq ($(filter bench,$(GOALS)),)
-load build/make-exit.so
endif

BENCH_STATUS := build/bench/status-$(shell echo $$PPID)

# make would turn the statuses 1 (a target is missed) and 2 (a run failed) into one.
bench: run-bench
	@$(eval STATUS := $(shell cat $(BENCH_STATUS); rm -f $(BENCH_STATUS)))$(exit-with $(STATUS))exit $(STATUS)

.PHONY: run-bench
run-bench: all dom0-files build/dom0/userbench
	@mkdir -p build/bench
	@bench/run.sh --image $(O)/paravane $(if $(PEER),--peer '$(PEER)') $(if $(XEN_IMAGE),--xen '$(XEN_IMAGE)') \
		$(BENCH_OPTIONS); echo $$? >$(BENCH_STATUS)

# What the column "mitigated" is measured on works as well as the other.
TESTS += 'self-test, mitigated=HV_OPTIONS=spec-ctrl=yes tests/boot/selftest.sh $(O)/paravane'
