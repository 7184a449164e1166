/* SPDX-License-Identifier: MIT */
/* Nodes, values and permission lists: making, sharing, changing. Nothing here knows of transactions
 * or quotas. */
#include "node.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

#define MALLOC_OVERHEAD 16u

struct value *value_make(const void *data, size_t len)
{
    struct value *v = mem_alloc(sizeof(*v) + len);

    v->refs = 1;
    v->len = v->room = (uint32_t)len;
    memcpy(v->data, data, len);
    return v;
}

void value_put(struct value *v)
{
    if (v && !--v->refs)
        free(v);
}

struct perms *perms_make(const struct perm *entry, unsigned n, uint64_t gen)
{
    struct perms *p = mem_alloc(sizeof(*p) + n * sizeof(*entry));

    p->set = gen;
    p->refs = 1;
    p->n = n;
    memcpy(p->entry, entry, n * sizeof(*entry));
    return p;
}

void perms_put(struct perms *p)
{
    if (!--p->refs)
        free(p);
}

struct node *node_make(struct place *place, struct perms *perms, uint64_t gen)
{
    struct node *n = mem_zalloc(sizeof(*n));

    n->refs = 1;
    n->place = place;
    n->perms = perms;
    n->born = n->value_set = n->perms_set = n->children_set = gen;
    return n;
}

struct node *node_copy(struct node *n)
{
    struct node *copy = mem_alloc(sizeof(*copy));

    *copy = *n;
    copy->refs = 1;
    copy->room = n->children;
    copy->child = n->children ? mem_alloc(n->children * sizeof(*n->child)) : NULL;
    for (uint32_t i = 0; i < n->children; i++) {
        copy->child[i] = n->child[i];
        copy->child[i].node->refs++;
    }
    copy->place->refs++;
    copy->perms->refs++;
    if (copy->value)
        copy->value->refs++;
    return copy;
}

static void node_free(struct places *t, struct node *n)
{
    place_put(t, n->place);
    value_put(n->value);
    perms_put(n->perms);
    free(n->child);
    free(n);
}

/* Trees may be as deep as paths are long: nodes that are to go wait in a list, linked by a field
 * they need no more. */
void node_put(struct places *t, struct node *n)
{
    struct node *pending = n, *child;

    if (--n->refs)
        return;
    n->born = 0;
    while ((n = pending)) {
        pending = (struct node *)(uintptr_t)n->born;
        for (uint32_t i = 0; i < n->children; i++) {
            child = n->child[i].node;
            if (--child->refs)
                continue;
            child->born = (uintptr_t)pending;
            pending = child;
        }
        node_free(t, n);
    }
}

size_t node_bytes(const struct node *n)
{
    size_t bytes = sizeof(struct node) + sizeof(struct place) + sizeof(struct child) +
                   sizeof(struct perms) + 3 * MALLOC_OVERHEAD;

    bytes += n->place->len + n->perms->n * sizeof(struct perm);
    return n->value ? bytes + n->value->len + sizeof(struct value) + MALLOC_OVERHEAD : bytes;
}

/* Eight bytes after the name can be read: path texts and places are followed by some. */
static uint64_t key_of(const char *name, size_t len)
{
    uint64_t key;

    memcpy(&key, name, sizeof(key));
    key = be64toh(key);
    return len >= sizeof(key) ? key : len ? key & ~0ull << (64 - 8 * len) : 0;
}

/* Order of names whose first 8 characters are alike. */
static int compare_rest(const char *name, size_t len, const struct place *p)
{
    size_t least = len < p->len ? len : p->len;
    int order = least > 8 ? memcmp(name + 8, p->name + 8, least - 8) : 0;

    return order ? order : (len > p->len) - (len < p->len);
}

struct node *node_child(const struct node *n, const char *name, size_t len, uint32_t *at)
{
    uint64_t key = key_of(name, len);
    uint32_t low = 0, high = n->children, middle;
    int order;

    while (low < high) {
        middle = (low + high) / 2;
        if (key == n->child[middle].key) {
            order = compare_rest(name, len, n->child[middle].node->place);
            if (!order) {
                *at = middle;
                return n->child[middle].node;
            }
        } else {
            order = key < n->child[middle].key ? -1 : 1;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *at = low;
    return NULL;
}

void node_insert(struct node *n, uint32_t at, struct node *child)
{
    if (n->children == n->room) {
        n->room = n->room ? n->room * 2 : 2;
        n->child = mem_realloc(n->child, n->room * sizeof(*n->child));
    }
    memmove(n->child + at + 1, n->child + at, (n->children - at) * sizeof(*n->child));
    n->child[at].key = key_of(child->place->name, child->place->len);
    n->child[at].node = child;
    n->children++;
}

void node_remove(struct node *n, uint32_t at)
{
    n->children--;
    memmove(n->child + at, n->child + at + 1, (n->children - at) * sizeof(*n->child));
    if (n->children == 0) {
        free(n->child);
        n->child = NULL;
        n->room = 0;
    } else if (n->room > 16 && n->children < n->room / 4) {
        n->room /= 2;
        n->child = mem_realloc(n->child, n->room * sizeof(*n->child));
    }
}

void node_set_value(struct node *n, const void *data, size_t len)
{
    struct value *v = n->value;

    if (v && v->refs == 1 && len && len <= v->room && v->room / 2 <= len) {
        v->len = (uint32_t)len;
        memcpy(v->data, data, len);
        return;
    }
    value_put(v);
    n->value = len ? value_make(data, len) : NULL;
}

void node_set_perms(struct node *n, struct perms *p)
{
    perms_put(n->perms);
    n->perms = p;
}
