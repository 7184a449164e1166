/* SPDX-License-Identifier: MIT */
/* The library's functions; see lib.h. */
#include "lib.h"

const char *program_name = "?";

/* --- System calls --- */

void exit(int status)
{
    for (;;)
        CALL(exit, status);
}

int open(const char *path, unsigned flags)
{
    return CALL(open, path, flags);
}

long read(int fd, void *buffer, size_t size)
{
    return CALL(read, fd, buffer, size);
}

long write(int fd, const void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        long n = CALL(write, fd, (const char *)data + done, size - done);

        if (n <= 0)
            return done ? (long)done : n;
        done += n;
    }
    return done;
}

void close(int fd)
{
    CALL(close, fd);
}

int exec(char **argv)
{
    char path[64];

    if (strchr(argv[0], '/'))
        return CALL(exec, argv[0], argv);
    format(path, sizeof(path), "/bin/%s", argv[0]);
    return CALL(exec, path, argv);
}

/* --- Printing --- */

struct output {
    char *at, *end;
};

static void put(struct output *o, char c)
{
    if (o->at < o->end)
        *o->at++ = c;
}

static void put_padded(struct output *o, const char *s, size_t len, int width, char pad, bool left)
{
    for (int i = len; !left && i < width; i++)
        put(o, pad);
    for (size_t i = 0; i < len; i++)
        put(o, s[i]);
    for (int i = len; left && i < width; i++)
        put(o, ' ');
}

static void put_number(struct output *o, unsigned long v, unsigned base, bool negative, int width,
                       char pad, bool left)
{
    char digits[24];
    size_t n = sizeof(digits);

    do
        digits[--n] = "0123456789abcdef"[v % base];
    while (v /= base);
    if (negative)
        digits[--n] = '-';
    put_padded(o, digits + n, sizeof(digits) - n, width, pad, left);
}

static size_t format_list(char *out, size_t size, const char *fmt, va_list ap)
{
    struct output o = {out, out + size - 1};

    for (; *fmt; fmt++) {
        bool wide = false, left = false;
        char pad = ' ', c;
        int width = 0;
        const char *s;
        long v;

        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        if (*++fmt == '-')
            left = true, fmt++;
        if (*fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + *fmt - '0';
        for (; *fmt == 'l'; fmt++)
            wide = true;
        switch (*fmt) {
        case 'd':
            v = wide ? va_arg(ap, long) : va_arg(ap, int);
            put_number(&o, v < 0 ? -v : v, 10, v < 0, width, pad, left);
            break;
        case 'u':
        case 'x':
            v = wide ? va_arg(ap, long) : (long)va_arg(ap, unsigned);
            put_number(&o, v, *fmt == 'x' ? 16 : 10, false, width, pad, left);
            break;
        case 's':
            s = va_arg(ap, const char *);
            put_padded(&o, s, strlen(s), width, ' ', left);
            break;
        case 'c':
            c = va_arg(ap, int);
            put(&o, c);
            break;
        default:
            put(&o, *fmt);
        }
    }
    *o.at = 0;
    return o.at - out;
}

size_t format(char *out, size_t size, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    n = format_list(out, size, fmt, ap);
    va_end(ap);
    return n;
}

void fprintf(int fd, const char *fmt, ...)
{
    char out[512];
    va_list ap;

    va_start(ap, fmt);
    write(fd, out, format_list(out, sizeof(out), fmt, ap));
    va_end(ap);
}

void printf(const char *fmt, ...)
{
    char out[512];
    va_list ap;

    va_start(ap, fmt);
    write(1, out, format_list(out, sizeof(out), fmt, ap));
    va_end(ap);
}

static const char *error_text(long error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {ENOENT, "no such file or directory"},
        {ESRCH, "no such process"},
        {EINTR, "interrupted"},
        {EIO, "the device failed"},
        {ENOEXEC, "not a program"},
        {ENOMEM, "out of memory"},
        {EEXIST, "exists already"},
        {EXDEV, "on another file system"},
        {ENOTDIR, "not a directory"},
        {EISDIR, "a directory"},
        {ENOSPC, "the disk is full"},
        {EROFS, "read-only"},
        {ENOTEMPTY, "not empty"},
        {EADDRINUSE, "the port is in use"},
        {ECONNRESET, "refused by the other side"},
        {ETIMEDOUT, "no answer"},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].error == -error)
            return texts[i].text;
    return "error";
}

int complain(const char *what, long error)
{
    if (error)
        fprintf(2, "%s: %s: %s (%ld)\n", program_name, what, error_text(error), -error);
    else
        fprintf(2, "%s: %s\n", program_name, what);
    return 1;
}

/* --- Strings, memory --- */

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, ~0ul);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--)
        a++, b++;
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

char *strchr(const char *s, char c)
{
    for (; *s; s++)
        if (*s == c)
            return (char *)s;
    return NULL;
}

void *memcpy(void *dst, const void *src, size_t n)
{
    void *ret = dst;

    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n)::"memory");
    return ret;
}

void *memset(void *dst, int c, size_t n)
{
    void *ret = dst;

    __asm__ volatile("rep stosb" : "+D"(dst), "+c"(n) : "a"(c) : "memory");
    return ret;
}

unsigned long number(const char *s)
{
    unsigned long v = 0;

    for (; *s >= '0' && *s <= '9'; s++)
        v = v * 10 + *s - '0';
    return v;
}

uint32_t address(const char *s)
{
    uint32_t a = 0;
    int parts = 0;

    for (; s; s = strchr(s, '.') ? strchr(s, '.') + 1 : NULL, parts++)
        a = a << 8 | (number(s) & 255);
    return parts == 4 ? a : 0;
}

void *allocate(size_t size)
{
    long p = CALL(sbrk, (size + 15) & -16ul);

    return p < 0 ? NULL : (void *)p;
}

long read_line(int fd, char *line, size_t size)
{
    size_t n = 0;
    char c = 0;
    long got = 0;

    while (n + 1 < size && (got = read(fd, &c, 1)) > 0 && c != '\n')
        line[n++] = c;
    line[n] = 0;
    return got <= 0 && !n ? -1 : (long)n;
}
