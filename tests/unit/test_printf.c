/* SPDX-License-Identifier: MIT */
/* The hypervisor's own formatting against the C library's. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Under names of its own, as the program needs the library's too. */
#define vsnprintf hv_vsnprintf
#define snprintf  hv_snprintf
#include "../../hv/lib/printf.c"
#undef vsnprintf
#undef snprintf

#include "boot_fixture.h"

#define same(...)                                                                                  \
    do {                                                                                           \
        char a[256], b[256];                                                                       \
        int n = snprintf(a, sizeof(a), __VA_ARGS__);                                               \
        ck_assert_int_eq(hv_snprintf(b, sizeof(b), __VA_ARGS__), n);                               \
        ck_assert_str_eq(a, b);                                                                    \
    } while (0)

START_TEST(numbers)
{
    static const long values[] = {0,       1,       -1,       9,        10,
                                  INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, 0xdeadbeef};

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        long v = values[i];

        same("%d %i %u %x %X", (int)v, (int)v, (unsigned)v, (unsigned)v, (unsigned)v);
        same("%ld %lu %lx %zu %llx", v, (unsigned long)v, (unsigned long)v, (size_t)v,
             (unsigned long long)v);
        same("[%5d] [%-5d] [%05d] [%20ld] [%-20ld] [%020ld]", (int)v, (int)v, (int)v, v, v, v);
        same("%#x %#lx %#X [%#20lx] [%#020lx] [%-#20lx]", (unsigned)v, (unsigned long)v,
             (unsigned)v, (unsigned long)v, (unsigned long)v, (unsigned long)v);
        same("[%8x] [%08x] [%-8x] [%016lx] [%*lx]", (unsigned)v, (unsigned)v, (unsigned)v,
             (unsigned long)v, 24, (unsigned long)v);
    }
}
END_TEST

START_TEST(texts)
{
    same("%s|%8s|%-8s|%.2s|%8.2s|%.*s", "abc", "abc", "abc", "abc", "abc", 1, "abc");
    same("%c%c 100%% %s", 'a', 'b', "");
    same("%p", (void *)0x1234);
}
END_TEST

START_TEST(precision_bounds_reading)
{
    const char raw[3] = {'a', 'b', 'c'}; /* no zero */

    same("%.*s|%.3s", 2, raw, raw);
}
END_TEST

START_TEST(output_is_cut_and_ended)
{
    char buf[4] = "xxx";

    ck_assert_int_eq(hv_snprintf(buf, sizeof(buf), "%s", "abcdef"), 6);
    ck_assert_str_eq(buf, "abc");
    ck_assert_int_eq(hv_snprintf(buf, 1, "%d", 12345), 5);
    ck_assert_str_eq(buf, "");
    ck_assert_int_eq(hv_snprintf(NULL, 0, "%d", 12345), 5);
}
END_TEST

START_TEST(broken_formats_do_no_harm)
{
    char buf[16];
    const char *volatile format = "a%"; /* or the compiler would refuse it */

    ck_assert_int_eq(hv_snprintf(buf, sizeof(buf), format), 1);
    ck_assert_str_eq(buf, "a");
    format = "%s";
    hv_snprintf(buf, sizeof(buf), format, NULL);
    ck_assert_str_eq(buf, "(null)");
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("printf");

    tcase_add_test(c, numbers);
    tcase_add_test(c, texts);
    tcase_add_test(c, precision_bounds_reading);
    tcase_add_test(c, output_is_cut_and_ended);
    tcase_add_test(c, broken_formats_do_no_harm);
    return run_tests("printf", c);
}
