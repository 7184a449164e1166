/* SPDX-License-Identifier: MIT */
/* The ext2 file system: its structures on the disk, and what its files share. */
#ifndef MINOS_EXT2_H
#define MINOS_EXT2_H

#include "block.h"
#include "fs.h"

#define EXT2_MAGIC          0xef53
#define EXT2_ROOT           2
#define EXT2_CLEAN          1      /* super.state */
#define EXT2_FILETYPE       2      /* incompatible feature: directory entries have types */
#define EXT2_WRITABLE       3      /* read-only features that may be written: sparse, large files */
#define EXT2_HASHED         0x1000 /* inode flag: the directory has an index, until it is changed */
#define EXT2_DIRECT         12
#define EXT2_TYPE_FILE      1
#define EXT2_TYPE_DIRECTORY 2

struct ext2_super {
    uint32_t inodes, blocks, reserved_blocks, free_blocks, free_inodes;
    uint32_t first_data_block, log_block_size, log_fragment_size;
    uint32_t blocks_per_group, fragments_per_group, inodes_per_group;
    uint32_t mount_time, write_time;
    uint16_t mounts, max_mounts, magic, state, errors, minor;
    uint32_t last_check, check_interval, creator, revision;
    uint16_t reserved_uid, reserved_gid;
    uint32_t first_inode;
    uint16_t inode_size, group;
    uint32_t compatible, incompatible, read_only;
    uint8_t rest[920];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "size of the superblock");

struct ext2_group {
    uint32_t block_bitmap, inode_bitmap, inode_table;
    uint16_t free_blocks, free_inodes, directories, pad;
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "size of a group's descriptor");

struct ext2_inode {
    uint16_t mode, uid;
    uint32_t size, access_time, change_time, modify_time, delete_time;
    uint16_t gid, links;
    uint32_t sectors, flags, system1;
    uint32_t block[15]; /* direct, then one each of single, double, triple indirect */
    uint32_t generation, attributes, size_high, fragment;
    uint32_t system2[3];
};
_Static_assert(sizeof(struct ext2_inode) == 128, "size of an inode");

struct ext2_entry {
    uint32_t inode; /* 0: unused */
    uint16_t length;
    uint8_t name_length, type;
    char name[];
};

/* An inode in use. */
struct ext2_node {
    struct node node;
    uint32_t number;
    struct ext2_inode inode;
};

extern struct ext2_super ext2_super;
extern uint32_t ext2_block_size;

/* The inode in memory, with a reference. */
int ext2_open(uint32_t number, struct ext2_node **out);
/* Writes the inode back, after a change. */
int ext2_store(struct ext2_node *n);

/* --- Allocation (ext2_alloc.c) --- */

/* A number, or 0 when there is none left; `near` is a block or an inode to be close to. */
uint32_t ext2_alloc_block(uint32_t near);
void ext2_free_block(uint32_t block);
uint32_t ext2_alloc_inode(uint32_t near, bool directory);
void ext2_free_inode(uint32_t number, bool directory);
/* The block that holds a group's descriptor, held; the descriptor in *group. */
struct buffer *ext2_group(unsigned index, struct ext2_group **group);

/* --- Contents (ext2_file.c) --- */

long ext2_read(struct node *n, void *buffer, size_t size, uint64_t offset);
long ext2_write(struct node *n, const void *data, size_t size, uint64_t offset);
int ext2_truncate(struct node *n);

/* --- Directories (ext2_dir.c) --- */

int ext2_lookup(struct node *dir, const char *name, size_t len, struct node **out);
int ext2_create(struct node *dir, const char *name, size_t len, uint32_t mode, struct node **out);
int ext2_remove(struct node *dir, const char *name, size_t len);
int ext2_rename(struct node *dir, const char *name, size_t len, struct node *to,
                const char *new_name, size_t new_len);
int ext2_list(struct node *dir, uint64_t *offset, struct minos_dirent *out);

#endif
