/* SPDX-License-Identifier: MIT */
/* The one thing the hypervisor wants from AML, which only dom0 interprets: the package that tells
 * how to power off. */
#include <string.h>

#include "acpi.h"

enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_ROOT = '\\',
    AML_PACKAGE = 0x12
};

/* Reads a small integer; NULL: it is something else, or the end. */
static const uint8_t *take_integer(const uint8_t *p, const uint8_t *end, uint8_t *value)
{
    if (p < end && (*p == AML_ZERO || *p == AML_ONE)) {
        *value = *p;
        return p + 1;
    }
    if (end - p < 2 || *p != AML_BYTE)
        return NULL;
    *value = p[1];
    return p + 2;
}

/* Name (_S5, Package () {a, b, ...}): name, package operator, its length in 1 to 4 bytes, number of
 * elements, elements. */
static bool take_s5(const uint8_t *p, const uint8_t *end, uint8_t type[2])
{
    if (end - p < 3 || *p++ != AML_PACKAGE)
        return false;
    p += 1 + (*p >> 6);
    if (p >= end || *p++ < 1)
        return false;
    p = take_integer(p, end, &type[0]);
    if (!p)
        return false;
    if (!take_integer(p, end, &type[1]))
        type[1] = type[0];
    return true;
}

bool aml_find_s5(const uint8_t *aml, size_t size, uint8_t type[2])
{
    const uint8_t *end = aml + size;

    for (size_t i = 1; i + 4 < size; i++) {
        bool named =
            aml[i - 1] == AML_NAME || (i > 1 && aml[i - 1] == AML_ROOT && aml[i - 2] == AML_NAME);

        if (named && !memcmp(aml + i, "_S5_", 4) && take_s5(aml + i + 4, end, type))
            return true;
    }
    return false;
}
