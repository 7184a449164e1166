/* SPDX-License-Identifier: MIT */
/* Formatted output to the console, strings, and the command line's options. */
#include "lib.h"
#include "machine.h"

static void put_number(char *out, size_t *used, uint64_t v, unsigned base, int width, char pad)
{
    char digits[20];
    int n = 0;

    do
        digits[n++] = "0123456789abcdef"[v % base];
    while (v /= base);
    for (; width > n; width--)
        out[(*used)++] = pad;
    while (n)
        out[(*used)++] = digits[--n];
}

static size_t put_string(char *out, size_t room, const char *s)
{
    size_t n = MIN(strlen(s), room);

    memcpy(out, s, n);
    return n;
}

/* Lines are at most 256 bytes; the rest is cut off. */
static void print(const char *fmt, va_list ap)
{
    char out[256 + 48];
    size_t used = 0;

    for (; *fmt && used < 256; fmt++) {
        bool wide = false;
        int width = 0;
        char pad = ' ';
        int64_t v;

        if (*fmt != '%') {
            out[used++] = *fmt;
            continue;
        }
        if (*++fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = MIN(width * 10 + *fmt - '0', 20);
        for (; *fmt == 'l'; fmt++)
            wide = true;
        switch (*fmt) {
        case 'd':
            v = wide ? va_arg(ap, long) : va_arg(ap, int);
            if (v < 0)
                out[used++] = '-';
            put_number(out, &used, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, width, pad);
            break;
        case 'u':
        case 'x':
            v = wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned);
            put_number(out, &used, v, *fmt == 'x' ? 16 : 10, width, pad);
            break;
        case 's':
            used += put_string(out + used, 256 - used, va_arg(ap, const char *));
            break;
        case 'c':
            out[used++] = va_arg(ap, int);
            break;
        default:
            out[used++] = *fmt;
        }
    }
    machine_console_write(out, used);
}

void kprintf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print(fmt, ap);
    va_end(ap);
}

void panic(const char *fmt, ...)
{
    va_list ap;

    kprintf("\nminos: panic: ");
    va_start(ap, fmt);
    print(fmt, ap);
    va_end(ap);
    kprintf("\n");
    machine_halt(255);
}

void *memcpy(void *dst, const void *src, size_t n)
{
    void *ret = dst;

    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
    return ret;
}

void *memmove(void *dst, const void *src, size_t n)
{
    uint8_t *d = dst;
    const uint8_t *s = src;

    if (d <= s || d >= s + n)
        return memcpy(dst, src, n);
    while (n--)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *ret = dst;

    __asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(c) : "memory");
    return ret;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

void string_copy(char *dst, const char *src, size_t size)
{
    size_t n = MIN(strlen(src), size - 1);

    memcpy(dst, src, n);
    dst[n] = 0;
}

uint64_t parse_number(const char **s)
{
    uint64_t v = 0;

    for (; **s >= '0' && **s <= '9'; (*s)++)
        v = v * 10 + **s - '0';
    return v;
}
