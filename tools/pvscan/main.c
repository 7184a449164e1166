/* SPDX-License-Identifier: MIT */
/* The command: options, and the way through the parts. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "pvscan.h"

enum { CLEAN, FOUND, TROUBLE };

static const char usage[] =
    "usage: pvscan [OPTION...] KERNEL\n"
    "Lists the instructions of an x86-64 kernel that do not do in ring 3, where a paravirtualised "
    "kernel runs, what they do\n"
    "in ring 0: address, class, instruction, symbol, source line; below, why, and what of "
    "guest-lib does it instead.\n"
    "KERNEL is an ELF file: a kernel with or without symbols and debug information, a bzImage "
    "(vmlinuz), a module, an\n"
    "object, an archive; it may be compressed. Of a stripped Linux the names are taken from its "
    "tables for /proc/kallsyms.\n"
    "  -c, --class CLASS[,CLASS]  only these classes:\n"
    "                             traps     the kernel gets an exception, unless the reason says "
    "otherwise\n"
    "                             emulated  traps, and the hypervisor does it: works, slowly\n"
    "                             silent    no exception, and something else happens: to be found "
    "first\n"
    "  -S, --symbols FILE         names of code from FILE too: System.map, /proc/kallsyms, what nm "
    "prints\n"
    "  -s, --summary              only counts and reasons\n"
    "  -j, --json                 JSON\n"
    "      --list                 the instructions that are looked for, with class and reason\n"
    "Exit status: 0 nothing was found, 1 something was, 2 trouble.\n";

struct options {
    const char *symbols;
    unsigned classes; /* bits */
    bool summary, json;
};

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("pvscan: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(TROUBLE);
}

/* Twice the room whenever the count is a power of two. */
void *grow(void *array, size_t count, size_t size)
{
    if (count & (count - 1))
        return array;
    array = realloc(array, (count ? 2 * count : 1) * size);
    if (!array)
        die("out of memory");
    return array;
}

static unsigned parse_classes(char *text)
{
    unsigned classes = 0, i;

    for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
        for (i = 0; i < VERDICTS && strcmp(word, verdict_names[i]); i++)
            ;
        if (i == VERDICTS)
            die("no class '%s': there are traps, emulated, silent", word);
        classes |= 1u << i;
    }
    if (!classes)
        die("--class wants traps, emulated or silent");
    return classes;
}

static void scan(struct image *im, void *findings)
{
    sweep(im, findings);
}

static void keep(struct findings *f, unsigned classes)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++)
        if (classes >> f->sites[i].rule->verdict & 1)
            f->sites[kept++] = f->sites[i];
    f->count = kept;
}

static const char *parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"class", required_argument, NULL, 'c'},
        {"symbols", required_argument, NULL, 'S'},
        {"summary", no_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "c:S:sjh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->classes = parse_classes(optarg);
            break;
        case 'S':
            o->symbols = optarg;
            break;
        case 's':
            o->summary = true;
            break;
        case 'j':
            o->json = true;
            break;
        case 'l':
            report_rules();
            exit(CLEAN);
        case 'h':
            fputs(usage, stdout);
            exit(CLEAN);
        default:
            exit(TROUBLE); /* getopt has said why */
        }
    }
    if (argc - optind != 1) {
        fputs(usage, stderr);
        exit(TROUBLE);
    }
    return argv[optind];
}

int main(int argc, char **argv)
{
    struct options o = {.classes = (1u << VERDICTS) - 1};
    const char *path = parse(argc, argv, &o);
    struct findings f = {0};

    image_each(path, o.symbols, scan, &f);
    keep(&f, o.classes);
    if (o.json)
        report_json(&f);
    else
        report_text(&f, o.summary);
    if (fflush(stdout) || ferror(stdout))
        die("the output could not be written");
    return f.count ? FOUND : CLEAN;
}
