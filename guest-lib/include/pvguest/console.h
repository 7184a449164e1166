/* SPDX-License-Identifier: MIT */
/* The domain's console, and the few string functions a guest needs. */
#ifndef PVGUEST_CONSOLE_H
#define PVGUEST_CONSOLE_H

#include <pvguest/types.h>

/* Understands %d %u %x %lx %ld %lu %s %c %p %%, a width, and `0` before it. */
void pv_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void pv_write(const char *s, size_t len);
/* What was typed, without waiting; the bytes read. */
size_t pv_console_read(char *buf, size_t size);
/* The event channel that tells of input, for a handler to be set; negative: there is none. */
long pv_console_port(void);

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
