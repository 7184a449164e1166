# SPDX-License-Identifier: MIT
# minos, twice: build/minos.bin for a bare PC (multiboot), build/minos-pv for a hypervisor.

MINOS_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -ffreestanding \
	-fno-pic -fno-pie -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-strict-aliasing -MMD -MP -Iminos/include
MINOS_LDFLAGS := -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

MINOS_KERNEL := $(wildcard minos/kernel/*.c minos/kernel/*.S)
MINOS_NATIVE := $(wildcard minos/native/*.c minos/native/*.S)
MINOS_PV     := $(wildcard minos/pv/*.c)
MINOS_USER   := $(wildcard minos/user/bin/*.c)
MINOS_BIN    := $(patsubst minos/user/bin/%.c,build/minos/bin/%,$(MINOS_USER))
MINOS_OBJS    = $(patsubst %,build/%.o,$(MINOS_KERNEL) $(MINOS_NATIVE) $(MINOS_PV))
MINOS_USER_OBJS := $(patsubst %,build/%.o,$(MINOS_USER) minos/user/lib.c minos/user/start.S)

$(MINOS_OBJS): build/%.o: % minos/minos.mk
	@mkdir -p $(@D)
	$(CC) $(MINOS_CFLAGS) -mcmodel=kernel -mno-red-zone $(if $(findstring /pv/,$<),-Iguest-lib/include -I.) -c -o $@ $<

# --- Programs, and the image of the root file system made of them ---

$(MINOS_USER_OBJS): build/%.o: % minos/minos.mk
	@mkdir -p $(@D)
	$(CC) $(MINOS_CFLAGS) -c -o $@ $<

$(MINOS_BIN): build/minos/bin/%: build/minos/user/bin/%.c.o build/minos/user/lib.c.o build/minos/user/start.S.o \
		minos/user/user.lds
	@mkdir -p $(@D)
	$(CC) $(MINOS_LDFLAGS) -Wl,-s -T minos/user/user.lds -o $@ $(filter %.o,$^)

build/minos/rom.S: $(MINOS_BIN) minos/minos.mk
	@{ printf '.section .rodata\n.globl rom_files\n.balign 8\nrom_files:\n'; \
	for f in $(notdir $(MINOS_BIN)); do printf '.quad name_%s, start_%s, end_%s\n' $$f $$f $$f; done; \
	printf '.quad 0\n'; \
	for f in $(notdir $(MINOS_BIN)); do \
		printf 'name_%s: .asciz "%s"\n.balign 16\nstart_%s: .incbin "build/minos/bin/%s"\nend_%s:\n' \
			$$f $$f $$f $$f $$f; done; \
	printf '.section .note.GNU-stack, "", @progbits\n'; } >$@

build/minos/rom.o: build/minos/rom.S
	$(CC) -c -o $@ $<

# --- The two kernels ---

minos_objs = $(patsubst %,build/%.o,$(MINOS_KERNEL) $(1)) build/minos/rom.o

build/minos/minos.elf: $(call minos_objs,$(MINOS_NATIVE)) minos/native/minos.lds
	$(CC) $(MINOS_LDFLAGS) -T minos/native/minos.lds -o $@ $(filter %.o,$^)

build/minos.bin: build/minos/minos.elf
	objcopy -O binary $< $@

build/minos-pv: $(call minos_objs,$(MINOS_PV)) $(PVGUEST_LIB) $(PVGUEST_LDS)
	$(CC) $(MINOS_LDFLAGS) -T $(PVGUEST_LDS) -Wl,--gc-sections -Wl,-u,pv_entry -o $@ $(filter %.o %.a,$^)

.PHONY: minos
minos: build/minos.bin build/minos-pv

-include $(MINOS_OBJS:.o=.d) $(MINOS_USER_OBJS:.o=.d)

TESTS += 'minos on bare metal=tests/boot/minos.sh'
TEST_FILES += minos
