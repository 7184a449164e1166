/* SPDX-License-Identifier: MIT */
/* The command line: what is understood, what is told, what is kept. */
#include "boot_fixture.h"

static struct options defaults;

static void parse(const char *line)
{
    options = defaults;
    said_count = 0;
    said[0] = 0;
    options_parse(line);
}

START_TEST(sizes)
{
    static const struct {
        const char *line;
        uint64_t bytes;
    } good[] = {
        {"dom0_mem=256M", 256ull << 20},
        {"dom0_mem=2g", 2ull << 30},
        {"dom0_mem=1T", 1ull << 40},
        {"dom0_mem=1024", 1 << 20},
        {"dom0_mem=64k", 64 << 10},
        {"dom0_mem=4096B", 4096},
        {"dom0_mem=0", 0},
    };
    static const char *const bad[] = {"dom0_mem",
                                      "dom0_mem=M",
                                      "dom0_mem=12X",
                                      "dom0_mem=1MM",
                                      "dom0_mem=-1M",
                                      "dom0_mem=0x1",
                                      "dom0_mem=99999999999999999999",
                                      "dom0_mem=18014398509481984",
                                      "dom0_mem=9007199254740992M"};

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        parse(good[i].line);
        ck_assert_uint_eq(options.dom0_mem, good[i].bytes);
        ck_assert_uint_eq(said_count, 0);
    }
    for (unsigned i = 1; i < ARRAY_SIZE(bad); i++) {
        parse(bad[i]);
        ck_assert_uint_eq(options.dom0_mem, ~0ull);
        ck_assert_uint_eq(said_count, 1);
    }
}
END_TEST

START_TEST(dom0_memory_has_a_maximum)
{
    parse("dom0_mem=1G,max:2G");
    ck_assert_uint_eq(options.dom0_mem, 1ull << 30);
    ck_assert_uint_eq(options.dom0_mem_max, 2ull << 30);
    parse("dom0_mem=min:1M,max:3M,2M");
    ck_assert_uint_eq(options.dom0_mem, 2ull << 20);
    ck_assert_uint_eq(options.dom0_mem_max, 3ull << 20);
    ck_assert_uint_eq(said_count, 0);
}
END_TEST

START_TEST(levels)
{
    parse("loglvl=all guest_loglvl=none/all");
    ck_assert_int_eq(options.loglvl, LOG_DEBUG);
    ck_assert_int_eq(options.guest_loglvl, -1);
    parse("loglvl=error guest_loglvl=info");
    ck_assert_int_eq(options.loglvl, LOG_ERR);
    ck_assert_int_eq(options.guest_loglvl, LOG_INFO);
    ck_assert_uint_eq(said_count, 0);
    parse("loglvl=loud");
    ck_assert_int_eq(options.loglvl, defaults.loglvl);
    ck_assert_uint_eq(said_count, 1);
}
END_TEST

START_TEST(the_rest)
{
    parse("  com1=9600,8n1  noreboot\taudit dom0_max_vcpus=4 ");
    ck_assert_uint_eq(options.com1_baud, 9600);
    ck_assert(options.noreboot);
    ck_assert(options.audit);
    ck_assert_uint_eq(options.dom0_max_vcpus, 4);
    ck_assert_uint_eq(said_count, 0);
}
END_TEST

START_TEST(options_of_xen_are_let_pass)
{
    parse("placeholder console=com1,vga spec-ctrl=no-xen ucode=scan vga=text-80x25");
    ck_assert_uint_eq(said_count, 0);
    ck_assert_int_eq(options.spec_ctrl, SPEC_CTRL_AUTO);
}
END_TEST

START_TEST(speculation)
{
    parse("spec-ctrl=no");
    ck_assert_int_eq(options.spec_ctrl, SPEC_CTRL_NO);
    parse("spec-ctrl=yes");
    ck_assert_int_eq(options.spec_ctrl, SPEC_CTRL_YES);
    ck_assert_uint_eq(said_count, 0);
}
END_TEST

START_TEST(unknown_ones_are_named)
{
    parse("dom0_mem=1M frobnicate=yes noreboot");
    ck_assert_uint_eq(said_count, 1);
    ck_assert_str_eq(said, "unknown option \"frobnicate=yes\" is ignored");
    ck_assert(options.noreboot);
    parse("noreboot=1");
    ck_assert_uint_eq(said_count, 1);
    parse("");
    ck_assert_uint_eq(said_count, 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("options");

    defaults = options;
    tcase_add_test(c, sizes);
    tcase_add_test(c, dom0_memory_has_a_maximum);
    tcase_add_test(c, levels);
    tcase_add_test(c, the_rest);
    tcase_add_test(c, options_of_xen_are_let_pass);
    tcase_add_test(c, speculation);
    tcase_add_test(c, unknown_ones_are_named);
    return run_tests("options", c);
}
