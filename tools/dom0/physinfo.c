/* SPDX-License-Identifier: MIT */
/* Prints the machine's page counts, as the hypervisor tells them, for tests: total, free. A static
 * program for dom0, which has none of Xen's libraries; it calls through the privcmd driver. */
#include <fcntl.h>
#include <inttypes.h>
#include <pvabi/sysctl.h>
#include <pvabi/xen.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* The driver's own interface (linux/include/uapi/xen/privcmd.h, which Debian does not install). */
struct privcmd_hypercall {
    uint64_t op;
    uint64_t arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

int main(void)
{
    struct xen_sysctl call;
    struct privcmd_hypercall hypercall = {__HYPERVISOR_sysctl, {(uintptr_t)&call}};
    int privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

    memset(&call, 0, sizeof(call));
    call.cmd = XEN_SYSCTL_physinfo;
    call.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    if (privcmd < 0 || ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &hypercall) < 0) {
        perror("physinfo");
        return 1;
    }
    printf("total %" PRIu64 "\nfree %" PRIu64 "\n", call.u.physinfo.total_pages,
           call.u.physinfo.free_pages);
    return 0;
}
