/* SPDX-License-Identifier: MIT */
/* Starting a program: its ELF file becomes a new space, which replaces the old one at the end. */
#include <minos/abi.h>
#include "lib.h"
#include "proc.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define SEGMENT_LOAD   1
#define SEGMENT_EXEC   1
#define SEGMENT_WRITE  2
#define MACHINE_X86_64 62
#define ARGUMENTS      32

/* Argument strings, gathered before the space they come from goes. */
struct arguments {
    char text[PAGE_SIZE - 8];
    uint32_t count, used;
};

static int load_bytes(struct space *s, struct node *n, const struct elf_segment *p)
{
    for (uint64_t done = 0; done < p->filesz;) {
        uintptr_t va = p->vaddr + done;
        size_t part = MIN(p->filesz - done, PAGE_SIZE - va % PAGE_SIZE);
        char *page = space_page(s, va, false);

        if (!page)
            return -ENOMEM;
        if (node_read(n, page + va % PAGE_SIZE, part, p->offset + done) != (long)part)
            return -ENOEXEC;
        done += part;
    }
    return 0;
}

static int load_segment(struct space *s, struct node *n, const struct elf_segment *p)
{
    uintptr_t end;
    int error;

    if (p->memsz < p->filesz || p->vaddr >= USER_END || p->memsz > USER_END || p->vaddr < PAGE_SIZE)
        return -ENOEXEC;
    end = ROUND_UP(p->vaddr + p->memsz, PAGE_SIZE);
    error = space_add(s, ROUND_DOWN(p->vaddr, PAGE_SIZE), end, p->flags & SEGMENT_WRITE,
                      p->flags & SEGMENT_EXEC);
    if (error)
        return error;
    if (end > s->regions[1].start)
        s->regions[1].start = s->regions[1].end = end; /* the heap follows the last segment */
    return load_bytes(s, n, p);
}

static int load(struct space *s, struct node *n, uint64_t *entry)
{
    struct elf_header h;
    int error = 0;

    if (node_read(n, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.ident, "\177ELF\2\1", 6) ||
        h.machine != MACHINE_X86_64 || h.phentsize != sizeof(struct elf_segment))
        return -ENOEXEC;
    if (space_add(s, USER_END - STACK_SIZE, USER_END, true, false) ||
        space_add(s, 0, 0, true, false))
        return -ENOMEM;
    for (unsigned i = 0; i < h.phnum && !error; i++) {
        struct elf_segment p;

        if (node_read(n, &p, sizeof(p), h.phoff + i * sizeof(p)) != sizeof(p))
            return -ENOEXEC;
        if (p.type == SEGMENT_LOAD)
            error = load_segment(s, n, &p);
    }
    *entry = h.entry;
    return error;
}

static int add_argument(struct arguments *a, uintptr_t pointer)
{
    int n = copy_string(a->text + a->used, pointer, sizeof(a->text) - a->used);

    if (n < 0)
        return n;
    a->used += n + 1;
    a->count++;
    return 0;
}

static int gather(struct arguments *a, uintptr_t argv)
{
    for (unsigned i = 0; i < ARGUMENTS; i++, argv += 8) {
        uintptr_t pointer;
        int error = copy_from_user(&pointer, argv, sizeof(pointer));

        if (!error && !pointer)
            return 0;
        if (!error)
            error = add_argument(a, pointer);
        if (error)
            return error;
    }
    return -E2BIG;
}

/* On the new stack's last page: argc, argv, and behind them the strings. */
static int push_arguments(struct space *s, const struct arguments *a, uintptr_t *stack)
{
    size_t table = (a->count + 2) * 8;
    uintptr_t base = (USER_END - table - a->used) & -16ul;
    char *page = base >= USER_END - PAGE_SIZE ? space_page(s, base, true) : NULL;
    uint64_t *words;
    size_t at = 0;

    if (!page)
        return -E2BIG;
    words = (uint64_t *)(page + base % PAGE_SIZE);
    words[0] = a->count;
    for (unsigned i = 0; i < a->count; i++) {
        words[1 + i] = base + table + at;
        at += strlen(a->text + at) + 1;
    }
    words[1 + a->count] = 0;
    memcpy((char *)words + table, a->text, a->used);
    *stack = base;
    return 0;
}

/* The space that `path` makes, or NULL and an error. */
static struct space *build(const char *path, const struct arguments *a, uint64_t *entry,
                           uintptr_t *stack, int *error)
{
    struct space *s = NULL;
    struct node *n;

    *error = node_lookup(path, &n);
    if (*error)
        return NULL;
    s = space_new();
    *error = s ? load(s, n, entry) : -ENOMEM;
    node_put(n);
    if (!*error)
        *error = push_arguments(s, a, stack);
    if (*error && s) {
        space_free(s);
        s = NULL;
    }
    return s;
}

static const char *last_component(const char *path)
{
    const char *name = path;

    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

int process_exec(struct regs *r, const char *path, uintptr_t argv)
{
    struct arguments *a = kmalloc(sizeof(*a));
    struct space *s, *old = current->space;
    uint64_t entry;
    uintptr_t stack;
    int error = a ? 0 : -ENOMEM;

    if (a && old)
        error = gather(a, argv);
    s = error ? NULL : build(path, a, &entry, &stack, &error);
    kfree(a, sizeof(*a));
    if (!s)
        return error;
    current->space = s;
    string_copy(current->name, last_component(path), sizeof(current->name));
    mmu_load(s->root);
    if (old)
        space_free(old);
    machine_user_regs(r, entry, stack);
    return 0;
}
