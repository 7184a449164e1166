/* SPDX-License-Identifier: MIT */
/* Names of code: of the image's symbol table, and of a list as nm, System.map or /proc/kallsyms
 * have it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

static void add(struct image *im, uint64_t addr, const GElf_Sym *sym, const char *name)
{
    const struct section *s = image_section(im, addr);
    unsigned type = GELF_ST_TYPE(sym->st_info);
    struct symbol *new;

    if (!s || !*name ||
        (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE && type != STT_OBJECT))
        return;
    if (type == STT_GNU_IFUNC)
        type = STT_FUNC;
    if (type == STT_OBJECT && sym->st_size)
        range_add(&im->skip, addr, addr + sym->st_size);
    im->symbols = grow(im->symbols, im->symbol_count, sizeof(*im->symbols));
    new = &im->symbols[im->symbol_count++];
    *new = (struct symbol){
        .addr = addr, .size = sym->st_size, .name = name, .section = (unsigned)(s - im->sections)};
    new->type = (unsigned char)type;
    new->rank = (unsigned char)(2 * (type != STT_FUNC) + (GELF_ST_BIND(sym->st_info) == STB_LOCAL));
}

/* A name without more than its kind, as nm gives it. */
static void add_listed(struct image *im, uint64_t addr, char type, const char *name)
{
    static const GElf_Sym function = {.st_info = GELF_ST_INFO(STB_GLOBAL, STT_FUNC)};
    char *copy;

    if (!strchr("tTwW", type) || !image_section(im, addr))
        return;
    copy = strdup(name);
    if (!copy)
        die("out of memory");
    add(im, addr, &function, copy);
}

static void read_list(struct image *im, const char *file)
{
    char line[1024], name[512], type;
    size_t before = im->symbol_count;
    FILE *f = fopen(file, "r");
    uint64_t addr;

    if (!f)
        die("%s: %s", file, strerror(errno));
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "%" SCNx64 " %c %511s", &addr, &type, name) == 3)
            add_listed(im, addr, type, name);
    fclose(f);
    if (im->symbol_count == before)
        die("%s: no line of it names code of %s; it should have lines such as \"ffffffff81000000 T "
            "_text\"",
            file, im->name);
}

static int compare(const void *left, const void *right)
{
    const struct symbol *a = left, *b = right;

    if (a->section != b->section)
        return a->section < b->section ? -1 : 1;
    if (a->addr != b->addr)
        return a->addr < b->addr ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank - b->rank;
    if ((*a->name == '_') != (*b->name == '_'))
        return *a->name == '_' ? 1 : -1; /* startup_64 rather than _stext */
    return strcmp(a->name, b->name);
}

void symbols_read(struct image *im, const char *file)
{
    int count = dwfl_module_getsymtab(im->module);
    const char *name;
    GElf_Addr addr;
    GElf_Sym sym;

    for (int i = 0; i < count; i++) {
        name = dwfl_module_getsym_info(im->module, i, &sym, &addr, NULL, NULL, NULL);
        if (name && sym.st_shndx != SHN_UNDEF)
            add(im, addr, &sym, name);
    }
    if (file)
        read_list(im, file);
    else if (!im->symbol_count)
        kallsyms_read(im, add_listed);
    if (im->symbol_count)
        qsort(im->symbols, im->symbol_count, sizeof(*im->symbols), compare);
}

size_t symbol_from(const struct image *im, unsigned section, uint64_t addr)
{
    size_t low = 0, high = im->symbol_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct symbol *s = &im->symbols[middle];

        if (s->section < section || (s->section == section && s->addr < addr))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct symbol *symbol_at(const struct image *im, uint64_t addr)
{
    const struct section *s = image_section(im, addr);
    unsigned section = (unsigned)(s - im->sections);
    size_t after;

    if (!s)
        return NULL;
    after = symbol_from(im, section, addr + 1);
    if (!after || im->symbols[after - 1].section != section)
        return NULL;
    return &im->symbols[symbol_from(im, section, im->symbols[after - 1].addr)];
}
