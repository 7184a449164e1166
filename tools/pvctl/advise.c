/* SPDX-License-Identifier: MIT */
/* advise: reads a trace and says what could be batched, where, and what that would save. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pvctl.h"
#include "runs.h"

static const char help[] =
    "usage: pvctl advise DOMAIN|FILE [OPTION...]\n"
    "Reads what `pvctl trace` recorded and names the places that make single calls one after the "
    "other "
    "where one batch\n"
    "would do, with what that would save.\n"
    "  --symbols ELF      the guest's kernel: names and lines instead of addresses\n"
    "  --library PATTERN  functions or source files with such a name only pass calls on; may be "
    "repeated\n"
    "  --calls            instead: a line for each call, as they were recorded\n"
    "  --json             one object\n";

#define PATTERNS_MAX 64

/* Those of guest-lib and of Linux. */
static const char *library[PATTERNS_MAX + 1] = {
    "*guest-lib/*",    "pv_hypercall*", "pv_lazy_*",      "pv_mmu*",      "pv_update_va_mapping",
    "*hypercall_page", "pv_multicall",  "xen_hypercall*", "*hypercall",   "HYPERVISOR_*",
    "xen_mc_*",        "__xen_mc_*",    "xen_extend_*",   "xen_mmu_*op*", "notify_remote_via_*"};

struct options {
    const char *what, *elf;
    bool json, calls;
};

/* ---- Words. ---- */

static const char *sub_name(struct operation op)
{
    static const char *const ext[] = {
        "MMUEXT_PIN_L1_TABLE",    "MMUEXT_PIN_L2_TABLE",  "MMUEXT_PIN_L3_TABLE",
        "MMUEXT_PIN_L4_TABLE",    "MMUEXT_UNPIN_TABLE",   "MMUEXT_NEW_BASEPTR",
        "MMUEXT_TLB_FLUSH_LOCAL", "MMUEXT_INVLPG_LOCAL",  "MMUEXT_TLB_FLUSH_MULTI",
        "MMUEXT_INVLPG_MULTI",    "MMUEXT_TLB_FLUSH_ALL", "MMUEXT_INVLPG_ALL",
        "MMUEXT_FLUSH_CACHE",     "MMUEXT_SET_LDT",       NULL,
        "MMUEXT_NEW_USER_BASEPTR"};
    static const char *const grant[] = {
        "GNTTABOP_map_grant_ref", "GNTTABOP_unmap_grant_ref", NULL, NULL, "GNTTABOP_transfer",
        "GNTTABOP_copy"};

    if (op.number == __HYPERVISOR_mmuext_op && op.sub < sizeof(ext) / sizeof(ext[0]))
        return ext[op.sub];
    if (op.number == __HYPERVISOR_grant_table_op && op.sub < sizeof(grant) / sizeof(grant[0]))
        return grant[op.sub];
    return op.number == __HYPERVISOR_event_channel_op ? "EVTCHNOP_send" : NULL;
}

static const char *operation_text(struct operation op)
{
    static char text[96];
    const char *sub = sub_name(op);

    if (sub)
        snprintf(text, sizeof(text), "%s %s", hypercall_name(op.number), sub);
    else
        snprintf(text, sizeof(text), "%s", hypercall_name(op.number));
    return text;
}

static const char *advice(struct operation op)
{
    switch (op.number) {
    case __HYPERVISOR_event_channel_op:
        return "Notify once, after the last request of the run: as the ring macro "
               "RING_PUSH_REQUESTS_AND_CHECK_NOTIFY does, or by counting what was queued and "
               "sending "
               "at the end.";
    case __HYPERVISOR_grant_table_op:
        return "Collect the operations in an array, and make one grant_table_op with their number "
               "as "
               "its count.";
    case __HYPERVISOR_update_va_mapping:
        return "Queue pv_lazy_update(pv_maddr(entry), value) between pv_lazy_begin() and "
               "pv_lazy_end(), and flush by pv_lazy_ext(); in a kernel without guest-lib, a "
               "multicall "
               "of update_va_mapping.";
    case __HYPERVISOR_mmuext_op:
        return "Queue it by pv_lazy_ext() between the pv_lazy_begin() and pv_lazy_end() of the "
               "updates around it: they go together as one multicall, in their order.";
    default:
        return "Put pv_lazy_begin() before the first and pv_lazy_end() behind the last: "
               "pv_lazy_update() then gathers them into one mmu_update. In a kernel without "
               "guest-lib, "
               "one mmu_update with all of them (Linux: arch_enter_lazy_mmu_mode()).";
    }
}

static const char *frame_name(const struct frame *f)
{
    static char text[32];

    if (f->function)
        return f->function;
    snprintf(text, sizeof(text), "0x%lx", (unsigned long)f->pc);
    return text;
}

/* ---- As text. ---- */

