/* SPDX-License-Identifier: MIT */
/* The memory map: order and overlaps. */
#include <check.h>
#include <stdlib.h>

#include "../../hv/boot/boot.h"
#include "boot_fixture.h"

static void set(const struct e820_entry *map, unsigned count)
{
    boot_info.e820_count = 0;
    e820_set(map, count);
}

static void check_entry(unsigned i, uint64_t addr, uint64_t size, uint32_t type)
{
    ck_assert_uint_lt(i, boot_info.e820_count);
    ck_assert_uint_eq(boot_info.e820[i].addr, addr);
    ck_assert_uint_eq(boot_info.e820[i].size, size);
    ck_assert_uint_eq(boot_info.e820[i].type, type);
}

START_TEST(entries_are_sorted_and_joined)
{
    static const struct e820_entry map[] = {
        {0x100000, 0x100000, 1}, {0, 0x9f000, 1}, {0x200000, 0x1000, 1}, {0x9f000, 0x1000, 2}};

    set(map, ARRAY_SIZE(map));
    ck_assert_uint_eq(boot_info.e820_count, 3);
    check_entry(0, 0, 0x9f000, 1);
    check_entry(1, 0x9f000, 0x1000, 2);
    check_entry(2, 0x100000, 0x101000, 1);
}
END_TEST

START_TEST(what_is_reserved_wins)
{
    static const struct e820_entry map[] = {
        {0, 0x10000, 1}, {0x4000, 0x1000, 2}, {0xf000, 0x2000, 3}};

    set(map, ARRAY_SIZE(map));
    ck_assert_uint_eq(boot_info.e820_count, 4);
    check_entry(0, 0, 0x4000, 1);
    check_entry(1, 0x4000, 0x1000, 2);
    check_entry(2, 0x5000, 0xa000, 1);
    check_entry(3, 0xf000, 0x2000, 3);
}
END_TEST

/* Whatever comes in: sorted, apart, and at each place the highest type that any entry has there. */
START_TEST(any_map)
{
    for (unsigned round = 0; round < 2000; round++) {
        struct e820_entry map[12];
        unsigned count = (unsigned)rand() % ARRAY_SIZE(map), at = 0;

        for (unsigned i = 0; i < count; i++)
            map[i] = (struct e820_entry){(uint64_t)rand() % 32, 1 + (uint64_t)rand() % 16,
                                         1 + (uint32_t)rand() % 3};
        set(map, count);
        for (uint64_t addr = 0; addr < 64; addr++) {
            uint32_t want = 0, got = 0;

            for (unsigned i = 0; i < count; i++) {
                if (addr >= map[i].addr && addr < map[i].addr + map[i].size)
                    want = MAX(want, map[i].type);
            }
            while (at < boot_info.e820_count &&
                   boot_info.e820[at].addr + boot_info.e820[at].size <= addr)
                at++;
            if (at < boot_info.e820_count && boot_info.e820[at].addr <= addr)
                got = boot_info.e820[at].type;
            ck_assert_uint_eq(got, want);
        }
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("e820");

    tcase_add_test(c, entries_are_sorted_and_joined);
    tcase_add_test(c, what_is_reserved_wins);
    tcase_add_test(c, any_map);
    return run_tests("e820", c);
}
