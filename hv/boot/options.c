/* SPDX-License-Identifier: MIT */
/* The hypervisor's command line: words "name", "no-name" or "name=value". */
#include <string.h>

#include <hv/init.h>
#include <hv/print.h>
#include "../lib/text.h"

struct options options = {
    .dom0_mem = ~0ull,
    .dom0_mem_max = ~0ull,
    .loglvl = LOG_INFO,
    .guest_loglvl = LOG_WARN,
};

/* Digits at the start of a word; takes them off. */
static bool take_number(struct text *w, uint64_t *n)
{
    size_t len = w->len;

    for (*n = 0; w->len && *w->s >= '0' && *w->s <= '9'; w->s++, w->len--) {
        if (*n > ~0ull / 10 - 1)
            return false;
        *n = *n * 10 + (uint64_t)(*w->s - '0');
    }
    return w->len < len;
}

/* "256M"; without a unit the number counts KiB. */
static bool parse_size(struct text w, uint64_t *bytes)
{
    static const char units[] = "bBkKmMgGtT";
    unsigned shift = 10;
    const char *unit;
    uint64_t n;

    if (!take_number(&w, &n) || w.len > 1)
        return false;
    if (w.len) {
        unit = strchr(units, *w.s);
        if (!unit)
            return false;
        shift = 10 * ((unsigned)(unit - units) / 2);
    }
    if (n > ~0ull >> 1 >> shift)
        return false;
    *bytes = n << shift;
    return true;
}

static bool parse_unsigned(struct text w, unsigned *v)
{
    uint64_t n;

    if (!take_number(&w, &n) || w.len || n > ~0u)
        return false;
    *v = (unsigned)n;
    return true;
}

/* SIZE, max:SIZE; min: is taken and has no meaning, as dom0 gets its memory or the boot fails. */
static bool parse_dom0_mem(struct text value)
{
    uint64_t ignored;

    while (value.len) {
        struct text item = text_next(&value, ",");
        uint64_t *to = &options.dom0_mem;

        if (item.len > 4 && (!memcmp(item.s, "max:", 4) || !memcmp(item.s, "min:", 4))) {
            to = item.s[1] == 'a' ? &options.dom0_mem_max : &ignored;
            item.s += 4;
            item.len -= 4;
        }
        if (!parse_size(item, to))
            return false;
    }
    return true;
}

/* LEVEL[/RATE-LIMITED LEVEL]: the first counts. */
static bool parse_level(struct text value, int *level)
{
    static const char *const names[] = {"none", "error", "warning", "info", "debug"};
    struct text name = text_next(&value, "/");

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (text_is(name, names[i])) {
            *level = (int)i - 1;
            return true;
        }
    }
    if (!text_is(name, "all"))
        return false;
    *level = LOG_DEBUG;
    return true;
}

static bool parse_com1(struct text value)
{
    struct text baud = text_next(&value, ","); /* the line is always 8n1 */

    return text_is(baud, "auto") || parse_unsigned(baud, &options.com1_baud);
}

/* What Xen has beyond yes and no is about means that are not used here. */
static void parse_spec_ctrl(struct text value)
{
    if (text_is(value, "no") || text_is(value, "off"))
        options.spec_ctrl = SPEC_CTRL_NO;
    else if (text_is(value, "yes") || text_is(value, "on"))
        options.spec_ctrl = SPEC_CTRL_YES;
}

/* Options of Xen that boot entries pass and that mean nothing here. */
static bool is_foreign(struct text name)
{
    static const char *const foreign[] = {
        "placeholder", "console",  "ucode",        "vga",   "no-real-mode",      "edd",
        "com2",        "watchdog", "sync_console", "iommu", "console_timestamps"};

    for (unsigned i = 0; i < ARRAY_SIZE(foreign); i++) {
        if (text_is(name, foreign[i]))
            return true;
    }
    return false;
}

static void parse_option(struct text option)
{
    struct text value = option, name = text_next(&value, "=");
    bool good = true;

    if (text_is(name, "dom0_mem"))
        good = parse_dom0_mem(value);
    else if (text_is(name, "dom0_max_vcpus"))
        good = parse_unsigned(value, &options.dom0_max_vcpus);
    else if (text_is(name, "com1"))
        good = parse_com1(value);
    else if (text_is(name, "loglvl"))
        good = parse_level(value, &options.loglvl);
    else if (text_is(name, "guest_loglvl"))
        good = parse_level(value, &options.guest_loglvl);
    else if (text_is(name, "spec-ctrl"))
        parse_spec_ctrl(value);
    else if (text_is(option, "noreboot"))
        options.noreboot = true;
#if defined(PARAVANE_DEBUG) || defined(PARAVANE_HOST)
    else if (text_is(option, "audit"))
        options.audit = true;
#endif
    else if (!is_foreign(name))
        printk(LOG_WARN, "unknown option \"%.*s\" is ignored", (int)option.len, option.s);
    if (!good)
        printk(LOG_WARN, "option \"%.*s\" is ignored: its value is not understood", (int)option.len,
               option.s);
}

void options_parse(const char *text)
{
    struct text rest = {text, strlen(text)};

    while (rest.len) {
        struct text option = text_next(&rest, " \t");

        if (option.len)
            parse_option(option);
    }
}
