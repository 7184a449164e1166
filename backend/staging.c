/* SPDX-License-Identifier: MIT */
/* Granted memory through libxengnttab's other half, and which address has which grant. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <xengnttab.h>

#include "port.h"
#include "staging.h"

#define LIMIT_PATH "/sys/module/xen_gntalloc/parameters/limit"
#define LIMIT      "65536" /* pages, of all programs; the driver's own is good for three rings */

struct area {
    struct area *next;
    uintptr_t start;
    unsigned pages;
    uint32_t ref[];
};

static xengntshr_handle *gntshr;
static struct area *areas; /* the one that was last used comes first */

static bool open_driver(void)
{
    int fd;

    if (gntshr)
        return true;
    gntshr = xengntshr_open(NULL, 0);
    fd = gntshr ? open(LIMIT_PATH, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return gntshr;
    /* If that fails, some rings do without. */
    (void)!write(fd, LIMIT, sizeof(LIMIT) - 1);
    close(fd);
    return true;
}

static void *share(unsigned pages)
{
    struct area *a = malloc(sizeof(*a) + pages * sizeof(a->ref[0]));
    void *memory = NULL;

    if (a && open_driver())
        memory = xengntshr_share_pages(gntshr, STAGING_DOMID, (int)pages, a->ref, 1);
    if (!memory) {
        free(a);
        return NULL;
    }
    a->start = (uintptr_t)memory;
    a->pages = pages;
    a->next = areas;
    areas = a;
    return memory;
}

void *staging_new(unsigned pages)
{
    void *memory = share(pages);

    return memory ? memory : aligned_alloc(PAGE_BYTES, (size_t)pages * PAGE_BYTES);
}

/* The area of the address, moved to the front. */
static struct area *find(uintptr_t address)
{
    for (struct area **at = &areas; *at; at = &(*at)->next) {
        struct area *a = *at;

        if (address - a->start >= (uintptr_t)a->pages * PAGE_BYTES)
            continue;
        *at = a->next;
        a->next = areas;
        areas = a;
        return a;
    }
    return NULL;
}

void staging_free(void *memory, unsigned pages)
{
    struct area *a = find((uintptr_t)memory);

    if (!a) {
        free(memory);
        return;
    }
    areas = a->next;
    free(a);
    xengntshr_unshare(gntshr, memory, pages);
}

bool staging_ref(const void *address, uint32_t *ref)
{
    struct area *a = find((uintptr_t)address);

    if (!a)
        return false;
    *ref = a->ref[((uintptr_t)address - a->start) / PAGE_BYTES];
    return true;
}
