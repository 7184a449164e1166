/* SPDX-License-Identifier: MIT */
/* The smallest guest: says who it is and what it was given, and powers off. */
#include <pvguest/console.h>
#include <pvguest/control.h>
#include <pvguest/hypercall.h>
#include <pvguest/xs.h>

void pv_main(void)
{
    long version = pv_xen_version(XENVER_version, NULL);
    uint64_t id = pv_xs_init() ? 0 : pv_xs_read_number("domid", NULL, 0);

    pv_printf("hello from domain %lu, ABI %ld.%ld, %lu KiB, command line \"%s\"\n", id,
              version >> 16, version & 0xffff, pv_start_info->nr_pages * 4,
              (const char *)pv_start_info->cmd_line);
    pv_exit(0);
}
