/* SPDX-License-Identifier: MIT */
/* ext2 directories: entries found, added, removed. Each block is filled by entries without a gap.
 */
#include "ext2.h"
#include "lib.h"
#include "machine.h"
#include "mem.h"

#define ENTRY_HEAD 8

static unsigned entry_size(size_t name_len)
{
    return ROUND_UP(ENTRY_HEAD + name_len, 4);
}

static bool valid(const struct ext2_entry *e, uint64_t offset)
{
    return e->length >= ENTRY_HEAD && e->length % 4 == 0 &&
           e->length <= ext2_block_size - offset % ext2_block_size &&
           (!e->inode || entry_size(e->name_length) <= e->length);
}

/* The entry's head at `offset`, and its name if asked for; -EIO when the directory is damaged. */
static int entry_at(struct node *dir, uint64_t offset, struct ext2_entry *head, char name[256])
{
    if (ext2_read(dir, head, ENTRY_HEAD, offset) != ENTRY_HEAD || !valid(head, offset))
        return -EIO;
    if (name && head->inode &&
        ext2_read(dir, name, head->name_length, offset + ENTRY_HEAD) != head->name_length)
        return -EIO;
    return 0;
}

/* Where a name is: the offset of its entry and of the entry before it in the block. */
struct found {
    struct ext2_entry head;
    uint64_t offset, before;
};

static int find(struct node *dir, const char *name, size_t len, struct found *f)
{
    char other[256];

    f->before = 0;
    for (f->offset = 0; f->offset < dir->stat.size; f->offset += f->head.length) {
        int error = entry_at(dir, f->offset, &f->head, other);

        if (error)
            return error;
        if (f->head.inode && f->head.name_length == len && !memcmp(other, name, len))
            return 0;
        f->before = f->offset;
    }
    return -ENOENT;
}

int ext2_lookup(struct node *dir, const char *name, size_t len, struct node **out)
{
    struct ext2_node *n;
    struct found f;
    int error = find(dir, name, len, &f);

    if (!error)
        error = ext2_open(f.head.inode, &n);
    if (!error)
        *out = &n->node;
    return error;
}

static int put_head(struct node *dir, uint64_t offset, const struct ext2_entry *head)
{
    long n = ext2_write(dir, head, ENTRY_HEAD, offset);

    return n == ENTRY_HEAD ? 0 : n < 0 ? (int)n : -EIO;
}

static int put_entry(struct node *dir, uint64_t offset, const struct ext2_entry *head,
                     const char *name)
{
    int error = put_head(dir, offset, head);
    long n = error ? 0 : ext2_write(dir, name, head->name_length, offset + ENTRY_HEAD);

    return error ? error : n == head->name_length ? 0 : n < 0 ? (int)n : -EIO;
}

static struct ext2_node *ext2_of(struct node *n)
{
    return (struct ext2_node *)n;
}

static int add(struct node *dir, const char *name, size_t len, uint32_t inode, bool directory)
{
    struct ext2_entry fresh = {.inode = inode, .name_length = len}, head;
    uint64_t offset;
    int error;

    if (ext2_super.incompatible & EXT2_FILETYPE)
        fresh.type = directory ? EXT2_TYPE_DIRECTORY : EXT2_TYPE_FILE;
    ext2_of(dir)->inode.flags &= ~EXT2_HASHED; /* an index would be wrong from now on */
    for (offset = 0; offset < dir->stat.size; offset += head.length) {
        unsigned used;

        error = entry_at(dir, offset, &head, NULL);
        if (error)
            return error;
        used = head.inode ? entry_size(head.name_length) : 0;
        if (head.length - used < entry_size(len))
            continue;
        fresh.length = head.length - used;
        head.length = used;
        error = put_entry(dir, offset + used, &fresh, name);
        return error || !used ? error : put_head(dir, offset, &head);
    }
    fresh.length = ext2_block_size;
    error = put_entry(dir, offset, &fresh, name);
    if (error)
        return error;
    ext2_of(dir)->inode.size = offset + ext2_block_size; /* the block is the directory's whole */
    return ext2_store(ext2_of(dir));
}

/* Gives the entry's room to the one before it, or leaves it unused at the head of a block. */
static int drop(struct node *dir, struct found *f)
{
    struct ext2_entry before;
    int error;

    ext2_of(dir)->inode.flags &= ~EXT2_HASHED;
    if (f->offset % ext2_block_size == 0) {
        f->head.inode = 0;
        return put_head(dir, f->offset, &f->head);
    }
    error = entry_at(dir, f->before, &before, NULL);
    if (error)
        return error;
    before.length += f->head.length;
    return put_head(dir, f->before, &before);
}

static int change_links(struct node *n, int by)
{
    ext2_of(n)->inode.links += by;
    return ext2_store(ext2_of(n));
}

static void release(struct node *n)
{
    if (--n->references == 0)
        n->ops->release(n);
}

