/* SPDX-License-Identifier: MIT */
/* ext2's bitmaps: blocks and inodes taken and given back. */
#include "ext2.h"
#include "lib.h"
#include "mem.h"

struct buffer *ext2_group(unsigned index, struct ext2_group **group)
{
    unsigned per_block = ext2_block_size / sizeof(struct ext2_group);
    struct buffer *b = cache_get(ext2_super.first_data_block + 1 + index / per_block);

    if (b)
        *group = (struct ext2_group *)b->data + index % per_block;
    return b;
}

static unsigned group_count(void)
{
    return (ext2_super.blocks - ext2_super.first_data_block + ext2_super.blocks_per_group - 1) /
           ext2_super.blocks_per_group;
}

/* Blocks in a group; the last may have fewer. */
static unsigned group_blocks(unsigned index)
{
    uint32_t first = ext2_super.first_data_block + index * ext2_super.blocks_per_group;

    return MIN(ext2_super.blocks_per_group, ext2_super.blocks - first);
}

/* Sets the first clear bit of the bitmap in `block` at or after `from`, or before it; -1 if none.
 */
static int bitmap_take(uint32_t block, unsigned bits, unsigned from)
{
    struct buffer *b = cache_get(block);
    uint8_t *map;
    int found = -1;

    if (!b)
        return -1;
    map = b->data;
    for (unsigned i = 0; i < bits; i++) {
        unsigned bit = (from + i) % bits;

        if (bit % 8 == 0 && map[bit / 8] == 0xff && bits - bit >= 8) {
            i += 7;
            continue;
        }
        if (map[bit / 8] & 1 << bit % 8)
            continue;
        map[bit / 8] |= 1 << bit % 8;
        b->dirty = true;
        found = bit;
        break;
    }
    cache_put(b);
    return found;
}

static void bitmap_clear(uint32_t block, unsigned bit)
{
    struct buffer *b = cache_get(block);
    uint8_t *byte;

    if (!b)
        return;
    byte = (uint8_t *)b->data + bit / 8;
    if (!(*byte & 1 << bit % 8))
        kprintf("ext2: bit %u of the bitmap in block %u is free already\n", bit, block);
    *byte &= ~(1 << bit % 8);
    b->dirty = true;
    cache_put(b);
}

uint32_t ext2_alloc_block(uint32_t near)
{
    unsigned groups = group_count();
    unsigned at = MIN(near, ext2_super.blocks - 1) - ext2_super.first_data_block;
    unsigned per_group = ext2_super.blocks_per_group;

    if (near < ext2_super.first_data_block)
        at = 0;
    for (unsigned i = 0; i < groups; i++) {
        unsigned index = (at / per_group + i) % groups;
        struct ext2_group *g;
        struct buffer *b = ext2_group(index, &g);
        int bit = -1;

        if (!b)
            return 0;
        if (g->free_blocks)
            bit = bitmap_take(g->block_bitmap, group_blocks(index), i ? 0 : at % per_group);
        if (bit >= 0) {
            g->free_blocks--;
            b->dirty = true;
            ext2_super.free_blocks--;
        }
        cache_put(b);
        if (bit >= 0)
            return ext2_super.first_data_block + index * per_group + bit;
    }
    return 0;
}

void ext2_free_block(uint32_t block)
{
    unsigned at = block - ext2_super.first_data_block;
    struct ext2_group *g;
    struct buffer *b;

    if (block <= ext2_super.first_data_block || block >= ext2_super.blocks)
        return;
    b = ext2_group(at / ext2_super.blocks_per_group, &g);
    if (!b)
        return;
    bitmap_clear(g->block_bitmap, at % ext2_super.blocks_per_group);
    g->free_blocks++;
    b->dirty = true;
    cache_put(b);
    ext2_super.free_blocks++;
}

uint32_t ext2_alloc_inode(uint32_t near, bool directory)
{
    unsigned groups = group_count(), per_group = ext2_super.inodes_per_group;

    for (unsigned i = 0; i < groups; i++) {
        unsigned index = ((near - 1) / per_group + i) % groups;
        struct ext2_group *g;
        struct buffer *b = ext2_group(index, &g);
        int bit = -1;

        if (!b)
            return 0;
        if (g->free_inodes)
            bit = bitmap_take(g->inode_bitmap, per_group, 0);
        if (bit >= 0) {
            g->free_inodes--;
            g->directories += directory;
            b->dirty = true;
            ext2_super.free_inodes--;
        }
        cache_put(b);
        if (bit >= 0)
            return index * per_group + bit + 1;
    }
    return 0;
}

void ext2_free_inode(uint32_t number, bool directory)
{
    unsigned per_group = ext2_super.inodes_per_group;
    struct ext2_group *g;
    struct buffer *b = ext2_group((number - 1) / per_group, &g);

    if (!b)
        return;
    bitmap_clear(g->inode_bitmap, (number - 1) % per_group);
    g->free_inodes++;
    g->directories -= directory;
    b->dirty = true;
    cache_put(b);
    ext2_super.free_inodes++;
}