static void print_place(const struct frame *f)
{
    printf("%s", frame_name(f));
    if (f->function && f->offset)
        printf("+0x%lx", (unsigned long)f->offset);
    if (f->file)
        printf(", %s:%d", f->file, f->line);
}

static void print_site(const struct site *s, unsigned rank)
{
    printf("\n%2u. ", rank);
    print_place(&s->frame);
    printf("\n    %s: %lu calls in %lu runs, the longest of %lu; in batches %lu fewer",
           operation_text(s->op), (unsigned long)s->calls, (unsigned long)s->runs,
           (unsigned long)s->longest, (unsigned long)s->saved_calls);
    printf(", about %lu ticks\n", (unsigned long)s->saved_ticks);
    for (unsigned i = 0; i < s->callers; i++) {
        const struct path *p = s->caller[i].path;

        if (p->site_frame + 1 == p->frames)
            continue;
        printf("    %8lu from", (unsigned long)s->caller[i].calls);
        for (unsigned k = p->site_frame + 1; k < p->frames; k++)
            printf("%s %s", k > p->site_frame + 1 ? " <" : "", frame_name(&p->frame[k]));
        putchar('\n');
    }
    printf("    %s\n", advice(s->op));
}

static void print_estimate(const struct findings *f)
{
    printf("\nTicks are the TSC's (under instruction counting: instructions). A call that is "
           "spared saves "
           "the way in and out,\n%lu ticks: the shortest time between two calls, less the %lu that "
           "recording takes; and what is fixed about it:\n",
           (unsigned long)f->crossing, (unsigned long)f->recording);
    for (unsigned i = 0; i < f->costs; i++) {
        const struct cost *c = &f->cost[i];

        if (!c->single)
            continue;
        printf("  %s with one entry takes %lu", operation_text(c->op), (unsigned long)c->single);
        if (c->known)
            printf(", each further entry %lu: %lu are fixed\n",
                   (unsigned long)(c->single - c->fixed), (unsigned long)c->fixed);
        else
            printf(" (this trace has none with more, so nothing counts as fixed)\n");
    }
}

static void print_text(const struct trace_header *h, const struct findings *f)
{
    uint64_t calls = 0, ticks = 0;

    printf(
        "%s (domain %u): %lu calls, and %lu within multicalls, in %.3f s; %lu more found no room\n",
        h->name, h->domain, (unsigned long)f->calls, (unsigned long)f->subcalls,
        (double)h->ns / 1e9, (unsigned long)h->lost);
    for (unsigned i = 0; i < f->sites; i++) {
        calls += f->site[i].saved_calls;
        ticks += f->site[i].saved_ticks;
    }
    if (!calls) {
        puts("No single calls follow each other that a batch could carry.");
        return;
    }
    printf("%lu of the calls (%.1f %%) and about %lu ticks (%.1f %% of %lu in all calls) can be "
           "spared:\n",
           (unsigned long)calls, 100.0 * (double)calls / (double)f->calls, (unsigned long)ticks,
           f->ticks ? 100.0 * (double)ticks / (double)f->ticks : 0, (unsigned long)f->ticks);
    for (unsigned i = 0; i < f->sites; i++)
        print_site(&f->site[i], i + 1);
    print_estimate(f);
}

/* Calls within a multicall come before it, and are indented. */
static void print_calls(const void *records, size_t bytes, struct paths *paths)
{
    const struct paravane_trace_record *r;
    uint64_t begin = 0;

    for (size_t at = 0; (r = trace_next(records, bytes, &at)) != NULL;) {
        const struct path *p;

        if (!begin)
            begin = r->tsc;
        printf("%14lu v%u %s%s", (unsigned long)(r->tsc - begin), r->vcpu,
               r->kind == PARAVANE_TRACE_subcall ? "  " : "", operation_text(trace_operation(r)));
        printf(" 0x%lx 0x%lx 0x%lx = %d, %u ticks", (unsigned long)r->arg[0],
               (unsigned long)r->arg[1], (unsigned long)r->arg[2], r->result, r->cost);
        p = r->kind == PARAVANE_TRACE_call ? path_of(paths, r) : NULL;
        for (unsigned i = 0; p && i < p->frames; i++)
            printf("%s %s", i ? " <" : ",", frame_name(&p->frame[i]));
        putchar('\n');
    }
}

/* ---- As JSON. ---- */

static void put(struct json_object *to, const char *name, uint64_t n)
{
    json_object_object_add(to, name, json_object_new_uint64(n));
}

static void put_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, json_object_new_string(text));
}

static struct json_object *frame_json(const struct frame *f)
{
    struct json_object *o = json_object_new_object();

    if (f->function)
        put_text(o, "function", f->function);
    put(o, "address", f->pc);
    put(o, "offset", f->offset);
    if (f->file) {
        put_text(o, "file", f->file);
        put(o, "line", (uint64_t)f->line);
    }
    return o;
}

static struct json_object *site_json(const struct site *s)
{
    struct json_object *o = frame_json(&s->frame), *callers = json_object_new_array();

