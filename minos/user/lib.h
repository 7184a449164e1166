/* SPDX-License-Identifier: MIT */
/* The library of minos programs: system calls, a little printing, strings, memory. */
#ifndef MINOS_USER_LIB_H
#define MINOS_USER_LIB_H

#include <minos/abi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

int main(int argc, char **argv);

/* --- System calls: negative results are errors --- */

long system_call(long number, ...);
#define CALL(name, ...) system_call(SYS_##name, ##__VA_ARGS__)

void exit(int status) __attribute__((noreturn));
int open(const char *path, unsigned flags);
long read(int fd, void *buffer, size_t size);
/* All of it, unless there is an error. */
long write(int fd, const void *data, size_t size);
void close(int fd);
/* A program with its arguments; does not return unless it cannot be started. */
int exec(char **argv);

/* --- Printing --- */

/* %d %u %x %s %c, with l, a width, - and 0 before it. */
void printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fprintf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* At most size - 1 bytes and a NUL; the length. */
size_t format(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* To standard error, with the program's name and the error's; returns 1. */
int complain(const char *what, long error);

/* --- Strings, memory --- */

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, char c);
void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
unsigned long number(const char *s);
/* A dotted quad, as a number; 0 if it is none. */
uint32_t address(const char *s);
/* Never given back. NULL when there is no more. */
void *allocate(size_t size);

/* A line without its end; -1 at the end of the file. */
long read_line(int fd, char *line, size_t size);

#endif
