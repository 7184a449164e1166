# SPDX-License-Identifier: MIT
# What tests/mutants/run.sh builds, in a copy of the sources, for each fault; the quick programs first.

include tests/unit/mm.mk tests/unit/events_grants.mk

MUTANT_PROGRAMS := $(TLB_TESTS) $(filter-out %_random,$(MM_TESTS) $(EG_TESTS)) $(filter %_random,$(EG_TESTS) $(MM_TESTS))

.PHONY: mutant-tests
mutant-tests: $(MUTANT_PROGRAMS:%=build/unit/%)
	@echo $^ >build/mutant-tests
