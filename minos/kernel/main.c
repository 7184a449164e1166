/* SPDX-License-Identifier: MIT */
/* From the machine's hand-over to the first program. */
#include "block.h"
#include "lib.h"
#include "net.h"
#include "proc.h"

static const char *command_line;

const char *option(const char *name)
{
    size_t len = strlen(name);

    for (const char *s = command_line; *s; s++)
        if ((s == command_line || s[-1] == ' ') && !memcmp(s, name, len))
            return s + len;
    return NULL;
}

void kernel_main(paddr_t free, paddr_t end, const char *line)
{
    command_line = line;
    frames_init(free, end);
    kprintf("minos: %lu KiB of memory, %lu KiB free\n", end >> 10, frames_free * PAGE_SIZE >> 10);
    machine_devices();
    net_init();
    process_start_first("/bin/init");
}
