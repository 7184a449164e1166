/* SPDX-License-Identifier: MIT */
/* Open files: descriptors, files of a file system, pipes; the ring of bytes that pipes use. */
#include "lib.h"
#include "proc.h"

/* --- Descriptors --- */

struct file *file_new(const struct file_ops *ops, void *object, unsigned flags)
{
    struct file *f = kmalloc(sizeof(*f));

    if (f)
        *f = (struct file){.ops = ops, .references = 1, .flags = flags, .object = object};
    return f;
}

void file_put(struct file *f)
{
    if (--f->references)
        return;
    if (f->ops->close)
        f->ops->close(f);
    kfree(f, sizeof(*f));
}

struct file *file_of(int fd)
{
    return fd >= 0 && fd < OPEN_FILES ? current->files[fd] : NULL;
}

int file_install(struct file *f)
{
    if (!f)
        return -ENOMEM;
    for (int fd = 0; fd < OPEN_FILES; fd++)
        if (!current->files[fd]) {
            current->files[fd] = f;
            return fd;
        }
    file_put(f);
    return -EMFILE;
}

/* --- Files and directories --- */

/* Page by page through the kernel's mapping; `move` is node_read or node_write. */
static long transfer(struct file *f, uintptr_t buffer, size_t size, bool write)
{
    size_t done = 0;

    while (done < size) {
        uintptr_t va = buffer + done;
        size_t part = MIN(size - done, PAGE_SIZE - va % PAGE_SIZE);
        char *page = va < USER_END ? space_page(current->space, va, !write) : NULL;
        long n;

        if (!page)
            return -EFAULT;
        page += va % PAGE_SIZE;
        n = write ? node_write(f->object, page, part, f->offset)
                  : node_read(f->object, page, part, f->offset);
        if (n <= 0)
            return done ? (long)done : n;
        f->offset += n;
        done += n;
        if ((size_t)n < part)
            break;
    }
    return done;
}

static long node_file_read(struct file *f, uintptr_t buffer, size_t size)
{
    return transfer(f, buffer, size, false);
}

static long node_file_write(struct file *f, uintptr_t buffer, size_t size)
{
    if (f->flags & O_APPEND)
        f->offset = ((struct node *)f->object)->stat.size;
    return transfer(f, buffer, size, true);
}

static void node_file_close(struct file *f)
{
    node_put(f->object);
}

const struct file_ops node_file_ops = {node_file_read, node_file_write, node_file_close};

int file_open(const char *path, unsigned flags)
{
    struct node *n;
    struct file *f;
    int error = flags & O_CREATE ? node_create(path, S_FILE | 0644, &n) : node_lookup(path, &n);

    if (error)
        return error;
    if (flags & O_WRITE && n->stat.mode & S_DIRECTORY)
        error = -EISDIR;
    else if (flags & O_TRUNC)
        error = node_truncate(n);
    f = error ? NULL : file_new(&node_file_ops, n, flags);
    if (f)
        return file_install(f);
    node_put(n);
    return error ? error : -ENOMEM;
}

/* --- Rings --- */

bool ring_init(struct ring *r)
{
    memset(r, 0, sizeof(*r));
    for (unsigned i = 0; i < RING_PAGES; i++) {
        paddr_t f = frame_alloc();

        if (!f) {
            ring_free(r);
            return false;
        }
        r->pages[i] = phys_to_virt(f);
    }
    return true;
}

void ring_free(struct ring *r)
{
    for (unsigned i = 0; i < RING_PAGES; i++)
        if (r->pages[i])
            frame_put(virt_to_phys(r->pages[i]));
    memset(r, 0, sizeof(*r));
}

/* The piece of the ring `offset` behind its start that is contiguous: at most *size bytes. */
static void *piece(const struct ring *r, size_t offset, size_t *size)
{
    size_t at = (r->start + offset) % RING_SIZE;

    *size = MIN(*size, PAGE_SIZE - at % PAGE_SIZE);
    return r->pages[at / PAGE_SIZE] + at % PAGE_SIZE;
}

size_t ring_write(struct ring *r, const void *data, size_t size)
{
    size_t done = 0;

    size = MIN(size, RING_SIZE - r->used);
    while (done < size) {
        size_t part = size - done;
        void *to = piece(r, r->used, &part);

        memcpy(to, (const char *)data + done, part);
        r->used += part;
        done += part;
    }
    return done;
}

void ring_peek(const struct ring *r, size_t offset, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t part = size - done;
        const void *from = piece(r, offset + done, &part);

        memcpy((char *)data + done, from, part);
        done += part;
    }
}

void ring_drop(struct ring *r, size_t size)
{
    r->start = (r->start + size) % RING_SIZE;
    r->used -= size;
}

long ring_write_user(struct ring *r, uintptr_t from, size_t size)
{
    size_t done = 0;

    size = MIN(size, RING_SIZE - r->used);
    while (done < size) {
        size_t part = size - done;
        void *to = piece(r, r->used, &part);

        if (copy_from_user(to, from + done, part))
            return -EFAULT;
        r->used += part;
        done += part;
    }
    return done;
}

long ring_read_user(struct ring *r, uintptr_t to, size_t size)
{
    size_t done = 0;

    size = MIN(size, r->used);
    while (done < size) {
        size_t part = size - done;
        const void *from = piece(r, 0, &part);

        if (copy_to_user(to + done, from, part))
            return -EFAULT;
        ring_drop(r, part);
        done += part;
    }
    return done;
}

/* --- Pipes --- */

struct pipe {
    struct ring ring;
    unsigned readers, writers;
};

static long pipe_read(struct file *f, uintptr_t buffer, size_t size)
{
    struct pipe *p = f->object;
    long n;

    while (!p->ring.used && p->writers) {
        int error = wait_for(p, FOREVER);

        if (error)
            return error;
    }
    n = ring_read_user(&p->ring, buffer, size);
    wake(p);
    return n;
}

static long pipe_write(struct file *f, uintptr_t buffer, size_t size)
{
    struct pipe *p = f->object;
    size_t done = 0;

    while (done < size) {
        long n;
        int error;

        if (!p->readers)
            return -EPIPE;
        n = ring_write_user(&p->ring, buffer + done, size - done);
        if (n < 0)
            return n;
        done += n;
        wake(p);
        error = n ? 0 : wait_for(p, FOREVER);
        if (error)
            return error;
    }
    return done;
}

static void pipe_close(struct file *f)
{
    struct pipe *p = f->object;

    if (f->flags & O_WRITE)
        p->writers--;
    else
        p->readers--;
    wake(p);
    if (p->readers || p->writers)
        return;
    ring_free(&p->ring);
    kfree(p, sizeof(*p));
}

static const struct file_ops pipe_ops = {pipe_read, pipe_write, pipe_close};

int pipe_open(int fds[2])
{
    struct pipe *p = kmalloc(sizeof(*p));
    struct file *ends[2];

    if (!p)
        return -ENOMEM;
    if (!ring_init(&p->ring)) {
        kfree(p, sizeof(*p));
        return -ENOMEM;
    }
    p->readers = p->writers = 1;
    ends[0] = file_new(&pipe_ops, p, O_READ);
    ends[1] = file_new(&pipe_ops, p, O_WRITE);
    for (int i = 0; i < 2; i++) {
        fds[i] = file_install(ends[i]);
        if (fds[i] >= 0)
            continue;
        if (i && fds[0] >= 0) {
            file_put(current->files[fds[0]]);
            current->files[fds[0]] = NULL;
        }
        return fds[i];
    }
    return 0;
}
