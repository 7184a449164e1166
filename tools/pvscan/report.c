/* SPDX-License-Identifier: MIT */
/* What was found: for people, in lines and a legend, or as JSON. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

const char *const verdict_names[VERDICTS] = {
    [TRAPS] = "traps", [EMULATED] = "emulated", [SILENT] = "silent"};

static const char *source_of(const struct site *s, int *line)
{
    Dwfl_Line *found = dwfl_module_getsrc(s->image->module, s->addr);

    return found ? dwfl_lineinfo(found, NULL, line, NULL, NULL, NULL) : NULL;
}

/* As the file has it: in an object from the section's start. */
static uint64_t address(const struct site *s)
{
    return s->addr - (s->image->relocatable ? s->section->addr : s->image->bias);
}

static void print_site(const struct site *s)
{
    const char *source;
    uint64_t at = s->original ? s->original : s->addr;
    int line;

    printf("%#18" PRIx64 "  %-8s  %-28s  ", address(s), verdict_names[s->rule->verdict], s->text);
    if (s->symbol)
        printf("%s+%#" PRIx64, s->symbol->name, at - s->symbol->addr);
    else
        printf("%s+%#" PRIx64, s->section->name, s->addr - s->section->addr);
    if ((source = source_of(s, &line)))
        printf("  %s:%d", source, line);
    if (s->original)
        printf("  (alternative of %#" PRIx64 ")", s->original - s->image->bias);
    if (s->in_32bit)
        printf("  (32-bit start code)");
    putchar('\n');
}

struct total {
    const struct rule *rule;
    size_t count;
};

static int by_weight(const void *left, const void *right)
{
    const struct total *a = left, *b = right;
    static const int order[VERDICTS] = {[SILENT] = 0, [TRAPS] = 1, [EMULATED] = 2};

    if (a->rule->verdict != b->rule->verdict)
        return order[a->rule->verdict] - order[b->rule->verdict];
    return a->count != b->count ? (a->count < b->count ? 1 : -1)
                                : strcmp(a->rule->name, b->rule->name);
}

static struct total *totals_of(const struct findings *f, size_t *count)
{
    struct total *t = NULL;
    size_t n = 0, j;

    for (size_t i = 0; i < f->count; i++) {
        for (j = 0; j < n && t[j].rule != f->sites[i].rule; j++)
            ;
        if (j == n) {
            t = grow(t, n, sizeof(*t));
            t[n++] = (struct total){f->sites[i].rule, 0};
        }
        t[j].count++;
    }
    if (n)
        qsort(t, n, sizeof(*t), by_weight);
    *count = n;
    return t;
}

static void print_rule(const struct rule *r)
{
    printf("%-8s  %s: %s", verdict_names[r->verdict], r->name, r->why);
    if (r->instead)
        printf("\n%19suse %s", "", r->instead);
    putchar('\n');
}

void report_text(const struct findings *f, bool summary_only)
{
    size_t count, by_verdict[VERDICTS] = {0};
    struct total *totals = totals_of(f, &count);

    for (size_t i = 0; i < f->count; i++) {
        by_verdict[f->sites[i].rule->verdict]++;
        if (!summary_only)
            print_site(&f->sites[i]);
    }
    if (!summary_only && count)
        putchar('\n');
    for (size_t i = 0; i < count; i++) {
        printf("%7zu  ", totals[i].count);
        print_rule(totals[i].rule);
    }
    printf("%s%zu silent, %zu trap, %zu emulated; %" PRIu64 " instructions, %" PRIu64
           " bytes that are none\n",
           count ? "\n" : "", by_verdict[SILENT], by_verdict[TRAPS], by_verdict[EMULATED],
           f->instructions, f->undecodable);
    free(totals);
}

/* --- JSON --- */

static void print_string(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < ' ')
            printf("\\u%04x", *s);
        else
            putchar(*s);
    }
    putchar('"');
}

static void print_field(const char *name, const char *value)
{
    printf(", \"%s\": ", name);
    if (value)
        print_string(value);
    else
        printf("null");
}

static void print_site_json(const struct site *s)
{
    uint64_t at = s->original ? s->original : s->addr;
    const char *source;
    int line;

    printf("{\"address\": \"%#" PRIx64 "\"", address(s));
    print_field("image", s->image->name);
    print_field("section", s->section->name);
    print_field("symbol", s->symbol ? s->symbol->name : NULL);
    if (s->symbol)
        printf(", \"offset\": %" PRIu64, at - s->symbol->addr);
    if ((source = source_of(s, &line))) {
        print_field("file", source);
        printf(", \"line\": %d", line);
    }
    print_field("instruction", s->text);
    print_field("rule", s->rule->name);
    print_field("class", verdict_names[s->rule->verdict]);
    print_field("why", s->rule->why);
    print_field("instead", s->rule->instead);
    if (s->original)
        printf(", \"alternative_of\": \"%#" PRIx64 "\"", s->original - s->image->bias);
    printf(", \"mode\": %d}", s->in_32bit ? 32 : 64);
}

void report_json(const struct findings *f)
{
    size_t count;
    struct total *totals = totals_of(f, &count);

    printf("{\"instructions\": %" PRIu64 ", \"undecodable_bytes\": %" PRIu64 ",\n\"counts\": {",
           f->instructions, f->undecodable);
    for (size_t i = 0; i < count; i++) {
        printf("%s", i ? ", " : "");
        print_string(totals[i].rule->name);
        printf(": %zu", totals[i].count);
    }
    printf("},\n\"sites\": [");
    for (size_t i = 0; i < f->count; i++) {
        printf("%s\n", i ? "," : "");
        print_site_json(&f->sites[i]);
    }
    printf("\n]}\n");
    free(totals);
}

void report_rules(void)
{
    const struct rule *r;

    for (size_t i = 0; (r = rule_list(i)); i++)
        print_rule(r);
    for (size_t i = 0; (r = msr_list(i)); i++)
        print_rule(r);
}