    put_text(o, "operation", operation_text(s->op));
    put(o, "calls", s->calls);
    put(o, "runs", s->runs);
    put(o, "longest", s->longest);
    put(o, "saved_calls", s->saved_calls);
    put(o, "saved_ticks", s->saved_ticks);
    for (unsigned i = 0; i < s->callers; i++) {
        const struct path *p = s->caller[i].path;
        struct json_object *c = json_object_new_object(), *stack = json_object_new_array();

        put(c, "calls", s->caller[i].calls);
        for (unsigned k = 0; k < p->frames; k++)
            json_object_array_add(stack, frame_json(&p->frame[k]));
        json_object_object_add(c, "stack", stack);
        json_object_array_add(callers, c);
    }
    json_object_object_add(o, "callers", callers);
    put_text(o, "advice", advice(s->op));
    return o;
}

static void print_json(const struct trace_header *h, const struct findings *f)
{
    struct json_object *o = json_object_new_object(), *sites = json_object_new_array(),
                       *costs = json_object_new_array();

    put_text(o, "name", h->name);
    put(o, "domain", h->domain);
    put(o, "ns", h->ns);
    put(o, "tsc_khz", h->tsc_khz);
    put(o, "calls", f->calls);
    put(o, "subcalls", f->subcalls);
    put(o, "lost", h->lost);
    put(o, "ticks", f->ticks);
    put(o, "crossing_ticks", f->crossing);
    put(o, "recording_ticks", f->recording);
    for (unsigned i = 0; i < f->costs; i++) {
        struct json_object *c = json_object_new_object();

        put_text(c, "operation", operation_text(f->cost[i].op));
        put(c, "single_ticks", f->cost[i].single);
        if (f->cost[i].known)
            put(c, "fixed_ticks", f->cost[i].fixed);
        json_object_array_add(costs, c);
    }
    json_object_object_add(o, "costs", costs);
    for (unsigned i = 0; i < f->sites; i++)
        json_object_array_add(sites, site_json(&f->site[i]));
    json_object_object_add(o, "sites", sites);
    puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
}

/* ---- The command. ---- */

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"symbols", required_argument, NULL, 's'}, {"library", required_argument, NULL, 'l'},
        {"calls", no_argument, NULL, 'c'},         {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    unsigned patterns = 0;
    int option;

    while (library[patterns])
        patterns++;
    *o = (struct options){.json = false};
    argv--, argc++; /* getopt skips the first */
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 's':
            o->elf = optarg;
            break;
        case 'l':
            if (patterns == PATTERNS_MAX)
                die("too many patterns");
            library[patterns++] = optarg;
            break;
        case 'c':
            o->calls = true;
            break;
        case 'j':
            o->json = true;
            break;
        default:
            fputs(help, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : EXIT_USAGE);
        }
    }
    if (optind != argc - 1) {
        fputs(help, stderr);
        exit(EXIT_USAGE);
    }
    o->what = argv[optind];
}

/* A file, or the trace of a domain, which may be gone if its number is given. */
static int open_trace(struct ctl *c, const char *what)
{
    int fd = open(what, O_RDONLY | O_CLOEXEC);
    char name[64], *end;
    unsigned long id;

    if (fd >= 0)
        return fd;
    id = strtoul(what, &end, 10);
    if (!*what || *end) {
        c->xc = xc_interface_open(NULL, NULL, 0);
        c->xs = xs_open(0);
        if (!c->xc || !c->xs)
            die("%s: no such file, and no store to look for a domain of that name", what);
        id = guest_find(c, what);
    }
    snprintf(name, sizeof(name), TRACE_NAME, (unsigned)id);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("%s: %s (`pvctl trace %lu` makes it)", name, strerror(errno), id);
    return fd;
}

int cmd_advise(struct ctl *c, int argc, char **argv)
{
    const struct trace_header *h;
    struct paths *paths;
    struct options o;
    struct stat st;
    size_t bytes;
    int fd;

    parse(argc, argv, &o);
    fd = open_trace(c, o.what);
    if (fstat(fd, &st) || st.st_size < (off_t)sizeof(*h))
        die("%s is no trace", o.what);
    h = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (h == MAP_FAILED)
        die("%s: %s", o.what, strerror(errno));
    if (memcmp(h->magic, TRACE_MAGIC, sizeof(h->magic)) ||
        memchr(h->name, 0, sizeof(h->name)) == NULL)
        die("%s is no trace", o.what);
    paths = paths_new(o.elf ? symbols_open(o.elf) : NULL, library);
    bytes = (size_t)st.st_size - sizeof(*h);
    if (o.calls)
        print_calls(h + 1, bytes, paths);
    else if (o.json)
        print_json(h, runs_find(h, h + 1, bytes, paths));
    else
        print_text(h, runs_find(h, h + 1, bytes, paths));
    return 0;
}
