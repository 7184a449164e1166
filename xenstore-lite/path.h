/* SPDX-License-Identifier: MIT */
/* Canonical paths, cut into names. The tree has one node above "/", so that "/" is a child named ""
 * and the special nodes "@introduceDomain" and "@releaseDomain" are its siblings: name 0 of a path
 * is one of these. */
#ifndef XSL_PATH_H
#define XSL_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire.h"

#define PATH_NAMES 1538 /* "", then names of one character each */

struct path {
    bool special;
    bool relative;  /* as it came */
    uint16_t len;   /* of text, without NUL */
    uint16_t depth; /* names, the first one included */
    uint16_t end[PATH_NAMES];
    char text[XENSTORE_ABS_PATH_MAX + 16]; /* keys are read eight bytes at a time */
};

/* home is put before relative paths; limit is that of the part below /local/domain/N. Returns 0 or
 * EINVAL. */
int path_parse(struct path *p, const char *text, const char *home, size_t limit);

/* As path_parse() of an absolute path that is known to be canonical. */
void path_set(struct path *p, const char *text, size_t len);

static inline const char *path_name(const struct path *p, unsigned n, size_t *len)
{
    unsigned start = n ? p->end[n - 1] + 1u : 0;

    *len = p->end[n] - start;
    return p->text + start;
}

#endif
