/* SPDX-License-Identifier: MIT */
/* Formatting of text: the conversions that print.h lists. */
#include <string.h>

#include <hv/print.h>

struct out {
    char *buf;
    size_t size, len; /* len: what the whole text needs */
};

struct spec {
    bool left, zero, alternate, is_signed;
    unsigned base;
    const char *digits, *prefix; /* prefix: of the alternate form */
    int width, precision;        /* precision < 0: none */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_times(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
    size_t max = s->precision < 0 ? SIZE_MAX : (size_t)s->precision;
    size_t len = strnlen(text, max);
    int pad = s->width - (int)len;

    if (!s->left)
        put_times(o, ' ', pad);
    for (size_t i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        put_times(o, ' ', pad);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v)
{
    char digits[20];
    const char *prefix = s->alternate && v ? s->prefix : "";
    int n = 0, pad;
    bool negative = s->is_signed && (int64_t)v < 0;

    if (negative)
        v = -v;
    do {
        digits[n++] = s->digits[v % s->base];
        v /= s->base;
    } while (v);
    pad = s->width - n - negative - (int)strlen(prefix);
    if (!s->left && !s->zero)
        put_times(o, ' ', pad);
    if (negative)
        put(o, '-');
    while (*prefix)
        put(o, *prefix++);
    if (!s->left && s->zero)
        put_times(o, '0', pad);
    while (n)
        put(o, digits[--n]);
    if (s->left)
        put_times(o, ' ', pad);
}

static void put_hex(struct out *o, struct spec *s, const char *prefix, uint64_t v)
{
    s->prefix = prefix;
    s->base = 16;
    put_number(o, s, v);
}

static const char *parse_number(const char *f, int *n, va_list *ap)
{
    if (*f == '*') {
        *n = va_arg(*ap, int);
        return f + 1;
    }
    for (*n = 0; *f >= '0' && *f <= '9'; f++)
        *n = *n * 10 + (*f - '0');
    return f;
}

static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
    *s = (struct spec){.base = 10, .digits = "0123456789abcdef", .prefix = "", .precision = -1};
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '#')
            s->alternate = true;
        else
            break;
    }
    f = parse_number(f, &s->width, ap);
    if (*f == '.')
        f = parse_number(f + 1, &s->precision, ap);
    return f;
}

static uint64_t fetch(const struct spec *s, unsigned longs, va_list *ap)
{
    if (longs)
        return va_arg(*ap, uint64_t);
    return s->is_signed ? (uint64_t)(int64_t)va_arg(*ap, int) : va_arg(*ap, unsigned);
}

/* One conversion; f is behind the '%'. */
static const char *convert(struct out *o, const char *f, va_list *ap)
{
    struct spec s;
    unsigned longs = 0;

    for (f = parse_spec(f, &s, ap); *f == 'l' || *f == 'z'; f++)
        longs++;
    switch (*f) {
    case 'd':
    case 'i':
        s.is_signed = true;
        /* fall through */
    case 'u':
        put_number(o, &s, fetch(&s, longs, ap));
        break;
    case 'X':
        s.digits = "0123456789ABCDEF";
        put_hex(o, &s, "0X", fetch(&s, longs, ap));
        break;
    case 'x':
        put_hex(o, &s, "0x", fetch(&s, longs, ap));
        break;
    case 'p':
        s.alternate = true;
        put_hex(o, &s, "0x", fetch(&s, 1, ap));
        break;
    case 's': {
        const char *text = va_arg(*ap, const char *);

        put_text(o, &s, text ? text : "(null)");
        break;
    }
    case 'c': {
        char text[2] = {(char)va_arg(*ap, int), 0};

        put_text(o, &s, text);
        break;
    }
    case 0:
        return f - 1;
    default: /* "%%", and what print.h does not list */
        put(o, *f);
    }
    return f;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct out o = {buf, size, 0};
    va_list args;

    va_copy(args, ap);
    for (const char *f = fmt; *f; f++) {
        if (*f == '%')
            f = convert(&o, f + 1, &args);
        else
            put(&o, *f);
    }
    va_end(args);
    if (size)
        buf[MIN(o.len, size - 1)] = 0;
    return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return len;
}
