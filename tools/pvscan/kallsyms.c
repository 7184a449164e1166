/* SPDX-License-Identifier: MIT */
/* A stripped Linux kernel still knows its symbols: /proc/kallsyms is made of tables in its
 * read-only data. Where they are, nothing tells; but each says something about the next that can be
 * checked. */
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

#define TOKENS     256
#define FEWEST     1000
#define MOST       1000000
#define PER_MARKER 256
#define NAMES_SPAN (32u << 20) /* how far before the tokens the names may begin */

struct tables {
    const uint8_t *file;
    size_t size;
    size_t token[TOKENS]; /* offsets in the file, of strings */
    size_t after_tokens;  /* behind the table of tokens and its index */
    size_t names, offsets, base;
    uint32_t count;
};

static size_t align8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static uint32_t u32(const struct tables *t, size_t at)
{
    uint32_t value;

    memcpy(&value, t->file + at, sizeof(value));
    return value;
}

/* The strings that symbols are made of. Digits stand for themselves; behind the strings is an index
 * of 16-bit offsets. */
static bool tokens_at(struct tables *t, size_t zero)
{
    size_t at = zero, index;

    for (unsigned i = 0; i < '0'; i++) {
        if (at < 2 || t->file[at - 1])
            return false;
        for (at--; at && t->file[at - 1]; at--)
            ;
    }
    for (unsigned i = 0; i < TOKENS; i++) {
        const uint8_t *end = memchr(t->file + at, 0, t->size - at < 64 ? t->size - at : 64);

        if (!end)
            return false;
        t->token[i] = at;
        at = (size_t)(end + 1 - t->file);
    }
    index = align8(at);
    t->after_tokens = align8(index + 2 * TOKENS);
    if (t->after_tokens + 8 > t->size)
        return false;
    for (unsigned i = 0; i < TOKENS; i++)
        if ((t->file[index + 2 * i] | t->file[index + 2 * i + 1] << 8) !=
            (int)(t->token[i] - t->token[0]))
            return false;
    return true;
}

static bool find_tokens(struct tables *t)
{
    static const char digits[] = "0\0"
                                 "1\0"
                                 "2\0"
                                 "3\0"
                                 "4\0"
                                 "5\0"
                                 "6\0"
                                 "7\0"
                                 "8\0"
                                 "9";
    const uint8_t *at = t->file, *end = t->file + t->size;

    while ((at = memmem(at, (size_t)(end - at), digits, sizeof(digits)))) {
        if (tokens_at(t, (size_t)(at - t->file)))
            return true;
        at++;
    }
    return false;
}

/* The length of a name in tokens; *at moves to its first. Two bytes for long ones. */
static unsigned name_length(const struct tables *t, size_t *at)
{
    unsigned length = t->file[(*at)++];

    if (length & 0x80)
        length = (length & 0x7f) | (unsigned)t->file[(*at)++] << 7;
    return length;
}

/* Are there count names at t->names, with markers behind them that tell where each 256th begins? */
static bool names_fit(const struct tables *t)
{
    size_t at = t->names, markers;
    unsigned length;

    for (uint32_t i = 0; i < t->count; i++) {
        if (at + 2 > t->token[0] || !(length = name_length(t, &at)))
            return false;
        at += length;
    }
    markers = align8(at);
    at = t->names;
    for (uint32_t i = 0; i < t->count; i++) {
        if (i % PER_MARKER == 0) {
            if (markers + 4 > t->token[0] || u32(t, markers) != at - t->names)
                return false;
            markers += 4;
        }
        length = name_length(t, &at);
        at += length;
    }
    return true;
}

/* Their number is right before them. */
static bool find_names(struct tables *t)
{
    size_t last = t->token[0] & ~(size_t)7, first = last > NAMES_SPAN ? last - NAMES_SPAN : 8;

    for (size_t at = last - 8; at >= first && at >= 16; at -= 8) {
        t->count = u32(t, at);
        t->names = at + 8;
        if (t->count >= FEWEST && t->count <= MOST && !u32(t, at + 4) && names_fit(t))
            return true;
    }
    return false;
}

/* Offsets and the address they count from lie before the number (to Linux 6.3), or behind the
 * tokens. */
static bool find_offsets(struct tables *t)
{
    size_t room = align8(4ull * t->count), number = t->names - 8;
    uint64_t base;

    for (unsigned late = 0; late < 2; late++) {
        if (!late && number < room + 8)
            continue;
        t->offsets = late ? t->after_tokens : number - 8 - room;
        t->base = t->offsets + room;
        if (t->base + 8 > t->size)
            continue;
        memcpy(&base, t->file + t->base, sizeof(base));
        if (base >> 47 == 0x1ffff && !(base & 0xfff))
            return true;
    }
    return false;
}

/* Offsets of processors' own variables may be absolute; then those of all others are counted down
 * from -1. */
static bool counted_down(const struct tables *t)
{
    uint32_t negative = 0;

    for (uint32_t i = 0; i < t->count; i++)
        negative += u32(t, t->offsets + 4ull * i) >> 31;
    return negative > t->count / 2;
}

static void expand(const struct tables *t, size_t at, unsigned length, char *name, size_t size)
{
    size_t used = 0;

    for (; length--; at++)
        for (const uint8_t *from = t->file + t->token[t->file[at]]; *from && used + 1 < size;
             from++)
            name[used++] = (char)*from;
    name[used] = 0;
}

void kallsyms_read(struct image *im,
                   void (*fn)(struct image *, uint64_t addr, char type, const char *name))
{
    struct tables t = {0};
    char name[512];
    uint64_t base;
    bool down;
    size_t at;

    t.file = (const uint8_t *)elf_rawfile(im->elf, &t.size);
    if (!t.file || !find_tokens(&t) || !find_names(&t) || !find_offsets(&t))
        return;
    memcpy(&base, t.file + t.base, sizeof(base));
    down = counted_down(&t);
    at = t.names;
    for (uint32_t i = 0; i < t.count; i++) {
        uint32_t offset = u32(&t, t.offsets + 4ull * i);
        unsigned length = name_length(&t, &at);

        expand(&t, at, length, name, sizeof(name));
        at += length;
        if (!down)
            fn(im, base + offset, *name, name + 1);
        else if (offset >> 31)
            fn(im, base - 1 - (uint64_t)(int64_t)(int32_t)offset, *name, name + 1);
    }
}
