/* SPDX-License-Identifier: MIT */
/* ext2: which blocks hold a file's contents, reading and writing them, and letting them go. */
#include "ext2.h"
#include "lib.h"
#include "machine.h"
#include "mem.h"

static uint32_t per_block(void)
{
    return ext2_block_size / sizeof(uint32_t);
}

/* Gives *slot a block of its own; a block of slots begins all zero. */
static int fill_slot(struct ext2_node *n, uint32_t *slot, uint32_t near)
{
    uint32_t block = ext2_alloc_block(near);

    if (!block)
        return -ENOSPC;
    cache_put(cache_get_new(block));
    *slot = block;
    n->inode.sectors += ext2_block_size / SECTOR_SIZE;
    return 0;
}

/* The root slot of the tree that holds block `index`, its depth, and the index in it. */
static uint32_t *root_slot(struct ext2_node *n, uint64_t *index, unsigned *depth)
{
    uint64_t covered = per_block();

    *depth = 0;
    if (*index < EXT2_DIRECT)
        return &n->inode.block[*index];
    *index -= EXT2_DIRECT;
    for (*depth = 1; *depth <= 3; ++*depth) {
        if (*index < covered)
            return &n->inode.block[EXT2_DIRECT + *depth - 1];
        *index -= covered;
        covered *= per_block();
    }
    return NULL;
}

/* The block of the file's block `index`, in *block: 0 for a hole, unless one is to be made. */
static int map_block(struct ext2_node *n, uint64_t index, bool make, uint32_t *block)
{
    unsigned depth;
    uint32_t *slot = root_slot(n, &index, &depth);
    uint32_t near = n->inode.block[0] ? n->inode.block[0] + 1 : 0;
    uint64_t covered = 1;

    if (!slot)
        return -EFBIG;
    if (!*slot && make) {
        int error = fill_slot(n, slot, near);
        if (error)
            return error;
    }
    *block = *slot;
    for (unsigned d = 1; d < depth; d++)
        covered *= per_block();
    for (; depth && *block; depth--, covered /= per_block()) {
        struct buffer *b = cache_get(*block);
        int error = 0;

        if (!b)
            return -EIO;
        slot = (uint32_t *)b->data + index / covered % per_block();
        if (!*slot && make) {
            error = fill_slot(n, slot, *block + 1);
            b->dirty = true;
        }
        *block = *slot;
        cache_put(b);
        if (error)
            return error;
    }
    return 0;
}

long ext2_read(struct node *node, void *buffer, size_t size, uint64_t offset)
{
    struct ext2_node *n = (struct ext2_node *)node;
    size_t done = 0;

    if (offset >= node->stat.size)
        return 0;
    size = MIN(size, node->stat.size - offset);
    while (done < size) {
        size_t in = (offset + done) % ext2_block_size;
        size_t part = MIN(size - done, ext2_block_size - in);
        uint32_t block;
        int error = map_block(n, (offset + done) / ext2_block_size, false, &block);

        if (error)
            return error;
        if (!block) {
            memset((char *)buffer + done, 0, part);
        } else {
            struct buffer *b = cache_get(block);

            if (!b)
                return -EIO;
            memcpy((char *)buffer + done, (char *)b->data + in, part);
            cache_put(b);
        }
        done += part;
    }
    return done;
}

static int write_part(struct ext2_node *n, const void *data, size_t size, uint64_t offset)
{
    struct buffer *b;
    uint32_t block;
    int error = map_block(n, offset / ext2_block_size, true, &block);

    if (error)
        return error;
    b = size == ext2_block_size ? cache_get_new(block) : cache_get(block);
    if (!b)
        return -EIO;
    memcpy((char *)b->data + offset % ext2_block_size, data, size);
    b->dirty = true;
    cache_put(b);
    return 0;
}

long ext2_write(struct node *node, const void *data, size_t size, uint64_t offset)
{
    struct ext2_node *n = (struct ext2_node *)node;
    uint64_t limit = n->inode.mode & S_DIRECTORY ? UINT32_MAX : UINT64_MAX;
    size_t done = 0;
    int error = 0;

    if (offset + size < offset || offset + size > limit)
        return -EFBIG;
    while (done < size && !error) {
        size_t room = ext2_block_size - (offset + done) % ext2_block_size;
        size_t part = MIN(size - done, room);

        error = write_part(n, (const char *)data + done, part, offset + done);
        if (!error)
            done += part;
    }
    if (done && offset + done > node->stat.size) {
        n->inode.size = offset + done;
        if (!(n->inode.mode & S_DIRECTORY))
            n->inode.size_high = (offset + done) >> 32;
        if (n->inode.size_high || n->inode.size >> 31)
            ext2_super.read_only |= 2; /* large files */
    }
    n->inode.modify_time = n->inode.change_time = machine_wall_time();
    ext2_store(n);
    return done ? (long)done : error;
}

static void free_tree(uint32_t block, unsigned depth)
{
    if (!block)
        return;
    for (unsigned i = 0; depth && i < per_block(); i++) {
        struct buffer *b = cache_get(block);
        uint32_t below;

        if (!b)
            break;
        below = ((uint32_t *)b->data)[i];
        cache_put(b);
        free_tree(below, depth - 1);
    }
    ext2_free_block(block);
}

int ext2_truncate(struct node *node)
{
    struct ext2_node *n = (struct ext2_node *)node;

    for (unsigned i = 0; i < ARRAY_SIZE(n->inode.block); i++)
        free_tree(n->inode.block[i], i < EXT2_DIRECT ? 0 : i - EXT2_DIRECT + 1);
    memset(n->inode.block, 0, sizeof(n->inode.block));
    n->inode.size = n->inode.size_high = n->inode.sectors = 0;
    n->inode.modify_time = n->inode.change_time = machine_wall_time();
    return ext2_store(n);
}
