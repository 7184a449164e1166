/* SPDX-License-Identifier: MIT */
/* The end of a domain that has something to say about it. */
#include <pvguest/control.h>
#include <pvguest/xs.h>

void pv_exit(int status)
{
    if (!pv_xs_init())
        pv_xs_write_number(0, "data", "exit-status", status & 255);
    pv_shutdown(SHUTDOWN_poweroff);
}
