/* SPDX-License-Identifier: MIT */
/* Linux patches its code at boot with pieces of .altinstr_replacement; .altinstructions tells which
 * goes where. */
#include <string.h>
#include "pvscan.h"

#define REPLACEMENT ".altinstr_replacement"

struct table {
    const uint8_t *bytes;
    uint64_t addr, size;
    unsigned step,
        length_at; /* bytes of an entry, and where it has the length of the replacement */
};

static bool find_table(const struct image *im, struct table *t)
{
    Elf_Scn *scn = NULL;
    size_t names;
    GElf_Shdr shdr;
    Elf_Data *data;
    const char *name;

    while (!elf_getshdrstrndx(im->elf, &names) && (scn = elf_nextscn(im->elf, scn))) {
        if (!gelf_getshdr(scn, &shdr) || !(name = elf_strptr(im->elf, names, shdr.sh_name)) ||
            strcmp(name, ".altinstructions") || !(data = elf_rawdata(scn, NULL)))
            continue;
        *t = (struct table){
            .bytes = data->d_buf, .addr = shdr.sh_addr + im->bias, .size = data->d_size};
        return true;
    }
    return false;
}

static uint64_t target(const struct table *t, uint64_t at)
{
    int32_t distance;

    memcpy(&distance, t->bytes + at, sizeof(distance));
    return t->addr + at + (uint64_t)(int64_t)distance;
}

/* Each entry leads from code to code of the other section: true for one layout only. */
static bool fits(const struct image *im, const struct table *t)
{
    const struct section *from, *to;

    if (!t->size || t->size % t->step)
        return false;
    for (uint64_t at = 0; at < t->size; at += t->step) {
        if (!t->bytes[at + t->length_at])
            continue; /* nothing is put there */
        from = image_section(im, target(t, at));
        to = image_section(im, target(t, at + 4));
        if (!from || !to || strcmp(to->name, REPLACEMENT))
            return false;
    }
    return true;
}

/* The entry grew with the years: Linux 5.18, before it, 6.3 and later. */
static bool know_layout(const struct image *im, struct table *t)
{
    static const unsigned layouts[][2] = {{12, 11}, {13, 11}, {14, 13}};

    for (unsigned i = 0; i < 3; i++) {
        t->step = layouts[i][0];
        t->length_at = layouts[i][1];
        if (fits(im, t))
            return true;
    }
    return false;
}

uint64_t alternative_of(const struct image *im, uint64_t addr)
{
    static const struct image *last;
    static struct table t;
    static bool known;

    if (last != im) {
        last = im;
        known = find_table(im, &t) && know_layout(im, &t);
    }
    for (uint64_t at = 0; known && at < t.size; at += t.step)
        if (addr - target(&t, at + 4) < t.bytes[at + t.length_at])
            return target(&t, at);
    return 0;
}
