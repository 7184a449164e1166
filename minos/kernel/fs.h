/* SPDX-License-Identifier: MIT */
/*
 * Files and directories by name. The root is a read-only file system in the kernel's image, with
 * the programs in /bin; a disk with ext2 on it appears as /disk.
 */
#ifndef MINOS_FS_H
#define MINOS_FS_H

#include <minos/abi.h>
#include "types.h"

struct node {
    const struct node_ops *ops;
    unsigned references;
    struct minos_stat stat;
    const void *data; /* the file system's own */
};

/* Called one at a time. Names are not NUL-terminated. Errors are negative. */
struct node_ops {
    long (*read)(struct node *n, void *buffer, size_t size, uint64_t offset);
    long (*write)(struct node *n, const void *data, size_t size, uint64_t offset);
    int (*truncate)(struct node *n);
    /* Looking up and creating return a new reference. */
    int (*lookup)(struct node *dir, const char *name, size_t len, struct node **out);
    int (*create)(struct node *dir, const char *name, size_t len, uint32_t mode, struct node **out);
    int (*remove)(struct node *dir, const char *name, size_t len);
    int (*rename)(struct node *dir, const char *name, size_t len, struct node *to,
                  const char *new_name, size_t new_len);
    /* The entry at *offset, which is moved on; 1, or 0 behind the last. */
    int (*list)(struct node *dir, uint64_t *offset, struct minos_dirent *out);
    void (*release)(struct node *n);
};

/* The root directory, and the disk in it if it can be mounted. A new reference. */
struct node *fs_root(void);
/* Everything written so far is on the disk afterwards. */
int fs_sync(void);
/* Leaves the disk clean; nothing may be written afterwards. */
int fs_unmount(void);
/* Of the disk: size and free room in blocks; all 0 without one. */
void fs_usage(uint64_t *blocks, uint64_t *free, uint64_t *block_size);

/* Paths are relative to the current process's directory. */
int node_lookup(const char *path, struct node **out);
int node_create(const char *path, uint32_t mode, struct node **out);
int node_remove(const char *path);
int node_rename(const char *from, const char *to);
long node_read(struct node *n, void *buffer, size_t size, uint64_t offset);
long node_write(struct node *n, const void *data, size_t size, uint64_t offset);
int node_truncate(struct node *n);
int node_list(struct node *dir, uint64_t *offset, struct minos_dirent *out);
struct node *node_get(struct node *n);
void node_put(struct node *n);

/* --- The two file systems --- */

extern struct node rom_root;
/* The root of the file system on the disk; NULL and a word on the console when there is none. */
struct node *ext2_mount(void);
int ext2_sync(bool unmount);
void ext2_usage(uint64_t *blocks, uint64_t *free, uint64_t *block_size);

#endif
