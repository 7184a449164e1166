/* SPDX-License-Identifier: MIT */
/* Counting of bytes read and written, by any read() and write() of this process, as the kernel does
 * in /proc/PID/io: see struct unfinished. Everything else uses other calls than these two. */
#ifndef XSL_IO_H
#define XSL_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

extern uint64_t io_in, io_out;

/* What the kernel has counted for a process, dead ones included until they are waited for. */
bool io_counted(pid_t pid, uint64_t *in, uint64_t *out);

/* From now on io_in and io_out are right. */
void io_start(void);

#endif
