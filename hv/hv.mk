# SPDX-License-Identifier: MIT
# The hypervisor: all of hv/*/*.c and *.S, linked into $(O)/paravane.elf (for gdb) and from it $(O)/paravane, the flat
# multiboot image. Can be made alone: make -f hv/hv.mk build/paravane [DEBUG=1].

CC := gcc
O ?= build$(if $(DEBUG),/debug)

HV_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror -Wshadow -Wmissing-prototypes -ffreestanding \
	-fpie -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -fno-omit-frame-pointer \
	-Ihv/include -I. -I$(O)/hv $(if $(DEBUG),-DPARAVANE_DEBUG)
HV_LDFLAGS := -no-pie -static -nostdlib -z max-page-size=4096 -z noexecstack --build-id=none --orphan-handling=error

include hv/unpack.mk

HV_SRCS := $(filter-out %/asm-offsets.c $(if $(DEBUG),,hv/mm/audit.c),$(wildcard hv/*/*.c hv/*/*.S))
HV_OBJS := $(patsubst %.c.o,%.o,$(HV_SRCS:%=$(O)/%.o))

$(O)/hv/%.o: hv/%.c hv/hv.mk
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -include hv/include/hv/hidden.h -MMD -MP -c -o $@ $<

$(O)/hv/%.S.o: hv/%.S $(O)/hv/asm-offsets.h hv/hv.mk
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -MMD -MP -c -o $@ $<

# Files of frequent hypercalls keep no frame pointer and leave alone their caller's: a back trace skips the caller of such a
# function, which mostly is the entry code.
HV_HOT := mm/mmu_update mm/mmuext mm/va_mapping dom/event dom/multicall dom/grant dom/grant_use dom/grant_copy \
	mm/grant_map
$(HV_HOT:%=$(O)/hv/%.o): HV_CFLAGS += -fomit-frame-pointer -ffixed-rbp -fno-align-jumps -fno-align-labels -fno-align-loops

# Else the compiler finds in memcpy() a loop that could be a call of memcpy().
$(O)/hv/lib/string.o: HV_CFLAGS += -fno-tree-loop-distribute-patterns

# Offsets of structure members for assembly: lines "->NAME VALUE" of a file compiled to assembly.
$(O)/hv/asm-offsets.h: hv/x86/asm-offsets.c
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) -MMD -MP -MT $@ -MF $(@:.h=.d) -S -o $(@:.h=.s) $<
	sed -n 's/^->\([A-Za-z0-9_]*\) \(.*\)/#define \1 \2/p' $(@:.h=.s) >$@

$(O)/hv/paravane.lds: hv/paravane.lds hv/include/hv/layout.h
	@mkdir -p $(@D)
	$(CC) -E -P -x assembler-with-cpp -Ihv/include -o $@ $<

# The symbol table of back traces lies behind all code, so that the code of both links is the same.
HV_LINK = ld $(HV_LDFLAGS) -T $(O)/hv/paravane.lds -o $@ $(HV_OBJS) $(filter %-table.o,$^) $(UNPACK_ARCHIVES)

$(O)/hv/empty-table.o:
	echo '.section .symtab_hv, "a"; .long 0' | $(CC) -c -x assembler -o $@ -

$(O)/hv/first.elf: $(O)/hv/paravane.lds $(O)/hv/empty-table.o $(HV_OBJS)
	$(HV_LINK)

$(O)/hv/symbol-table.o: $(O)/hv/first.elf tools/symtab
	nm -n $< | tools/symtab | $(CC) -c -x assembler -o $@ -

$(O)/paravane.elf: $(O)/hv/paravane.lds $(O)/hv/symbol-table.o $(HV_OBJS)
	$(HV_LINK)

$(O)/paravane: $(O)/paravane.elf
	objcopy -O binary $< $@

-include $(HV_OBJS:.o=.d) $(O)/hv/asm-offsets.d
