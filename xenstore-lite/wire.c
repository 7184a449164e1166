/* SPDX-License-Identifier: MIT */
/* The pieces messages are made of. */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_NAME(e)                                                                              \
    {                                                                                              \
        e, #e                                                                                      \
    }

static const struct {
    int number;
    const char *name;
} errors[] = {
    ERROR_NAME(EINVAL),    ERROR_NAME(EACCES),  ERROR_NAME(EEXIST), ERROR_NAME(EISDIR),
    ERROR_NAME(ENOENT),    ERROR_NAME(ENOMEM),  ERROR_NAME(ENOSPC), ERROR_NAME(EIO),
    ERROR_NAME(ENOTEMPTY), ERROR_NAME(ENOSYS),  ERROR_NAME(EROFS),  ERROR_NAME(EBUSY),
    ERROR_NAME(EAGAIN),    ERROR_NAME(EISCONN), ERROR_NAME(E2BIG),  ERROR_NAME(EPERM),
};

const char *wire_error_name(int error)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].number == error)
            return errors[i].name;
    return "EINVAL";
}

unsigned wire_split(char *data, size_t len, char **argv, unsigned max, size_t *rest)
{
    char *end;
    unsigned n = 0;

    while (len && n < max && (end = memchr(data, 0, len))) {
        argv[n++] = data;
        len -= (size_t)(end + 1 - data);
        data = end + 1;
    }
    *rest = len;
    return n;
}

bool wire_is_one_string(const char *data, size_t len)
{
    return len && memchr(data, 0, len) == data + len - 1;
}

bool wire_number(const char *text, long long min, long long max, long long *value)
{
    char *end;

    errno = 0;
    *value = strtoll(text, &end, 10);
    return end != text && !*end && !errno && *value >= min && *value <= max;
}

bool wire_domid(const char *text, unsigned *domid)
{
    long long n;

    if (!wire_number(text, 0, DOMID_LIMIT - 1, &n))
        return false;
    *domid = (unsigned)n;
    return true;
}

size_t wire_put_number(char *to, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    memcpy(to, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}
