/* SPDX-License-Identifier: MIT */
/* The table of places: the name of every node and watched path, once. */
#include "node.h"

#include <stdlib.h>
#include <string.h>
#include "mem.h"

static uint32_t hash_name(const struct place *parent, const char *name, size_t len)
{
    uint64_t h = (uintptr_t)parent * 0x9e3779b97f4a7c15ull, part;

    while (len) {
        size_t n = len < sizeof(part) ? len : sizeof(part);

        part = 0;
        memcpy(&part, name, n);
        h = (h ^ part) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
        name += n;
        len -= n;
    }
    return (uint32_t)(h ^ h >> 29);
}

static void grow(struct places *t)
{
    uint32_t size = t->bucket ? (t->mask + 1) * 2 : 256;
    struct place **bucket = mem_zalloc(size * sizeof(*bucket)), *p, *next;

    for (uint32_t i = 0; t->bucket && i <= t->mask; i++)
        for (p = t->bucket[i]; p; p = next) {
            next = p->next;
            p->next = bucket[p->hash & (size - 1)];
            bucket[p->hash & (size - 1)] = p;
        }
    free(t->bucket);
    t->bucket = bucket;
    t->mask = size - 1;
}

static struct place *find(struct places *t, struct place *parent, const char *name, size_t len,
                          uint32_t hash)
{
    struct place *p;

    for (p = t->bucket ? t->bucket[hash & t->mask] : NULL; p; p = p->next)
        if (p->hash == hash && p->parent == parent && p->len == len && !memcmp(p->name, name, len))
            return p;
    return NULL;
}

struct place *place_find(struct places *t, struct place *parent, const char *name, size_t len)
{
    return find(t, parent, name, len, hash_name(parent, name, len));
}

struct place *place_get(struct places *t, struct place *parent, const char *name, size_t len)
{
    uint32_t hash = hash_name(parent, name, len);
    struct place *p = find(t, parent, name, len, hash);

    if (p) {
        p->refs++;
        return p;
    }
    if (!t->bucket || t->used > t->mask)
        grow(t);
    p = mem_zalloc(sizeof(*p) + len + 8); /* see key_of() */
    p->parent = parent;
    p->refs = 1;
    p->hash = hash;
    p->len = (uint16_t)len;
    memcpy(p->name, name, len);
    if (parent)
        parent->refs++;
    p->next = t->bucket[hash & t->mask];
    t->bucket[hash & t->mask] = p;
    t->used++;
    return p;
}

void place_put(struct places *t, struct place *p)
{
    struct place **link, *parent;

    for (; p && !--p->refs; p = parent) {
        for (link = &t->bucket[p->hash & t->mask]; *link != p; link = &(*link)->next)
            ;
        *link = p->next;
        t->used--;
        parent = p->parent;
        free(p);
    }
}

size_t place_path(const struct place *p, char *text)
{
    size_t len = 0, at;
    const struct place *q;

    /* The place above "/" has no parent and no name; "/" itself is one slash only if nothing
     * follows. */
    for (q = p; q->parent; q = q->parent)
        len += q->len + 1u;
    at = len;
    for (q = p; q->parent; q = q->parent) {
        at -= q->len + 1u;
        text[at] = '/';
        memcpy(text + at + 1, q->name, q->len);
    }
    if (len <= 1)
        return 1;
    memmove(text, text + 1, len - 1);
    return len - 1;
}
