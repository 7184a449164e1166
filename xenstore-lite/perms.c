/* SPDX-License-Identifier: MIT */
/* Permissions: deciding, inheriting, reading and printing. */
#include "perms.h"

#include <stdlib.h>
#include <string.h>
#include "store.h"

#define PERMS_AT_ONCE (XENSTORE_PAYLOAD_MAX / 3)

bool perms_entry_valid(const struct store *s, const struct perms *p, unsigned i)
{
    const struct account *a = s->account[p->entry[i].domid];

    return !a || !a->died || p->set > a->died;
}

unsigned perms_of_conn(const struct conn *c, const struct perms *p)
{
    if (c->privileged || p->entry[0].domid == c->domid || p->entry[0].domid == c->target)
        return PERM_READ | PERM_WRITE | PERM_OWNER;
    for (unsigned i = 1; i < p->n; i++)
        if ((p->entry[i].domid == c->domid || p->entry[i].domid == c->target) &&
            perms_entry_valid(c->store, p, i))
            return p->entry[i].access;
    return p->entry[0].access;
}

struct perms *perms_inherit(struct store *s, const struct conn *c, struct perms *p)
{
    struct perm entry[PERMS_AT_ONCE];
    unsigned n = 0;

    if (c->privileged || p->entry[0].domid == c->domid) {
        p->refs++;
        return p;
    }
    for (unsigned i = 0; i < p->n; i++)
        if (!i || perms_entry_valid(s, p, i))
            entry[n++] = p->entry[i];
    entry[0].domid = (uint16_t)c->domid;
    return perms_make(entry, n, ++s->generation);
}

static int access_of(char letter)
{
    switch (letter) {
    case 'n':
        return PERM_NONE;
    case 'r':
        return PERM_READ;
    case 'w':
        return PERM_WRITE;
    case 'b':
        return PERM_READ | PERM_WRITE;
    default:
        return -1;
    }
}

unsigned perms_parse(char *text, size_t len, struct perm *entry, unsigned max)
{
    unsigned n = 0, domid;
    char *end;
    int access;

    while (len) {
        end = memchr(text, 0, len);
        access = access_of(*text);
        if (!end || n == max || access < 0 || !wire_domid(text + 1, &domid))
            return 0;
        entry[n++] = (struct perm){(uint16_t)domid, (uint16_t)access};
        len -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    return n;
}

size_t perms_format(struct store *s, const struct perms *p, char *text)
{
    static const char letter[] = "nrwb";
    char one[24];
    size_t len = 0, n;

    for (unsigned i = 0; i < p->n; i++) {
        if (i && !perms_entry_valid(s, p, i))
            continue;
        one[0] = letter[p->entry[i].access];
        n = 1 + wire_put_number(one + 1, p->entry[i].domid);
        one[n++] = 0;
        if (text)
            memcpy(text + len, one, n);
        len += n;
    }
    return len;
}
