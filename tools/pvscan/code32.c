/* SPDX-License-Identifier: MIT */
/* Start code that runs in 32-bit mode. Where it begins, multiboot headers and PVH's ELF note tell;
 * it is followed along its jumps and calls up to the far jump into 64-bit mode. */
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define MULTIBOOT1         0x1badb002u
#define MULTIBOOT1_REACH   8192
#define MULTIBOOT1_VIDEO   0x4u
#define MULTIBOOT1_ADDRESS 0x10000u
#define MULTIBOOT2         0xe85250d6u
#define MULTIBOOT2_REACH   32768
#define MULTIBOOT2_ENTRY   3 /* tag: entry address */

struct walk {
    struct image *image;
    uint64_t *todo;
    size_t todo_count;
    struct ranges done;
    csh capstone;
    void (*fn)(const struct image *, const cs_insn *, void *);
    void *arg;
};

static uint32_t word(const char *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

static void follow(struct walk *w, uint64_t addr)
{
    if (!addr || !image_section(w->image, addr))
        return;
    w->todo = grow(w->todo, w->todo_count, sizeof(*w->todo));
    w->todo[w->todo_count++] = addr;
}

/* --- Where it begins --- */

static void skip_file(struct image *im, uint64_t offset, uint64_t size)
{
    size_t segments = 0;
    GElf_Phdr phdr;

    elf_getphdrnum(im->elf, &segments);
    for (size_t i = 0; i < segments; i++)
        if (gelf_getphdr(im->elf, (int)i, &phdr) && phdr.p_type == PT_LOAD &&
            offset - phdr.p_offset < phdr.p_filesz) {
            uint64_t start = offset - phdr.p_offset + phdr.p_vaddr + im->bias;

            range_add(&im->skip, start, start + size);
        }
}

static bool multiboot1(struct walk *w, const char *file, size_t size, size_t at)
{
    uint32_t flags, length = 12;

    if (at + 48 > size || at >= MULTIBOOT1_REACH || word(file + at) != MULTIBOOT1)
        return false;
    flags = word(file + at + 4);
    if (MULTIBOOT1 + flags + word(file + at + 8))
        return false;
    if (flags & MULTIBOOT1_ADDRESS)
        length = 32;
    if (flags & MULTIBOOT1_VIDEO)
        length = 48;
    skip_file(w->image, at, length);
    follow(w, flags & MULTIBOOT1_ADDRESS ? image_physical(w->image, word(file + at + 28))
                                         : image_entry(w->image));
    return true;
}

static bool multiboot2(struct walk *w, const char *file, size_t size, size_t at)
{
    uint32_t length, tag = 16, tag_size;
    uint64_t entry = image_entry(w->image);

    if (at + 16 > size || word(file + at) != MULTIBOOT2 || word(file + at + 4))
        return false;
    length = word(file + at + 8);
    if (MULTIBOOT2 + length + word(file + at + 12) || length > size - at || length < 16)
        return false;
    for (; tag + 12 <= length; tag += (tag_size + 7) & ~7u) {
        tag_size = word(file + at + tag + 4);
        if (tag_size < 8 || tag_size > length)
            break;
        if ((word(file + at + tag) & 0xffff) == MULTIBOOT2_ENTRY)
            entry = image_physical(w->image, word(file + at + tag + 8));
    }
    skip_file(w->image, at, length);
    follow(w, entry);
    return true;
}

static void find_multiboot(struct walk *w)
{
    size_t size = 0;
    char *file = elf_rawfile(w->image->elf, &size);

    for (size_t at = 0; file && at + 16 <= size && at < MULTIBOOT2_REACH; at += 4)
        if (multiboot1(w, file, size, at) || multiboot2(w, file, size, at))
            break;
}

static void find_note(struct walk *w, Elf_Data *notes)
{
    size_t at = 0, name, desc;
    const char *bytes;
    GElf_Nhdr note;

    while (notes && (at = gelf_getnote(notes, at, &note, &name, &desc))) {
        bytes = notes->d_buf;
        if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
            !memcmp(bytes + name, "Xen", 4) && note.n_descsz >= 4)
            follow(w, image_physical(w->image, word(bytes + desc)));
    }
}

static void find_notes(struct walk *w)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;

    while ((scn = elf_nextscn(w->image->elf, scn)))
        if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_NOTE)
            find_note(w, elf_getdata(scn, NULL));
}

/* --- Where it goes --- */

static bool was_here(const struct walk *w, uint64_t addr)
{
    for (unsigned i = 0; i < w->done.count; i++)
        if (addr == w->done.range[i].start)
            return true;
    return false;
}

static bool in_group(const cs_insn *in, unsigned group)
{
    for (unsigned i = 0; i < in->detail->groups_count; i++)
        if (in->detail->groups[i] == group)
            return true;
    return false;
}

static bool goes_on(const cs_insn *in)
{
    switch (in->id) {
    case X86_INS_JMP:
    case X86_INS_LJMP:
    case X86_INS_RETF:
    case X86_INS_IRETD:
    case X86_INS_IRET:
    case X86_INS_UD2:
        return false;
    default:
        return !in_group(in, CS_GRP_RET);
    }
}

/* From addr to where control does not go on; what it branches to is added to what is to do. */
static void walk_from(struct walk *w, uint64_t addr)
{
    const struct section *s = image_section(w->image, addr);
    cs_insn *in;
    bool on = true;

    while (on && addr - s->addr < s->size && !was_here(w, addr)) {
        const uint8_t *bytes = s->bytes + (addr - s->addr);

        if (!cs_disasm(w->capstone, bytes, s->size - (addr - s->addr), addr, 1, &in))
            return;
        range_add(&w->done, addr, addr + in->size);
        if ((in_group(in, CS_GRP_JUMP) || in_group(in, CS_GRP_CALL)) && in->id != X86_INS_LJMP &&
            in->id != X86_INS_LCALL && in->detail->x86.op_count == 1 &&
            in->detail->x86.operands[0].type == X86_OP_IMM)
            follow(w,
                   addr + (uint64_t)(int64_t)(int32_t)((uint32_t)in->detail->x86.operands[0].imm -
                                                       (uint32_t)addr));
        w->fn(w->image, in, w->arg);
        on = goes_on(in);
        addr += in->size;
        cs_free(in, 1);
    }
}

void code32_find(struct image *im, void (*fn)(const struct image *, const cs_insn *, void *),
                 void *arg)
{
    struct walk w = {.image = im, .fn = fn, .arg = arg};

    find_multiboot(&w);
    find_notes(&w);
    if (w.todo_count && cs_open(CS_ARCH_X86, CS_MODE_32, &w.capstone))
        die("the disassembler cannot be started");
    if (!w.todo_count)
        return;
    cs_option(w.capstone, CS_OPT_DETAIL, CS_OPT_ON);
    cs_option(w.capstone, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    while (w.todo_count)
        walk_from(&w, w.todo[--w.todo_count]);
    cs_close(&w.capstone);
    for (unsigned i = 0; i < w.done.count; i++)
        range_add(&im->skip, w.done.range[i].start, w.done.range[i].end);
    free(w.done.range);
    free(w.todo);
}
