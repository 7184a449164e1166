/* SPDX-License-Identifier: MIT */
/* pvscan: which instructions of a kernel do not do in ring 3 what they do in ring 0. An image
 * (image.c) is swept (sweep.c), each instruction judged (rules.c), and what was found reported
 * (report.c). */
#ifndef PVSCAN_H
#define PVSCAN_H

#include <capstone/capstone.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum verdict { TRAPS, EMULATED, SILENT, VERDICTS };

struct rule {
    const char *name;
    enum verdict verdict;
    const char *why; /* what happens in ring 3 */
    const char
        *instead; /* what to use of guest-lib; NULL: nothing is needed, or there is nothing */
};

struct symbol {
    uint64_t addr, size;
    const char *name;
    unsigned section;
    unsigned char type, rank; /* of those at one address the lowest rank names it */
};

/* Code that is executed in 64-bit mode, unless a range says otherwise. */
struct section {
    const char *name;
    uint64_t addr, size;
    const uint8_t *bytes;
};

/* Bytes that the sweep must not take for 64-bit code: data between functions, or code for 32-bit
 * mode. */
struct range {
    uint64_t start, end;
};

struct ranges {
    struct range *range;
    unsigned count;
};

struct image {
    const char *name;
    Dwfl_Module *module;
    Elf *elf;
    uint64_t bias;    /* addresses here, minus those in the file */
    bool relocatable; /* addresses are libdwfl's, and mean nothing to others */
    struct section *sections;
    unsigned section_count;
    struct symbol *symbols; /* by section and address */
    size_t symbol_count;
    struct ranges skip; /* sorted */
};

struct site {
    const struct image *image;
    const struct section *section;
    const struct symbol *symbol; /* may be NULL */
    const struct rule *rule;
    uint64_t addr;
    uint64_t original; /* of an alternative: the code it may be put in place of; else 0 */
    bool in_32bit;     /* start code for 32-bit mode */
    char text[192];
};

struct findings {
    struct site *sites;
    size_t count;
    uint64_t instructions, undecodable;
};

/* Ends the program with status 2. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *grow(void *array, size_t count, size_t size); /* room for one more */

/* image.c. Calls fn for each ELF file in the file: an archive has several. */
void image_each(const char *path, const char *symbol_file, void (*fn)(struct image *, void *),
                void *arg);
const struct section *image_section(const struct image *im, uint64_t addr);
/* The address that a physical one has in the image, or 0. */
uint64_t image_physical(const struct image *im, uint64_t physical);
uint64_t image_entry(const struct image *im);

/* symbols.c */
void symbols_read(struct image *im, const char *file);
const struct symbol *symbol_at(const struct image *im, uint64_t addr);
/* The first symbol of the section at addr or above: an index into symbols, which may be their
 * count. */
size_t symbol_from(const struct image *im, unsigned section, uint64_t addr);

/* kallsyms.c: calls fn for each symbol that a Linux kernel keeps of itself, if it is one. */
void kallsyms_read(struct image *im,
                   void (*fn)(struct image *, uint64_t addr, char type, const char *name));

/* rules.c. NULL: does the same in ring 3. */
const struct rule *rule_for(const cs_insn *in);
const struct rule *rule_list(size_t i);

/* young.c: what the disassembler does not know. Fills size and name of in, unless it is no
 * instruction at all. */
enum young_kind { YOUNG_NONE, YOUNG_HARMLESS, YOUNG_PKRU, YOUNG_SYSTEM };
enum young_kind young_instruction(const uint8_t *bytes, size_t left, cs_insn *in);
const struct rule *rule_for_young(enum young_kind kind);

/* msr.c: what is known of an rdmsr or wrmsr, if the code before it tells the register's number. */
#define MSR_LOOK_BACK 8
const struct rule *msr_rule(csh detailed, const struct section *s, const uint64_t *before,
                            unsigned count, const cs_insn *in, uint32_t *index);
const struct rule *msr_list(size_t i);

/* code32.c: finds the 32-bit start code of multiboot and PVH images, and adds it to im->skip. */
void code32_find(struct image *im, void (*fn)(const struct image *, const cs_insn *, void *),
                 void *arg);

/* alternatives.c: the address of the code in whose place that of .altinstr_replacement at addr is
 * put, or 0. */
uint64_t alternative_of(const struct image *im, uint64_t addr);

/* sweep.c */
void range_add(struct ranges *r, uint64_t start, uint64_t end);
void sweep(struct image *im, struct findings *f);

/* report.c */
extern const char *const verdict_names[VERDICTS];
void report_text(const struct findings *f, bool summary_only);
void report_json(const struct findings *f);
void report_rules(void);

#endif
