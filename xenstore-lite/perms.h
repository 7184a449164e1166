/* SPDX-License-Identifier: MIT */
/* Who may do what to a node: the only place where that is decided. */
#ifndef XSL_PERMS_H
#define XSL_PERMS_H

#include <stdbool.h>
#include "conn.h"
#include "node.h"

/* PERM_* of what the connection may do. */
unsigned perms_of_conn(const struct conn *c, const struct perms *p);

static inline bool perms_allow(const struct conn *c, const struct perms *p, unsigned wanted)
{
    return c->privileged || (perms_of_conn(c, p) & wanted) == wanted;
}

/* For a node that the connection makes below one with permissions p: the same, but its own. */
struct perms *perms_inherit(struct store *s, const struct conn *c, struct perms *p);

/* "n0" NUL "r5" NUL ... of len bytes into at most max entries: their number, or 0 if it is not
 * that. */
unsigned perms_parse(char *text, size_t len, struct perm *entry, unsigned max);

/* Writes the same form and returns its length, leaving out entries for dead domains. Nothing is
 * written if text is NULL. */
size_t perms_format(struct store *s, const struct perms *p, char *text);

/* Whether entry i still means the domain that was meant when it was set. */
bool perms_entry_valid(const struct store *s, const struct perms *p, unsigned i);

#endif
