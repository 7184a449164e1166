# SPDX-License-Identifier: MIT
# `make help` lists the targets. Objects and downloads go below build/; DEBUG=1 builds the hypervisor into build/debug.

CC := gcc
COMMA := ,
O := build$(if $(DEBUG),/debug)

.DELETE_ON_ERROR:
.SECONDARY:
$(if $(V),,.SILENT:)
.PHONY: all run test bench gdb format clean deps stress coverage fuzz mutants help

all:

help:
	echo 'make               build/paravane, and the guests of tests and benchmarks'
	echo 'make run           boot the stock Debian kernel as dom0, show a guest at work, leave a shell'
	echo '                   RUN_OPTIONS=... (tools/dom0-run --help): with other disks, memory, ...'
	echo "make run CMD='...' run a command in dom0, print its output, exit with its status"
	echo 'make test          every test; ends with one line of counts (FULL=1: larger disks, longer random tests)'
	echo 'make bench         count instructions, plot them (PEER=xen: beside Debian'"'"'s Xen, and judge by it)'
	echo 'make bench-io      throughput of a guest on our back end and on Linux'"'"'s, counted, side by side'
	echo 'make stress        dom0 under stress-ng on a debug build (DURATION=600)'
	echo 'make soak          eight guests at work for five minutes, then five hundred that come and go'
	echo 'make gdb           boot dom0 halted, gdb attached with symbols (GUEST=build/tests/selftest: that instead)'
	echo 'make coverage      branch coverage of hv/mm by the unit tests'
	echo 'make fuzz          fuzz the memory operations (DURATION=60)'
	echo 'make mutants       put faults into the type and grant code; the unit tests are to catch each'
	echo 'make pvscan        build/pvscan: lists what a kernel does that ring 3 does not let it do'
	echo 'make format        lay out all C sources by .clang-format'
	echo 'make install       guest-lib for kernels built elsewhere: headers, library, linker script (PREFIX=/usr/local)'
	echo 'make deps          install the Debian packages for all of the above (each installs its own anyway)'
	echo 'make clean         remove build/, downloads included'
	echo 'DEBUG=1            with any of these: the debug hypervisor, in build/debug; V=1: show the commands'

# --- Packages: stamps that are included are remade, hence installed, before anything else is done ---

NEEDS_run := run guests
NEEDS_test := run test
NEEDS_bench := run bench
NEEDS_bench-io := run guests
NEEDS_gdb := run gdb
NEEDS_stress := run
NEEDS_soak := run test guests
NEEDS_coverage := test
NEEDS_mutants := test
NEEDS_fuzz := fuzz
NEEDS_build/guests.cpio := run guests
NEEDS_deps := run test bench fuzz gdb format scan
GOALS := $(or $(MAKECMDGOALS),all)
BUILDING := $(filter-out format clean help,$(GOALS))
NEEDS := $(sort $(if $(BUILDING),build) $(foreach g,$(BUILDING),$(NEEDS_$g)) $(filter format,$(GOALS)))

build/.deps-%.mk: tools/deps
	@tools/deps $*
	@mkdir -p $(@D)
	@touch $@

include $(NEEDS:%=build/.deps-%.mk)

deps: $(NEEDS:%=build/.deps-%.mk)

# --- Hypervisor, guests, tests: each part says itself what it is made of ---

