/* SPDX-License-Identifier: MIT */
/* Decodes all code, one instruction after the other, and anew where a function begins: what lies
 * before it may be data. */
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

struct sweep {
    struct image *image;
    struct findings *found;
    csh plain, detailed; /* the second one is slow, and needed for MSRs only */
    cs_insn *in;
};

void range_add(struct ranges *r, uint64_t start, uint64_t end)
{
    r->range = grow(r->range, r->count, sizeof(*r->range));
    r->range[r->count++] = (struct range){start, end};
}

static int compare(const void *left, const void *right)
{
    const struct range *a = left, *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

static struct site *add_site(struct sweep *w, const struct section *s, const cs_insn *in,
                             const struct rule *rule)
{
    struct findings *f = w->found;
    struct site *new;

    f->sites = grow(f->sites, f->count, sizeof(*f->sites));
    new = &f->sites[f->count++];
    *new = (struct site){.image = w->image, .section = s, .rule = rule, .addr = in->address};
    new->symbol = symbol_at(w->image, in->address);
    snprintf(new->text, sizeof(new->text), "%s%s%s", in->mnemonic, *in->op_str ? " " : "",
             in->op_str);
    if (s->name && !strcmp(s->name, ".altinstr_replacement"))
        new->original = alternative_of(w->image, in->address);
    if (new->original)
        new->symbol = symbol_at(w->image, new->original);
    return new;
}

static void judge(struct sweep *w, const struct section *s, const uint64_t *before, unsigned count)
{
    const struct rule *rule = rule_for(w->in), *of_msr = NULL;
    struct site *new;
    uint32_t index;

    if (!rule)
        return;
    if (w->in->id == X86_INS_RDMSR || w->in->id == X86_INS_WRMSR)
        of_msr = msr_rule(w->detailed, s, before, count, w->in, &index);
    new = add_site(w, s, w->in, of_msr ? of_msr : rule);
    if (of_msr)
        snprintf(new->text, sizeof(new->text), "%s (%#x)", w->in->mnemonic, index);
}

/* At bytes that the disassembler rejects: how many to go on by. */
static unsigned judge_rejected(struct sweep *w, const struct section *s, const uint8_t *bytes,
                               size_t left, uint64_t pos)
{
    enum young_kind kind = young_instruction(bytes, left, w->in);
    const struct rule *rule = rule_for_young(kind);

    if (kind == YOUNG_NONE) {
        w->found->undecodable++;
        return 1;
    }
    w->in->address = pos;
    w->found->instructions++;
    if (rule)
        add_site(w, s, w->in, rule);
    return w->in->size;
}

/* Code without a function's start or a skipped range in it. */
static void sweep_run(struct sweep *w, const struct section *s, uint64_t pos, uint64_t end)
{
    const uint8_t *bytes = s->bytes + (pos - s->addr);
    uint64_t before[MSR_LOOK_BACK];
    size_t left = end - pos;
    unsigned count = 0;

    while (left) {
        if (!cs_disasm_iter(w->plain, &bytes, &left, &pos, w->in)) {
            unsigned size = judge_rejected(w, s, bytes, left, pos);

            bytes += size, pos += size, left -= size;
            count = 0;
            continue;
        }
        w->found->instructions++;
        judge(w, s, before, count);
        if (count == MSR_LOOK_BACK)
            memmove(before, before + 1, --count * sizeof(*before));
        before[count++] = w->in->address;
    }
}

static void sweep_section(struct sweep *w, unsigned index)
{
    const struct image *im = w->image;
    const struct section *s = &im->sections[index];
    size_t symbol = symbol_from(im, index, s->addr);
    uint64_t pos = s->addr, end = s->addr + s->size, limit;
    unsigned skip = 0;

    while (pos < end) {
        while (skip < im->skip.count && im->skip.range[skip].end <= pos)
            skip++;
        while (symbol < im->symbol_count && im->symbols[symbol].section == index &&
               (im->symbols[symbol].addr <= pos || im->symbols[symbol].type != STT_FUNC))
            symbol++;
        limit = end;
        if (symbol < im->symbol_count && im->symbols[symbol].section == index)
            limit = im->symbols[symbol].addr;
        if (skip < im->skip.count && im->skip.range[skip].start <= pos) {
            pos = im->skip.range[skip].end;
            continue;
        }
        if (skip < im->skip.count && im->skip.range[skip].start < limit)
            limit = im->skip.range[skip].start;
        sweep_run(w, s, pos, limit);
        pos = limit;
    }
}

static void in_32bit(const struct image *im, const cs_insn *in, void *arg)
{
    const struct rule *rule = rule_for(in);
    struct sweep *w = arg;

    w->found->instructions++;
    if (rule)
        add_site(w, image_section(im, in->address), in, rule)->in_32bit = true;
}

static int by_place(const void *left, const void *right)
{
    const struct site *a = left, *b = right;

    if (a->section != b->section)
        return a->section < b->section ? -1 : 1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

void sweep(struct image *im, struct findings *f)
{
    struct sweep w = {.image = im, .found = f};
    size_t first = f->count;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &w.plain) || cs_open(CS_ARCH_X86, CS_MODE_64, &w.detailed))
        die("the disassembler cannot be started");
    cs_option(w.plain, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    cs_option(w.detailed, CS_OPT_DETAIL, CS_OPT_ON);
    w.in = cs_malloc(w.plain);
    code32_find(im, in_32bit, &w);
    if (im->skip.count)
        qsort(im->skip.range, im->skip.count, sizeof(*im->skip.range), compare);
    for (unsigned i = 0; i < im->section_count; i++)
        sweep_section(&w, i);
    if (f->count > first)
        qsort(f->sites + first, f->count - first, sizeof(*f->sites), by_place);
    cs_free(w.in, 1);
    cs_close(&w.plain);
    cs_close(&w.detailed);
}
