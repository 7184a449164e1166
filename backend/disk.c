/* SPDX-License-Identifier: MIT */
/* What is behind a disk: a file or a block device. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk.h"
#include "log.h"

static uint64_t queue_value(dev_t dev, const char *name)
{
    char path[96];
    unsigned long long value = 0;
    FILE *f;

    /* A partition's queue is that of the disk that it lies on. */
    for (int up = 0; up < 2 && !value; up++) {
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u%s/queue/%s", major(dev), minor(dev),
                 up ? "/.." : "", name);
        f = fopen(path, "r");
        if (!f)
            continue;
        if (fscanf(f, "%llu", &value) != 1)
            value = 0;
        fclose(f);
    }
    return value;
}

static bool describe_device(struct disk *d, const struct stat *st)
{
    unsigned long long bytes;
    unsigned physical = BLK_SECTOR;
    int logical = BLK_SECTOR;

    if (ioctl(d->fd, BLKGETSIZE64, &bytes) || ioctl(d->fd, BLKSSZGET, &logical) ||
        ioctl(d->fd, BLKPBSZGET, &physical))
        return false;
    d->limits.sectors = bytes / BLK_SECTOR;
    d->limits.align = (uint32_t)logical / BLK_SECTOR;
    d->physical_block = physical;
    d->discard_granularity = (uint32_t)queue_value(st->st_rdev, "discard_granularity");
    /* Discarding is done by FALLOC_FL_PUNCH_HOLE, which devices do by writing zeroes. */
    d->limits.discard = !d->limits.read_only && queue_value(st->st_rdev, "discard_max_bytes") &&
                        queue_value(st->st_rdev, "write_zeroes_max_bytes");
    return true;
}

static void describe_file(struct disk *d, const struct stat *st)
{
    d->limits.sectors = (uint64_t)st->st_size / BLK_SECTOR;
    d->limits.align = 1;
    d->physical_block = BLK_SECTOR;
    d->discard_granularity = (uint32_t)st->st_blksize;
    d->limits.discard = !d->limits.read_only;
}

/* Some file systems have no O_DIRECT, others accept larger blocks only than a file's sectors: one
 * read tells. */
static bool direct_works(int fd, uint32_t align)
{
    static char block[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

    return pread(fd, block, align * BLK_SECTOR, 0) >= 0;
}

static bool open_file(struct disk *d, const char *path, bool direct)
{
    int flags = (d->limits.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | (direct ? O_DIRECT : 0);
    struct stat st;

    d->fd = open(path, flags);
    if (d->fd < 0)
        return false;
    if (fstat(d->fd, &st) < 0)
        goto failed;
    if (S_ISBLK(st.st_mode)) {
        if (!describe_device(d, &st))
            goto failed;
    } else if (S_ISREG(st.st_mode)) {
        describe_file(d, &st);
    } else {
        errno = ENOTBLK;
        goto failed;
    }
    if (direct && !direct_works(d->fd, d->limits.align))
        goto failed;
    d->direct = direct;
    return true;
failed:
    disk_close(d);
    return false;
}

enum disk_result disk_open(struct disk *d, const char *path, bool read_only, bool direct)
{
    d->limits.read_only = read_only;
    d->sync_failed = false;
    if (!(direct && open_file(d, path, true)) && !open_file(d, path, false)) {
        log_say(LOG_ERROR, "%s cannot be opened: %s", path, strerror(errno));
        return DISK_FAILED;
    }
    if (flock(d->fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
        return DISK_OPEN;
    disk_close(d);
    return errno == EWOULDBLOCK ? DISK_BUSY : DISK_FAILED;
}

void disk_close(struct disk *d)
{
    int error = errno;

    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    errno = error;
}