ifneq ($(BUILDING),)
include hv/hv.mk guest-lib/guest.mk
include $(filter-out hv/% guest-lib/%,$(wildcard */*.mk)) $(wildcard tests/*/*.mk tools/*/*.mk)
endif

all: $(O)/paravane guests

# --- What dom0 boots: the stock kernel, an initramfs, static programs for it ---

.PHONY: dom0-files
dom0-files: build/vmlinuz build/dom0.cpio

build/vmlinuz:
	tools/dom0-image kernel

DOM0_SCRIPTS := tools/dom0-image tools/dom0/init tools/dom0/net-up tools/dom0/dom0-shell

build/dom0.cpio build/stress.cpio: build/%.cpio: $(DOM0_SCRIPTS) | build/vmlinuz
	tools/dom0-image $*

# The same with what serves guests: the store, the back ends, pvctl; and a guest to show.
build/guests.cpio: $(DOM0_SCRIPTS) tools/dom0/demo build/minos-pv build/xenstore-lite/xenstore-lite \
		build/backend/backend build/pvctl/pvctl | build/vmlinuz
	tools/dom0-image guests

DOM0_PROGRAMS := build/dom0/physinfo build/dom0/userbench
build/dom0/physinfo: tools/dom0/physinfo.c pvabi/sysctl.h
build/dom0/userbench: bench/userbench.c
$(DOM0_PROGRAMS):
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -I. -static -o $@ $<

# --- Running: what CMD prints, and nothing else, reaches standard output; make exits as it did ---

ifneq ($(filter run,$(GOALS)),)
export DOM0_COMMAND := $(value CMD)
unexport CMD
MAKEOVERRIDES := $(filter-out CMD=%,$(MAKEOVERRIDES))
-load build/make-exit.so
endif

build/make-exit.so: tools/make-exit.c | build/.deps-build.mk
	@$(CC) -O1 -Wall -Wextra -Werror -fPIC -shared -o $@ $<

RUN_STATUS := build/run/status-$(shell echo $$PPID)

run: run-dom0
	@$(eval STATUS := $(shell cat $(RUN_STATUS); rm -f $(RUN_STATUS)))$(exit-with $(STATUS))exit $(STATUS)

.PHONY: run-dom0
run-dom0:
	@mkdir -p build/run
	@$(MAKE) --no-print-directory all build/guests.cpio >&2
	@tools/dom0-run --image $(O)/paravane --initramfs build/guests.cpio --demo $(RUN_OPTIONS) \
		$${DOM0_COMMAND:+"$$DOM0_COMMAND"}; echo $$? >$(RUN_STATUS)

gdb: all dom0-files
	tools/gdb $(O)/paravane $(GUEST)

stress: build/stress.cpio build/dom0/physinfo
	$(MAKE) DEBUG=1 all
	tests/boot/stress.sh build/debug/paravane

# --- Tests. Unit tests: PREFIX_TESTS (programs), PREFIX_TEST_SRCS (what they test), PREFIX_TEST_LIBS are set by the parts'
# --- own files. What else there is, they add to TESTS ('NAME=COMMAND'...) and TEST_FILES (what these need).

UNIT_CFLAGS := -std=gnu11 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -DPARAVANE_HOST -Ihv/include -I. -MMD -MP
UNIT_SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_GROUPS := $(sort $(patsubst %_TEST_SRCS,%,$(filter %_TEST_SRCS,$(.VARIABLES))))
UNIT_TESTS := $(foreach g,$(UNIT_GROUPS),$($g_TESTS))

# $(1): folder of the objects and programs, $(2): compiler, $(3): its flags
define unit_objects
$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$(2) $$(UNIT_CFLAGS) $(3) -c -o $$@ $$<
-include $$(shell find $(1) -name '*.d' 2>/dev/null)
endef

# and $(4): group, $(5): program
define unit_test
$(1)/$(5): $(patsubst %.c,$(1)/%.o,tests/unit/$(5).c $($(4)_TEST_SRCS))
	$(2) $(3) -o $$@ $$^ $($(4)_TEST_LIBS) $$$$(pkg-config --libs check)
endef

unit_tests = $(eval $(call unit_objects,$(1),$(2),$(3))) \
	$(foreach g,$(UNIT_GROUPS),$(foreach t,$($g_TESTS),$(eval $(call unit_test,$(1),$(2),$(3),$g,$t))))

$(call unit_tests,build/unit,$(CC),$(UNIT_SANITIZE))
$(call unit_tests,build/coverage,$(CC),-O0 --coverage)
$(eval $(call unit_objects,build/fuzz,clang,-O1 -fsanitize=fuzzer-no-link$(COMMA)address$(COMMA)undefined))

BOOT_TESTS := $(foreach c,$(shell tests/boot/dom0.sh --list),'dom0 $c=tests/boot/dom0.sh $c') \
	'make run=tests/boot/run.sh' 'guest self-test=tests/boot/selftest.sh $(O)/paravane' \
	'attack guests=tests/boot/attack.sh $(O)/paravane'

test: export PARAVANE_VMLINUZ := build/vmlinuz
test: export IMAGE := $(O)/paravane
ifdef FULL
test: export OPS := 10000000
endif
test: all dom0-files $(UNIT_TESTS:%=build/unit/%) $(TEST_FILES)
	@tools/run-tests $(BOOT_TESTS) $(TESTS) 'ABI=tests/abi/run.sh' $(foreach t,$(UNIT_TESTS),'unit $t=build/unit/$t')

coverage: $(UNIT_TESTS:%=build/coverage/%)
	tools/coverage hv/mm build/coverage $^

build/fuzz/fuzz_mm: $(patsubst %.c,build/fuzz/%.o,tests/fuzz/fuzz_mm.c $(MM_TEST_SRCS))
	clang -fsanitize=fuzzer,address,undefined -o $@ $^

fuzz: build/fuzz/fuzz_mm
	@mkdir -p build/fuzz/corpus
	$< -max_total_time=$(or $(DURATION),60) -print_final_stats=1 build/fuzz/corpus

mutants:
	tests/mutants/run.sh

format:
	clang-format -i $$(git ls-files '*.[ch]')

clean:
	rm -rf build
