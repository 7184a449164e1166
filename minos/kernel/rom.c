/* SPDX-License-Identifier: MIT */
/* The read-only root: files that the build put into the kernel's image, all of them in /bin. */
#include "fs.h"
#include "lib.h"

/* Made by the build (rom.S), ends with a NULL name. */
struct rom_file {
    const char *name;
    const uint8_t *start, *end;
};
extern const struct rom_file rom_files[];

#define ROM_MAX 48

static const struct node_ops rom_ops;
static struct node bin = {
    .ops = &rom_ops, .references = 1, .stat = {.mode = S_DIRECTORY | 0555, .links = 2}};
static struct node mount_point = {
    .ops = &rom_ops, .references = 1, .stat = {.mode = S_DIRECTORY | 0555, .links = 2}};
struct node rom_root = {
    .ops = &rom_ops, .references = 1, .stat = {.mode = S_DIRECTORY | 0555, .links = 4}};
static struct node files[ROM_MAX];

static bool is(const char *name, size_t len, const char *what)
{
    return len == strlen(what) && !memcmp(name, what, len);
}

static struct node *file_node(unsigned i)
{
    const struct rom_file *f = &rom_files[i];

    if (!files[i].ops)
        files[i] = (struct node){.ops = &rom_ops,
                                 .references = 1,
                                 .stat = {.mode = S_FILE | 0555, .size = f->end - f->start},
                                 .data = f->start};
    return &files[i];
}

static struct node *find(struct node *dir, const char *name, size_t len)
{
    if (is(name, len, ".."))
        return &rom_root;
    if (dir == &rom_root)
        return is(name, len, "bin") ? &bin : is(name, len, "disk") ? &mount_point : NULL;
    for (unsigned i = 0; dir == &bin && i < ROM_MAX && rom_files[i].name; i++)
        if (is(name, len, rom_files[i].name))
            return file_node(i);
    return NULL;
}

static int rom_lookup(struct node *dir, const char *name, size_t len, struct node **out)
{
    struct node *n = find(dir, name, len);

    if (!n)
        return -ENOENT;
    *out = n;
    n->references++;
    return 0;
}

static long rom_read(struct node *n, void *buffer, size_t size, uint64_t offset)
{
    if (offset >= n->stat.size)
        return 0;
    size = MIN(size, n->stat.size - offset);
    memcpy(buffer, (const uint8_t *)n->data + offset, size);
    return size;
}

static int rom_list(struct node *dir, uint64_t *offset, struct minos_dirent *out)
{
    static const char *const root_names[] = {"bin", "disk", NULL};
    static const char *const no_names[] = {NULL};
    const char *name;

    if (dir == &bin)
        name = rom_files[*offset].name;
    else
        name = dir == &rom_root ? root_names[*offset] : no_names[*offset];
    if (!name)
        return 0;
    string_copy(out->name, name, sizeof(out->name));
    ++*offset;
    return 1;
}

static const struct node_ops rom_ops = {.read = rom_read, .lookup = rom_lookup, .list = rom_list};
