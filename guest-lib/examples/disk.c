/* SPDX-License-Identifier: MIT */
/* Writes a pattern to the last 128 sectors of its disk, makes it durable, reads it back; restores
 * them. */
#include <pvguest/blk.h>
#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/time.h>

#define SECTORS 64
#define ROUNDS  2
#define SIZE    (SECTORS * PV_BLK_SECTOR)

static uint8_t saved[SIZE] pv_aligned(4096), data[SIZE] pv_aligned(4096);
static struct pv_blk blk;
static unsigned errors;

static void transfer(unsigned operation, uint64_t sector, void *memory)
{
    struct pv_blk_request r = {
        .operation = operation, .sector = sector, .memory = memory, .sectors = SECTORS};

    if (pv_blk_wait(&blk, &r))
        errors++;
}

static void try_sectors(uint64_t sector)
{
    transfer(BLKIF_OP_READ, sector, saved);
    for (unsigned i = 0; i < SIZE; i++)
        data[i] = i * 7 + sector;
    transfer(BLKIF_OP_WRITE, sector, data);
    if (blk.can_flush)
        transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, NULL);
    memset(data, 0, SIZE);
    transfer(BLKIF_OP_READ, sector, data);
    for (unsigned i = 0; i < SIZE; i++)
        errors += data[i] != (uint8_t)(i * 7 + sector);
    transfer(BLKIF_OP_WRITE, sector, saved);
}

void pv_main(void)
{
    uint64_t start = pv_time();
    long error = pv_blk_open(&blk, 0);

    if (error) {
        pv_printf("disk: none to be had, error %ld\n", -error);
        pv_exit(1);
    }
    for (unsigned round = 0; round < ROUNDS && !blk.readonly; round++)
        try_sectors(blk.sectors - (round + 1) * SECTORS);
    pv_printf("disk: %lu sectors%s, %lu ms, %u errors\n", blk.sectors,
              blk.readonly ? ", read-only" : "", (pv_time() - start) / 1000000, errors);
    pv_device_close(&blk.device);
    pv_exit(errors != 0);
}
