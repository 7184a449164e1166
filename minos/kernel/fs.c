/* SPDX-License-Identifier: MIT */
/* Paths, and the lock that lets one caller at a time into the file systems. */
#include "block.h"
#include "lib.h"
#include "proc.h"

#define NAME_MAX 255

static struct mutex lock;
static struct node *mounted; /* the disk's root, in place of /disk */

struct node *node_get(struct node *n)
{
    n->references++;
    return n;
}

static void put(struct node *n)
{
    if (--n->references == 0 && n->ops->release)
        n->ops->release(n);
}

void node_put(struct node *n)
{
    mutex_lock(&lock);
    put(n);
    mutex_unlock(&lock);
}

struct node *fs_root(void)
{
    if (disk && !mounted)
        mounted = ext2_mount();
    return node_get(&rom_root);
}

static bool is(const char *name, size_t len, const char *what)
{
    return len == strlen(what) && !memcmp(name, what, len);
}

/* One step down from dir, across the mount point in both directions. */
static int step(struct node *dir, const char *name, size_t len, struct node **out)
{
    *out = NULL;
    if (!(dir->stat.mode & S_DIRECTORY))
        return -ENOTDIR;
    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    if (is(name, len, "."))
        *out = node_get(dir);
    else if (is(name, len, "..") && dir == mounted)
        *out = node_get(&rom_root);
    else if (mounted && dir == &rom_root && is(name, len, "disk"))
        *out = node_get(mounted);
    return *out ? 0 : dir->ops->lookup(dir, name, len, out);
}

/* Where a walk stands: a directory, and the component to be looked for in it. */
struct walk {
    struct node *dir; /* referenced */
    const char *name;
    size_t len; /* 0: the path was only slashes */
};

static const char *component(const char *path, size_t *len)
{
    while (*path == '/')
        path++;
    *len = 0;
    while (path[*len] && path[*len] != '/')
        ++*len;
    return path;
}

/* Goes to the directory of the path's last component. */
static int walk_to_last(const char *path, struct walk *w)
{
    size_t next_len;

    w->dir = node_get(*path == '/' ? &rom_root : current->directory);
    w->name = component(path, &w->len);
    for (;;) {
        const char *next = component(w->name + w->len, &next_len);
        struct node *below;
        int error;

        if (!next_len)
            return 0;
        error = step(w->dir, w->name, w->len, &below);
        put(w->dir);
        if (error)
            return error;
        w->dir = below;
        w->name = next;
        w->len = next_len;
    }
}

int node_lookup(const char *path, struct node **out)
{
    struct walk w;
    int error;

    mutex_lock(&lock);
    error = walk_to_last(path, &w);
    if (!error && !w.len) {
        *out = w.dir;
    } else if (!error) {
        error = step(w.dir, w.name, w.len, out);
        put(w.dir);
    }
    mutex_unlock(&lock);
    return error;
}

/* Creates nothing that is there already: then it is found, if both are files. */
int node_create(const char *path, uint32_t mode, struct node **out)
{
    struct walk w;
    int error;

    mutex_lock(&lock);
    error = walk_to_last(path, &w);
    if (!error) {
        error = w.len ? step(w.dir, w.name, w.len, out) : -EEXIST;
        if (error == -ENOENT) {
            error =
                w.dir->ops->create ? w.dir->ops->create(w.dir, w.name, w.len, mode, out) : -EROFS;
        } else if (!error && (mode & S_DIRECTORY || (*out)->stat.mode & S_DIRECTORY)) {
            put(*out);
            error = -EEXIST;
        }
        put(w.dir);
    }
    mutex_unlock(&lock);
    return error;
}

static bool names_entry(const struct walk *w)
{
    return w->len && !is(w->name, w->len, ".") && !is(w->name, w->len, "..");
}

int node_remove(const char *path)
{
    struct walk w;
    int error;

    mutex_lock(&lock);
    error = walk_to_last(path, &w);
    if (!error) {
        if (!names_entry(&w))
            error = -EINVAL;
        else
            error = w.dir->ops->remove ? w.dir->ops->remove(w.dir, w.name, w.len) : -EROFS;
        put(w.dir);
    }
    mutex_unlock(&lock);
    return error;
}

static int rename_walked(const struct walk *a, const struct walk *b)
{
    if (!names_entry(a) || !names_entry(b))
        return -EINVAL;
    if (a->dir->ops != b->dir->ops)
        return -EXDEV;
    if (!a->dir->ops->rename)
        return -EROFS;
    return a->dir->ops->rename(a->dir, a->name, a->len, b->dir, b->name, b->len);
}

int node_rename(const char *from, const char *to)
{
    struct walk a, b;
    int error;

    mutex_lock(&lock);
    error = walk_to_last(from, &a);
    if (!error) {
        error = walk_to_last(to, &b);
        if (!error) {
            error = rename_walked(&a, &b);
            put(b.dir);
        }
        put(a.dir);
    }
    mutex_unlock(&lock);
    return error;
}

long node_read(struct node *n, void *buffer, size_t size, uint64_t offset)
{
    long result;

    if (n->stat.mode & S_DIRECTORY)
        return -EISDIR;
    mutex_lock(&lock);
    result = n->ops->read(n, buffer, size, offset);
    mutex_unlock(&lock);
    return result;
}

long node_write(struct node *n, const void *data, size_t size, uint64_t offset)
{
    long result;

    if (!n->ops->write)
        return -EROFS;
    mutex_lock(&lock);
    result = n->ops->write(n, data, size, offset);
    mutex_unlock(&lock);
    return result;
}

int node_truncate(struct node *n)
{
    int result;

    if (!n->ops->truncate)
        return -EROFS;
    mutex_lock(&lock);
    result = n->ops->truncate(n);
    mutex_unlock(&lock);
    return result;
}

int node_list(struct node *dir, uint64_t *offset, struct minos_dirent *out)
{
    int result;

    if (!(dir->stat.mode & S_DIRECTORY))
        return -ENOTDIR;
    mutex_lock(&lock);
    result = dir->ops->list(dir, offset, out);
    mutex_unlock(&lock);
    return result;
}

static int sync(bool unmount)
{
    int error;

    if (!mounted)
        return 0;
    mutex_lock(&lock);
    error = ext2_sync(unmount);
    mutex_unlock(&lock);
    return error;
}

int fs_sync(void)
{
    return sync(false);
}

int fs_unmount(void)
{
    return sync(true);
}

void fs_usage(uint64_t *blocks, uint64_t *free, uint64_t *block_size)
{
    *blocks = *free = *block_size = 0;
    if (mounted)
        ext2_usage(blocks, free, block_size);
}
