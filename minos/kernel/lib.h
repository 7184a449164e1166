/* SPDX-License-Identifier: MIT */
/* Printing and strings. */
#ifndef MINOS_LIB_H
#define MINOS_LIB_H

#include "types.h"

/* %d %u %x %s %c, with l for 64 bits, a width, and 0 before it. */
void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
/* Copies what fits and ends it with a NUL. */
void string_copy(char *dst, const char *src, size_t size);

/* The value of `name=` on the command line, NULL if there is none; it ends at a space. */
const char *option(const char *name);
/* Decimal digits at *s, which is moved behind them. */
uint64_t parse_number(const char **s);

#endif
