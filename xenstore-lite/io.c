/* SPDX-License-Identifier: MIT */
/* The kernel's counts of bytes. */
#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t io_in, io_out;

/* Returns the length of what it read, or 0. */
static size_t read_counts(pid_t pid, uint64_t *in, uint64_t *out)
{
    unsigned long long r, w;
    char name[40], text[512];
    ssize_t n;
    int fd;

    snprintf(name, sizeof(name), "/proc/%ld/io", (long)pid);
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "rchar: %llu wchar: %llu", &r, &w) != 2)
        return 0;
    *in = r;
    *out = w;
    return (size_t)n;
}

bool io_counted(pid_t pid, uint64_t *in, uint64_t *out)
{
    return read_counts(pid, in, out) > 0;
}

/* Reading the counts is counted too, when it is done. */
void io_start(void)
{
    size_t n = read_counts(getpid(), &io_in, &io_out);

    io_in += n;
}
