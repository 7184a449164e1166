/* SPDX-License-Identifier: MIT */
/* Preloaded into C xenstored so that it serves its socket on a machine without Xen: every libxen
 * call it makes is answered here, and the files by which Linux shows dom0's ring are replaced. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static int handle;
static char ring[4096] __attribute__((aligned(4096)));

static int fake_file(const char *path)
{
    int fd = -1;

    if (!strcmp(path, "/proc/xen/xsd_kva")) {
        fd = memfd_create("kva", 0);
        if (ftruncate(fd, sizeof(ring)))
            return -1;
    } else if (!strcmp(path, "/proc/xen/xsd_port")) {
        fd = memfd_create("port", 0);
        if (write(fd, "1\n", 2) != 2)
            return -1;
        lseek(fd, 0, SEEK_SET);
    }
    return fd;
}

int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = fake_file(path);
    va_list ap;
    int mode;

    if (fd >= 0)
        return fd;
    va_start(ap, flags);
    mode = flags & O_CREAT ? va_arg(ap, int) : 0;
    va_end(ap);
    return real(path, flags, mode);
}

#define ANSWER(type, name, value)                                                                  \
    type name(void);                                                                               \
    type name(void)                                                                                \
    {                                                                                              \
        return value;                                                                              \
    }

ANSWER(void *, xc_interface_open, &handle)
ANSWER(int, xc_interface_close, 0)
ANSWER(int, xc_domain_getinfo, 0)
ANSWER(int, xenevtchn_bind_interdomain, 2)
ANSWER(int, xenevtchn_bind_virq, 3)
ANSWER(void *, xenevtchn_open, &handle)
ANSWER(void *, xenevtchn_fdopen, &handle)
ANSWER(int, xenevtchn_notify, 0)
ANSWER(int, xenevtchn_pending, -1)
ANSWER(int, xenevtchn_unbind, 0)
ANSWER(int, xenevtchn_unmask, 0)
ANSWER(void *, xengnttab_open, &handle)
ANSWER(int, xengnttab_close, 0)
ANSWER(int, xengnttab_set_max_grants, 0)
ANSWER(void *, xengnttab_map_grant_ref, ring)
ANSWER(int, xengnttab_unmap, 0)

int xenevtchn_fd(void);
int xenevtchn_fd(void)
{
    static int fd = -1;

    if (fd < 0)
        fd = eventfd(0, 0);
    return fd;
}
