/* SPDX-License-Identifier: MIT */
/* Checking and cutting of paths, in one pass over their characters. */
#include "path.h"

#include <errno.h>
#include <string.h>

static const bool in_names[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['-'] = true,         ['_'] = true,         ['@'] = true,
};

/* Cuts p->text; false if it is no path. Names are empty only before the first slash. */
static bool cut(struct path *p)
{
    size_t start = 0, i;

    p->depth = 0;
    for (i = 0; i < p->len; i++) {
        if (in_names[(uint8_t)p->text[i]])
            continue;
        if (p->text[i] != '/' || (i == start && i))
            return false;
        p->end[p->depth++] = (uint16_t)i;
        start = i + 1;
    }
    if (p->len == 1 && p->text[0] == '/')
        return true;
    if (i == start)
        return false;
    p->end[p->depth++] = (uint16_t)i;
    return true;
}

/* The length of "/local/domain/N/" at the start of text, or 0. */
static size_t domain_prefix(const char *text)
{
    static const char prefix[] = "/local/domain/";
    size_t len = sizeof(prefix) - 1, digits = 0;

    if (strncmp(text, prefix, len))
        return 0;
    while (text[len + digits] >= '0' && text[len + digits] <= '9')
        digits++;
    return digits && text[len + digits] == '/' ? len + digits + 1 : 0;
}

int path_parse(struct path *p, const char *text, const char *home, size_t limit)
{
    size_t len = strlen(text), home_len = 0;

    p->special = text[0] == '@';
    p->relative = text[0] != '/' && !p->special;
    if (p->relative) {
        home_len = strlen(home);
        if (!len || len > XENSTORE_REL_PATH_MAX)
            return EINVAL;
        memcpy(p->text, home, home_len);
        p->text[home_len++] = '/';
    }
    if (home_len + len > XENSTORE_ABS_PATH_MAX)
        return EINVAL;
    memcpy(p->text + home_len, text, len);
    memset(p->text + home_len + len, 0, 8);
    p->len = (uint16_t)(home_len + len);
    if (p->len > limit && p->len - domain_prefix(p->text) > limit)
        return EINVAL;
    return cut(p) ? 0 : EINVAL;
}

void path_set(struct path *p, const char *text, size_t len)
{
    p->special = text[0] == '@';
    p->relative = false;
    p->len = (uint16_t)len;
    memcpy(p->text, text, len);
    memset(p->text + len, 0, 8);
    cut(p);
}
