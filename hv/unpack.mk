# SPDX-License-Identifier: MIT
# The decoder libraries of hv/lib/unpack.c (Debian: liblzma-dev zlib1g-dev libzstd-dev liblz4-dev). Link them after all
# of the hypervisor's objects: only the members that are needed come in. They hold no TLS, IFUNC or 32-bit absolute
# relocation; the linker script may discard .init_array, .eh_frame and .note.*, and must keep .got and .data.rel.ro.

UNPACK_SRCS := hv/lib/unpack.c hv/lib/libshim.c
UNPACK_ARCHIVES := $(foreach lib,lzma z zstd lz4,$(shell $(CC) -print-file-name=lib$(lib).a))
