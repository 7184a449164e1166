/* SPDX-License-Identifier: MIT */
/* A small kernel file that tests of image parsing spoil. Every file is parsed from a heap block of
 * exactly its size, so that the address sanitizer sees each step too far. */
#ifndef TESTS_UNIT_IMAGE_FIXTURE_H
#define TESTS_UNIT_IMAGE_FIXTURE_H

#include <check.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <pvabi/elfnote.h>
#include "../../hv/dom/image.h"

#define BASE      0xffffffff80000000ull
#define ENTRY     (BASE + 0x101010)
#define P2M       0x8000000000ull
#define NOTES_AT  0x200
#define TEXT_AT   0x600
#define TEXT_SIZE 0x180
#define DATA_AT   0x800
#define DATA_SIZE 0x40
#define FILE_SIZE 0x840

enum { SEG_TEXT, SEG_DATA, SEG_NOTE, SEGS };

/* The kernel in the making: text, data with bss, notes. */
static struct file {
    uint8_t bytes[FILE_SIZE];
    Elf64_Ehdr h;
    Elf64_Phdr s[SEGS];
    size_t len, notes_end;
} f;
static struct kernel_image img;
static char err[IMAGE_ERR_SIZE];

static inline void add_note(unsigned type, const void *desc, unsigned size)
{
    Elf64_Nhdr n = {4, size, type};

    memcpy(f.bytes + f.notes_end, &n, sizeof(n));
    memcpy(f.bytes + f.notes_end + 12, "Xen", 4);
    memcpy(f.bytes + f.notes_end + 16, desc, size);
    f.notes_end += 16 + (size + 3) / 4 * 4;
    ck_assert_uint_le(f.notes_end, TEXT_AT);
    f.s[SEG_NOTE].p_filesz = f.notes_end - NOTES_AT;
}

static inline void add_number(unsigned type, uint64_t v)
{
    add_note(type, &v, 8);
}

static inline void add_text(unsigned type, const char *s)
{
    add_note(type, s, (unsigned)strlen(s) + 1);
}

static inline void drop_notes(void)
{
    memset(f.bytes + NOTES_AT, 0, TEXT_AT - NOTES_AT);
    f.notes_end = NOTES_AT;
    f.s[SEG_NOTE].p_filesz = 0;
}

static inline void setup(void)
{
    f = (struct file){
        .h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
              .e_type = 2,
              .e_machine = 62,
              .e_version = 1,
              .e_entry = 0x101020,
              .e_phoff = 64,
              .e_ehsize = 64,
              .e_phentsize = 56,
              .e_phnum = SEGS,
              .e_shentsize = 64},
        .s = {{1, 5, TEXT_AT, BASE + 0x101000, 0x101000, TEXT_SIZE, TEXT_SIZE, 4096},
              {1, 6, DATA_AT, 0, 0x103000, DATA_SIZE, 0x1800,
               4096}, /* p_vaddr 0, as per-CPU data */
              {4, 4, NOTES_AT, 0, 0, 0, 0, 4}},
        .len = FILE_SIZE,
        .notes_end = NOTES_AT,
    };
    memset(f.bytes + TEXT_AT, 0x90, TEXT_SIZE);
    memset(f.bytes + DATA_AT, 0xda, DATA_SIZE);
    add_text(XEN_ELFNOTE_GUEST_OS, "linux");
    add_text(XEN_ELFNOTE_GUEST_VERSION, "2.6");
    add_text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
    add_text(XEN_ELFNOTE_LOADER, "generic");
    add_number(XEN_ELFNOTE_VIRT_BASE, BASE);
    add_number(XEN_ELFNOTE_PADDR_OFFSET, 0);
    add_number(XEN_ELFNOTE_ENTRY, ENTRY);
}

static inline bool parse_bytes(const void *bytes, size_t len)
{
    static uint8_t *exact; /* lives on to the next call, as img points into it */

    free(exact);
    exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    memset(err, 0x55, sizeof(err));
    bool ok = image_parse(exact, len, &img, err);
    if (!ok)
        ck_assert_ptr_nonnull(memchr(err, 0, sizeof(err)));
    return ok;
}

static inline void assemble(void)
{
    memcpy(f.bytes, &f.h, sizeof(f.h));
    memcpy(f.bytes + 64, f.s, sizeof(f.s));
}

static inline void accepted(void)
{
    assemble();
    ck_assert_msg(parse_bytes(f.bytes, f.len), "rejected: %s", err);
}

static inline void rejected(const char *sentence)
{
    assemble();
    ck_assert_msg(!parse_bytes(f.bytes, f.len), "accepted, wanted: %s", sentence);
    ck_assert_str_eq(err, sentence);
}

/* Appends a section table: null, one of `type` over the notes' bytes, and the names. */
static inline void add_sections(unsigned type, const char *name)
{
    static struct {
        Elf64_Shdr s[3];
        char names[32];
    } t;

    memset(&t, 0, sizeof(t));
    strcpy(t.names + 1, name);
    t.s[1] = (Elf64_Shdr){
        .sh_name = 1, .sh_type = type, .sh_offset = NOTES_AT, .sh_size = f.notes_end - NOTES_AT};
    t.s[2] =
        (Elf64_Shdr){.sh_type = 3, .sh_offset = TEXT_AT + sizeof(t.s), .sh_size = sizeof(t.names)};
    _Static_assert(sizeof(t) <= TEXT_SIZE, "the table takes the text's place");
    memcpy(f.bytes + TEXT_AT, &t, sizeof(t));
    f.h.e_shoff = TEXT_AT;
    f.h.e_shnum = 3;
    f.h.e_shstrndx = 2;
    f.s[SEG_NOTE].p_type = 0;
}

static inline int run_tests(Suite *s, TCase *c)
{
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(c, 120);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
