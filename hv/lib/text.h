/* SPDX-License-Identifier: MIT */
/* Pieces of text that end nowhere but at their length: of the command line, of a kernel's notes. */
#ifndef HV_LIB_TEXT_H
#define HV_LIB_TEXT_H

#include <string.h>

#include <hv/types.h>

struct text {
    const char *s;
    size_t len;
};

static inline bool text_is(struct text t, const char *s)
{
    return t.len == strlen(s) && !memcmp(t.s, s, t.len);
}

/* Takes what precedes the first of the separators off the front of t, and the separator with it. */
static inline struct text text_next(struct text *t, const char *separators)
{
    struct text head = {t->s, 0};

    while (head.len < t->len && !strchr(separators, head.s[head.len]))
        head.len++;
    t->s += MIN(head.len + 1, t->len);
    t->len -= MIN(head.len + 1, t->len);
    return head;
}

#endif
