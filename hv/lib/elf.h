/* SPDX-License-Identifier: MIT */
/* The parts of the ELF64 file format that a kernel image is made of. */
#ifndef HV_LIB_ELF_H
#define HV_LIB_ELF_H

#include <stdint.h>

#define ELF_MAGIC          "\177ELF"
#define ELF_CLASS_64       2
#define ELF_DATA_LSB       1
#define ELF_TYPE_EXEC      2
#define ELF_TYPE_DYN       3
#define ELF_MACHINE_X86_64 62

struct elf_header {
    uint8_t magic[4];
    uint8_t elf_class, data, ident_version, abi, pad[8];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

#define ELF_PT_LOAD 1
#define ELF_PT_NOTE 4

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define ELF_SHT_NOTE   7

struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};

/* Followed by the owner's name and the description, each padded to four bytes. */
struct elf_note {
    uint32_t namesz, descsz, type;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF64 file header");
_Static_assert(sizeof(struct elf_segment) == 56, "ELF64 program header");
_Static_assert(sizeof(struct elf_section) == 64, "ELF64 section header");

#endif
