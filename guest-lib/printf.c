/* SPDX-License-Identifier: MIT */
/* Formatted output to the console. */
#include <pvguest/console.h>
#include <stdarg.h>

struct line {
    char text[256];
    size_t used;
};

static void put(struct line *l, char c)
{
    if (l->used == sizeof(l->text)) {
        pv_write(l->text, l->used);
        l->used = 0;
    }
    l->text[l->used++] = c;
}

static void put_number(struct line *l, uint64_t v, unsigned base, int width, char pad)
{
    char digits[20];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
    } while (v /= base);
    for (; width > n; width--)
        put(l, pad);
    while (n)
        put(l, digits[--n]);
}

static void put_signed(struct line *l, int64_t v, int width, char pad)
{
    if (v < 0) {
        put(l, '-');
        v = -v;
    }
    put_number(l, v, 10, width, pad);
}

void pv_printf(const char *fmt, ...)
{
    struct line l = {.used = 0};
    va_list ap;

    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        int width = 0;
        bool wide = false;
        char pad = ' ';

        if (*fmt != '%') {
            put(&l, *fmt);
            continue;
        }
        if (*++fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + *fmt - '0';
        for (; *fmt == 'l'; fmt++)
            wide = true;
        switch (*fmt) {
        case 'd':
            put_signed(&l, wide ? va_arg(ap, long) : va_arg(ap, int), width, pad);
            break;
        case 'u':
            put_number(&l, wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), 10, width, pad);
            break;
        case 'p':
            wide = true; /* fall through */
        case 'x':
            put_number(&l, wide ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), 16, width, pad);
            break;
        case 's': {
            const char *s = va_arg(ap, const char *);
            int n = 0;

            for (; s[n]; n++)
                put(&l, s[n]);
            for (; n < width; n++)
                put(&l, ' ');
            break;
        }
        case 'c':
            put(&l, va_arg(ap, int));
            break;
        default:
            put(&l, *fmt);
        }
    }
    va_end(ap);
    pv_write(l.text, l.used);
}
