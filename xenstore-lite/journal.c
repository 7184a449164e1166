/* SPDX-License-Identifier: MIT */
/* The journal's file: mapping, appending, committing. The header says where the records begin and
 * end; it has two such pairs, and which one counts changes by one store. */
#include "journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include "io.h"
#include "mem.h"
#include "record.h"

#define MAGIC   0x315258534c54ull
#define PAGE    4096u
#define CHUNK   (1u << 20)
#define CHANGES (1u << 20) /* changes may be so many bytes, besides twice the store */

struct header {
    uint64_t magic;
    char boot[64];
    uint64_t active;
    struct {
        uint64_t start, end; /* offsets in the file */
    } range[2];
    struct unfinished unfinished;
};

#define HEADER ((sizeof(struct header) + PAGE - 1) / PAGE * PAGE)

struct journal {
    int fd;
    struct header *header;
    char *map;           /* of the file from start on */
    uint64_t start, end; /* of the records, committed or not */
    size_t mapped;
    uint64_t whole; /* bytes of the store when it was last written as a whole */
};

static void map_from(struct journal *j, uint64_t start, size_t len)
{
    if (j->map)
        munmap(j->map, j->mapped);
    j->map = MAP_FAILED;
    if (!ftruncate(j->fd, (off_t)(start + len)))
        j->map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, j->fd, (off_t)start);
    if (j->map == MAP_FAILED) {
        syslog(LOG_CRIT, "the journal cannot grow: %m");
        abort();
    }
    j->start = start;
    j->mapped = len;
}

struct journal *journal_open(const char *file, const char *boot)
{
    struct header *h = MAP_FAILED;
    struct journal *j;
    struct stat st;
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && !fstat(fd, &st) && (st.st_size >= (off_t)HEADER || !ftruncate(fd, HEADER)))
        h = mmap(NULL, HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (h == MAP_FAILED) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (h->magic != MAGIC || strncmp(h->boot, boot, sizeof(h->boot) - 1)) {
        memset(h, 0, sizeof(*h));
        memcpy(h->boot, boot, strnlen(boot, sizeof(h->boot) - 1));
        h->range[0].start = h->range[0].end = HEADER;
    }
    j = mem_zalloc(sizeof(*j));
    j->fd = fd;
    j->header = h;
    j->end = h->range[h->active & 1].end;
    map_from(j, h->range[h->active & 1].start,
             (j->end - h->range[h->active & 1].start) / CHUNK * CHUNK + CHUNK);
    return j;
}

const char *journal_records(struct journal *j, size_t *len)
{
    *len = j->end - j->start;
    return j->map;
}

void journal_close(struct store *s)
{
    struct journal *j = s->journal;

    if (!j)
        return;
    munmap(j->map, j->mapped);
    munmap(j->header, HEADER);
    close(j->fd);
    free(j);
    s->journal = NULL;
}

void journal_add(struct store *s, uint32_t type, const struct part *part, unsigned parts)
{
    struct journal *j = s->journal;
    struct record r = {type, 0};
    size_t full, room = j->mapped;
    char *to;

    for (unsigned i = 0; i < parts; i++)
        r.len += (uint32_t)part[i].len;
    full = (sizeof(r) + r.len + 7) & ~(size_t)7;
    while (j->end - j->start + full + sizeof(r) > room)
        room *= 2; /* unread output makes records of any size */
    if (room > j->mapped)
        map_from(j, j->start, room);
    to = j->map + (j->end - j->start);
    memcpy(to, &r, sizeof(r));
    to += sizeof(r);
    for (unsigned i = 0; i < parts; i++) {
        if (part[i].len)
            memcpy(to, part[i].data, part[i].len);
        to += part[i].len;
    }
    j->end += full;
}

/* Behind what there is, which is then given up. */
static void write_whole(struct store *s)
{
    struct journal *j = s->journal;
    struct header *h = j->header;
    uint64_t old = j->start, start = (j->end + PAGE - 1) / PAGE * PAGE, next = 1 - (h->active & 1);

    map_from(j, start, CHUNK);
    j->end = start;
    record_store(s);
    j->whole = j->end - j->start;
    h->range[next].start = j->start;
    h->range[next].end = j->end;
    __atomic_store_n(&h->active, next, __ATOMIC_RELEASE);
    h->magic = MAGIC;
    if (fallocate(j->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)old,
                  (off_t)(start - old)))
        syslog(LOG_WARNING, "the journal only grows, as its file system is no tmpfs: %m");
}

struct unfinished *journal_unfinished(struct store *s)
{
    return s->journal ? &s->journal->header->unfinished : NULL;
}

const struct unfinished *journal_left_unfinished(struct journal *j)
{
    struct unfinished *u = &j->header->unfinished;

    if (j->end > u->in_at)
        u->reading = 0;
    if (j->end > u->out_at)
        u->writing = 0;
    return u;
}

void journal_begin_read(struct store *s, uint32_t conn)
{
    struct unfinished *u = &s->journal->header->unfinished;

    u->in_before = io_in;
    u->in_at = s->journal->end;
    __atomic_store_n(&u->reading, conn, __ATOMIC_RELEASE);
}

void journal_begin_write(struct store *s, uint32_t conn)
{
    struct unfinished *u = &s->journal->header->unfinished;

    u->out_before = io_out;
    u->out_at = s->journal->end;
    __atomic_store_n(&u->writing, conn, __ATOMIC_RELEASE);
}

void journal_publish(struct store *s)
{
    struct journal *j = s->journal;

    __atomic_store_n(&j->header->range[j->header->active & 1].end, j->end, __ATOMIC_RELEASE);
}

void journal_commit_now(struct store *s)
{
    struct journal *j = s->journal;
    struct conn *c;
    uint64_t size;

    TAILQ_FOREACH(c, &s->dirty, dirty)
        record_output(c);
    journal_publish(s);
    size = j->end - j->start;
    if (size > 3 * j->whole + CHANGES && (!s->snapshots || size > 6 * j->whole + 8 * CHANGES))
        if (!s->snapshots)
            write_whole(s);
}

void journal_start(struct store *s, struct journal *j)
{
    s->journal = j;
    j->header->unfinished.reading = j->header->unfinished.writing = 0;
    if (!s->snapshots)
        write_whole(s);
}
