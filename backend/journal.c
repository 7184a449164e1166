/* SPDX-License-Identifier: MIT */
/* Journals as shared mappings of files in the run directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "journal.h"
#include "log.h"

/* Keeps what follows aligned as a page is. */
#define HEAD 4096u

static void path_of(char path[STORE_PATH], const char *name)
{
    snprintf(path, STORE_PATH, "%s/%s", device_options.run_dir, name);
}

void *journal_open(const char *name, const struct journal_key *key, bool resume, size_t bytes,
                   bool *known)
{
    char path[STORE_PATH];
    struct stat st;
    char *memory;
    int fd;

    path_of(path, name);
    if (!resume)
        unlink(path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fstat(fd, &st) || ftruncate(fd, (off_t)(HEAD + bytes))) {
        log_say(LOG_ERROR, "%s cannot be made: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    memory = mmap(NULL, HEAD + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED)
        return NULL;
    *known = st.st_size == (off_t)(HEAD + bytes) && !memcmp(memory, key, sizeof(*key));
    if (!*known) {
        memset(memory, 0, HEAD + bytes);
        memcpy(memory, key, sizeof(*key));
    }
    return memory + HEAD;
}

void journal_close(void *memory, size_t bytes)
{
    munmap((char *)memory - HEAD, HEAD + bytes);
}

void journal_remove(const char *name)
{
    char path[STORE_PATH];

    path_of(path, name);
    unlink(path);
}
