# SPDX-License-Identifier: MIT
# First inputs for `make fuzz`.

build/fuzz/fuzz_mm: | build/fuzz/seeded

build/fuzz/seeded: tests/fuzz/seeds.py
	python3 $< build/fuzz/corpus
	@touch $@