/* The two entries that every directory begins with. */
static int fill_directory(struct node *n, uint32_t number, uint32_t parent)
{
    int error = add(n, ".", 1, number, true);

    return error ? error : add(n, "..", 2, parent, true);
}

int ext2_create(struct node *dir, const char *name, size_t len, uint32_t mode, struct node **out)
{
    bool directory = mode & S_DIRECTORY;
    uint32_t number = ext2_alloc_inode(ext2_of(dir)->number, directory);
    struct ext2_node *n;
    int error;

    if (!number)
        return -ENOSPC;
    error = ext2_open(number, &n);
    if (error) {
        ext2_free_inode(number, directory);
        return error;
    }
    n->inode = (struct ext2_inode){.mode = mode, .links = directory ? 2 : 1};
    n->inode.modify_time = n->inode.change_time = n->inode.access_time = machine_wall_time();
    error = ext2_store(n);
    if (!error && directory)
        error = fill_directory(&n->node, number, ext2_of(dir)->number);
    if (!error)
        error = add(dir, name, len, number, directory);
    if (!error && directory)
        error = change_links(dir, 1); /* the new one's ".." */
    if (error) {
        n->inode.links = 0;
        release(&n->node);
        return error;
    }
    *out = &n->node;
    return 0;
}

/* -ENOTEMPTY unless all entries are "." and "..". */
static int check_empty(struct node *dir)
{
    struct ext2_entry head;
    char name[256];

    for (uint64_t offset = 0; offset < dir->stat.size; offset += head.length) {
        int error = entry_at(dir, offset, &head, name);

        if (error)
            return error;
        if (head.inode && !(name[0] == '.' &&
                            (head.name_length == 1 || (head.name_length == 2 && name[1] == '.'))))
            return -ENOTEMPTY;
    }
    return 0;
}

int ext2_remove(struct node *dir, const char *name, size_t len)
{
    struct node *n;
    struct found f;
    bool directory;
    int error = ext2_lookup(dir, name, len, &n);

    if (error)
        return error;
    directory = n->stat.mode & S_DIRECTORY;
    error = directory ? check_empty(n) : 0;
    if (!error)
        error = find(dir, name, len, &f);
    if (!error)
        error = drop(dir, &f);
    if (!error)
        error = change_links(n, directory ? -2 : -1);
    if (!error && directory)
        error = change_links(dir, -1);
    release(n);
    return error;
}

/* A directory that moves has a new parent: its "..", and both parents' counts of links. */
static int move_directory(struct node *n, struct node *from, struct node *to)
{
    struct found f;
    int error = find(n, "..", 2, &f);

    if (error)
        return error;
    f.head.inode = ext2_of(to)->number;
    error = put_head(n, f.offset, &f.head);
    if (!error)
        error = change_links(from, -1);
    return error ? error : change_links(to, 1);
}

/* Whether `dir` is `n` or below it: then n cannot move there. */
static int check_not_below(struct node *dir, struct node *n)
{
    struct node *at = dir, *up;
    int error = 0;

    at->references++;
    while (!error && ext2_of(at)->number != EXT2_ROOT) {
        if (at == n) {
            error = -EINVAL;
            break;
        }
        error = ext2_lookup(at, "..", 2, &up);
        if (!error) {
            release(at);
            at = up;
        }
    }
    release(at);
    return error;
}

static int rename_node(struct node *n, struct node *dir, const char *name, size_t len,
                       struct node *to, const char *new_name, size_t new_len)
{
    bool directory = n->stat.mode & S_DIRECTORY;
    struct node *old;
    struct found f;
    int error = directory ? check_not_below(to, n) : 0;

    if (!error && !ext2_lookup(to, new_name, new_len, &old)) {
        bool same = old == n, replaceable = !directory && !(old->stat.mode & S_DIRECTORY);

        release(old);
        if (same)
            return 0;
        error = replaceable ? ext2_remove(to, new_name, new_len) : -EEXIST;
    }
    if (!error)
        error = add(to, new_name, new_len, ext2_of(n)->number, directory);
    if (!error)
        error = find(dir, name, len, &f);
    if (!error)
        error = drop(dir, &f);
    if (!error && directory && dir != to)
        error = move_directory(n, dir, to);
    return error;
}

int ext2_rename(struct node *dir, const char *name, size_t len, struct node *to,
                const char *new_name, size_t new_len)
{
    struct node *n;
    int error = ext2_lookup(dir, name, len, &n);

    if (error)
        return error;
    error = rename_node(n, dir, name, len, to, new_name, new_len);
    release(n);
    return error;
}

int ext2_list(struct node *dir, uint64_t *offset, struct minos_dirent *out)
{
    while (*offset < dir->stat.size) {
        struct ext2_entry head;
        int error = entry_at(dir, *offset, &head, out->name);

        if (error)
            return error;
        *offset += head.length;
        if (!head.inode)
            continue;
        out->inode = head.inode;
        out->name[head.name_length] = 0;
        return 1;
    }
    return 0;
}
