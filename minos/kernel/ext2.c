/* SPDX-License-Identifier: MIT */
/* ext2: mounting, and inodes in memory. */
#include "ext2.h"
#include "lib.h"
#include "machine.h"
#include "mem.h"

#define OPEN_INODES 128

struct ext2_super ext2_super;
uint32_t ext2_block_size;
static bool writable;
static struct ext2_node nodes[OPEN_INODES];

static const struct node_ops ops;
static const struct node_ops read_only_ops;

/* Where an inode lies: its block, held, and the address in it. */
static struct buffer *inode_place(uint32_t number, struct ext2_inode **place)
{
    unsigned index = (number - 1) % ext2_super.inodes_per_group;
    unsigned per_block = ext2_block_size / ext2_super.inode_size;
    struct ext2_group *g;
    struct buffer *b = ext2_group((number - 1) / ext2_super.inodes_per_group, &g);
    uint32_t table;

    if (!b)
        return NULL;
    table = g->inode_table;
    cache_put(b);
    b = cache_get(table + index / per_block);
    if (b)
        *place = (void *)((char *)b->data + index % per_block * ext2_super.inode_size);
    return b;
}

static void update_stat(struct ext2_node *n)
{
    n->node.stat = (struct minos_stat){.mode = n->inode.mode,
                                       .inode = n->number,
                                       .size = n->inode.size,
                                       .links = n->inode.links,
                                       .modified = n->inode.modify_time};
    if (!(n->inode.mode & S_DIRECTORY))
        n->node.stat.size |= (uint64_t)n->inode.size_high << 32;
}

int ext2_open(uint32_t number, struct ext2_node **out)
{
    struct ext2_node *unused = NULL;
    struct ext2_inode *place;
    struct buffer *b;

    if (!number || number > ext2_super.inodes)
        return -EIO;
    for (struct ext2_node *n = nodes; n < nodes + OPEN_INODES; n++) {
        if (n->node.references && n->number == number) {
            n->node.references++;
            *out = n;
            return 0;
        }
        if (!n->node.references)
            unused = n;
    }
    if (!unused)
        return -EMFILE;
    b = inode_place(number, &place);
    if (!b)
        return -EIO;
    *unused = (struct ext2_node){.node = {.ops = writable ? &ops : &read_only_ops, .references = 1},
                                 .number = number,
                                 .inode = *place};
    cache_put(b);
    update_stat(unused);
    *out = unused;
    return 0;
}

int ext2_store(struct ext2_node *n)
{
    struct ext2_inode *place;
    struct buffer *b = inode_place(n->number, &place);

    if (!b)
        return -EIO;
    *place = n->inode;
    b->dirty = true;
    cache_put(b);
    update_stat(n);
    return 0;
}

/* The last reference is gone; the file with it, if it has no name any more. */
static void ext2_release(struct node *node)
{
    struct ext2_node *n = (struct ext2_node *)node;
    bool directory = n->inode.mode & S_DIRECTORY;

    if (n->inode.links)
        return;
    node->references = 1; /* while its blocks are freed, which may sleep */
    ext2_truncate(node);
    n->inode.delete_time = machine_wall_time();
    ext2_store(n);
    ext2_free_inode(n->number, directory);
    node->references = 0;
}

static int store_super(void)
{
    struct buffer *b = cache_get(1024 / ext2_block_size);

    if (!b)
        return -EIO;
    ext2_super.write_time = machine_wall_time();
    memcpy((char *)b->data + 1024 % ext2_block_size, &ext2_super, sizeof(ext2_super));
    b->dirty = true;
    cache_put(b);
    return 0;
}

int ext2_sync(bool unmount)
{
    int error;

    if (!writable)
        return 0;
    /* Two steps: the file system is called clean only when all else is on the disk. */
    error = store_super();
    if (!error)
        error = cache_sync();
    if (!error && unmount) {
        writable = false;
        ext2_super.state |= EXT2_CLEAN;
        error = store_super();
        if (!error)
            error = cache_sync();
    }
    return error;
}

void ext2_usage(uint64_t *blocks, uint64_t *free, uint64_t *block_size)
{
    *blocks = ext2_super.blocks;
    *free = ext2_super.free_blocks;
    *block_size = ext2_block_size;
}

static const char *unusable(void)
{
    const struct ext2_super *s = &ext2_super;

    if (s->magic != EXT2_MAGIC)
        return "no ext2 file system";
    if (s->log_block_size > 2)
        return "its blocks are larger than 4 KiB";
    if (s->incompatible & ~EXT2_FILETYPE || !s->revision)
        return "it has features beyond ext2";
    if (s->inode_size < sizeof(struct ext2_inode) || s->inode_size > 1024u << s->log_block_size ||
        !s->inodes_per_group || !s->blocks_per_group)
        return "its superblock is damaged";
    return NULL;
}

struct node *ext2_mount(void)
{
    struct buffer *b;
    struct ext2_node *root;
    const char *why = "it cannot be read";

    cache_init(1024);
    b = cache_get(1);
    if (b) {
        ext2_super = *(struct ext2_super *)b->data;
        cache_put(b);
        why = unusable();
    }
    if (why) {
        kprintf("minos: nothing at /disk: %s\n", why);
        return NULL;
    }
    ext2_block_size = 1024 << ext2_super.log_block_size;
    cache_init(ext2_block_size);
    writable = !disk->read_only && !(ext2_super.read_only & ~EXT2_WRITABLE);
    if (ext2_open(EXT2_ROOT, &root))
        return NULL;
    kprintf("minos: ext2 at /disk, %u blocks of %u, %u free%s%s\n", ext2_super.blocks,
            ext2_block_size, ext2_super.free_blocks, writable ? "" : ", read-only",
            ext2_super.state & EXT2_CLEAN ? "" : ", was not unmounted");
    if (writable) {
        ext2_super.state &= ~EXT2_CLEAN;
        ext2_super.mount_time = machine_wall_time();
        ext2_sync(false);
    }
    return &root->node;
}

static const struct node_ops ops = {.read = ext2_read,
                                    .write = ext2_write,
                                    .truncate = ext2_truncate,
                                    .lookup = ext2_lookup,
                                    .create = ext2_create,
                                    .remove = ext2_remove,
                                    .rename = ext2_rename,
                                    .list = ext2_list,
                                    .release = ext2_release};
static const struct node_ops read_only_ops = {
    .read = ext2_read, .lookup = ext2_lookup, .list = ext2_list};
