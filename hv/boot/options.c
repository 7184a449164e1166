/* SPDX-License-Identifier: MIT */
/* The hypervisor's command line: words "name", "no-name" or "name=value". */
#include <string.h>

#include <hv/init.h>
#include <hv/print.h>

struct options options = {
    .dom0_mem = ~0ull,
    .dom0_mem_max = ~0ull,
    .loglvl = LOG_INFO,
    .guest_loglvl = LOG_WARN,
};

/* Part of the command line. */
struct word {
    const char *start;
    size_t len;
};

static bool word_is_text(struct word w, const char *text)
{
    return w.len == strlen(text) && !memcmp(w.start, text, w.len);
}

/* Cuts off *rest what lies before the first of the separators, which is dropped. */
static struct word cut(struct word *rest, const char *separators)
{
    struct word head = {rest->start, 0};

    while (head.len < rest->len && !strchr(separators, head.start[head.len]))
        head.len++;
    rest->start += MIN(head.len + 1, rest->len);
    rest->len -= MIN(head.len + 1, rest->len);
    return head;
}

/* Digits at the start of a word; takes them off. */
static bool take_number(struct word *w, uint64_t *n)
{
    size_t len = w->len;

    for (*n = 0; w->len && *w->start >= '0' && *w->start <= '9'; w->start++, w->len--) {
        if (*n > ~0ull / 10 - 1)
            return false;
        *n = *n * 10 + (uint64_t)(*w->start - '0');
    }
    return w->len < len;
}

/* "256M"; without a unit the number counts KiB. */
static bool parse_size(struct word w, uint64_t *bytes)
{
    static const char units[] = "bBkKmMgGtT";
    unsigned shift = 10;
    const char *unit;
    uint64_t n;

    if (!take_number(&w, &n) || w.len > 1)
        return false;
    if (w.len) {
        unit = strchr(units, *w.start);
        if (!unit)
            return false;
        shift = 10 * ((unsigned)(unit - units) / 2);
    }
    if (n > ~0ull >> 1 >> shift)
        return false;
    *bytes = n << shift;
    return true;
}

static bool parse_unsigned(struct word w, unsigned *v)
{
    uint64_t n;

    if (!take_number(&w, &n) || w.len || n > ~0u)
        return false;
    *v = (unsigned)n;
    return true;
}

/* SIZE, max:SIZE; min: is taken and has no meaning, as dom0 gets its memory or the boot fails. */
static bool parse_dom0_mem(struct word value)
{
    uint64_t ignored;

    while (value.len) {
        struct word item = cut(&value, ",");
        uint64_t *to = &options.dom0_mem;

        if (item.len > 4 && (!memcmp(item.start, "max:", 4) || !memcmp(item.start, "min:", 4))) {
            to = item.start[1] == 'a' ? &options.dom0_mem_max : &ignored;
            item.start += 4;
            item.len -= 4;
        }
        if (!parse_size(item, to))
            return false;
    }
    return true;
}

/* LEVEL[/RATE-LIMITED LEVEL]: the first counts. */
static bool parse_level(struct word value, int *level)
{
    static const char *const names[] = {"none", "error", "warning", "info", "debug"};
    struct word name = cut(&value, "/");

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (word_is_text(name, names[i])) {
            *level = (int)i - 1;
            return true;
        }
    }
    if (!word_is_text(name, "all"))
        return false;
    *level = LOG_DEBUG;
    return true;
}

static bool parse_com1(struct word value)
{
    struct word baud = cut(&value, ","); /* the line is always 8n1 */

    return word_is_text(baud, "auto") || parse_unsigned(baud, &options.com1_baud);
}

/* What Xen has beyond yes and no is about means that are not used here. */
static void parse_spec_ctrl(struct word value)
{
    if (word_is_text(value, "no") || word_is_text(value, "off"))
        options.spec_ctrl = SPEC_CTRL_NO;
    else if (word_is_text(value, "yes") || word_is_text(value, "on"))
        options.spec_ctrl = SPEC_CTRL_YES;
}

/* Options of Xen that boot entries pass and that mean nothing here. */
static bool is_foreign(struct word name)
{
    static const char *const foreign[] = {
        "placeholder", "console",  "ucode",        "vga",   "no-real-mode",      "edd",
        "com2",        "watchdog", "sync_console", "iommu", "console_timestamps"};

    for (unsigned i = 0; i < ARRAY_SIZE(foreign); i++) {
        if (word_is_text(name, foreign[i]))
            return true;
    }
    return false;
}

static void parse_option(struct word option)
{
    struct word value = option, name = cut(&value, "=");
    bool good = true;

    if (word_is_text(name, "dom0_mem"))
        good = parse_dom0_mem(value);
    else if (word_is_text(name, "dom0_max_vcpus"))
        good = parse_unsigned(value, &options.dom0_max_vcpus);
    else if (word_is_text(name, "com1"))
        good = parse_com1(value);
    else if (word_is_text(name, "loglvl"))
        good = parse_level(value, &options.loglvl);
    else if (word_is_text(name, "guest_loglvl"))
        good = parse_level(value, &options.guest_loglvl);
    else if (word_is_text(name, "spec-ctrl"))
        parse_spec_ctrl(value);
    else if (word_is_text(option, "noreboot"))
        options.noreboot = true;
#if defined(PARAVANE_DEBUG) || defined(PARAVANE_HOST)
    else if (word_is_text(option, "audit"))
        options.audit = true;
#endif
    else if (!is_foreign(name))
        printk(LOG_WARN, "unknown option \"%.*s\" is ignored", (int)option.len, option.start);
    if (!good)
        printk(LOG_WARN, "option \"%.*s\" is ignored: its value is not understood", (int)option.len,
               option.start);
}

void options_parse(const char *text)
{
    struct word rest = {text, strlen(text)};

    while (rest.len) {
        struct word option = cut(&rest, " \t");

        if (option.len)
            parse_option(option);
    }
}
