/* SPDX-License-Identifier: MIT */
/* MSR policy: the listed registers behave as listed, all others are denied. Links with
 * hv/x86/cpuid.c and msr_policy.c. */
#include <check.h>

#include "../../hv/x86/msr_policy.h"

static const struct msr_host intel = {
    .intel = true, .ucode_revision = 0x2b00000000, .platform_id = 1ull << 52};
static const struct msr_host amd = {.amd = true, .ucode_revision = 0x830107c};

static uint64_t must_read(const struct msr_host *h, unsigned vcpu, uint32_t index)
{
    uint64_t v = 0xa5;

    ck_assert_msg(msr_read(h, vcpu, index, &v) == MSR_DONE, "%x is not readable", index);
    return v;
}

START_TEST(msr_values)
{
    ck_assert_uint_eq(must_read(&amd, 0, 0x1b), 0xfee00900);
    ck_assert_uint_eq(must_read(&amd, 1, 0x1b), 0xfee00800);
    ck_assert_uint_eq(must_read(&amd, 0, 0x8b), 0x830107c);
    ck_assert_uint_eq(must_read(&amd, 0, 0x277), 0x050100070406);
    ck_assert_uint_eq(must_read(&amd, 0, 0x179), 0);
    ck_assert_uint_eq(must_read(&amd, 0, 0xc0000080), 0xd01);
    ck_assert_uint_eq(must_read(&amd, 0, 0xc0010015), 1u << 24);
    ck_assert_uint_eq(must_read(&amd, 0, 0xc0010055), 0);
    ck_assert_uint_eq(must_read(&amd, 0, 0xc0011029), 2);
    for (uint32_t i = 0; i < 8; i++)
        ck_assert_uint_eq(must_read(&amd, 0, 0xc0010000 + i), 0);
    ck_assert_uint_eq(must_read(&intel, 0, 0x17), 1ull << 52);
    ck_assert_uint_eq(must_read(&intel, 0, 0x1a0), 0x1801);
    ck_assert_uint_eq(must_read(&intel, 0, 0x8b), 0x2b00000000);
}
END_TEST

START_TEST(msr_writes)
{
    static const uint32_t ignored[] = {0x174,      0x175,      0x176,     0xc0000081,
                                       0xc0000082, 0xc0000083, 0xc0000084};

    for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++)
        ck_assert_int_eq(msr_write(&amd, 0, ignored[i], ~0ull), MSR_DONE);
    ck_assert_int_eq(msr_write(&amd, 0, 0xc0010015, 0), MSR_DONE);
    ck_assert_int_eq(msr_write(&intel, 0, 0xc0010015, 0), MSR_DENY);
    ck_assert_int_eq(msr_write(&amd, 0, 0xc0000080, 0xd01), MSR_DONE);
    ck_assert_int_eq(msr_write(&amd, 0, 0xc0000080, 0x1d01), MSR_DENY);
    ck_assert_int_eq(msr_write(&amd, 0, 0x277, GUEST_PAT), MSR_DONE);
    ck_assert_int_eq(msr_write(&amd, 0, 0x277, GUEST_PAT + 1), MSR_DENY);
    ck_assert_int_eq(msr_write(&amd, 1, 0x1b, 0xfee00800), MSR_DONE);
    ck_assert_int_eq(msr_write(&amd, 1, 0x1b, 0xfee00000), MSR_DENY);
    ck_assert_int_eq(msr_write(&intel, 0, 0x8b, 0), MSR_DONE);
    ck_assert_int_eq(msr_write(&intel, 0, 0x8b, 1), MSR_DENY);
    ck_assert_int_eq(msr_write(&amd, 0, 0xc0000103, 0xffffffff), MSR_DO_TSC_AUX);
    ck_assert_int_eq(msr_write(&amd, 0, 0xc0000103, 1ull << 32), MSR_DENY);
}
END_TEST

START_TEST(msr_bases)
{
    static const enum msr_action want[] = {MSR_DO_BASE, MSR_DO_BASE, MSR_DO_BASE};
    static const uint64_t good[] = {0, 1, 0x7fffffffffff, 0xffff800000000000, ~0ull};
    static const uint64_t bad[] = {0x800000000000, 0xffff7fffffffffff, 1ull << 63,
                                   0x0001000000000000};

    for (uint32_t i = 0; i < 3; i++) {
        uint64_t v;

        ck_assert_int_eq(msr_read(&amd, 0, 0xc0000100 + i, &v), want[i]);
        for (unsigned k = 0; k < ARRAY_SIZE(good); k++)
            ck_assert_int_eq(msr_write(&amd, 0, 0xc0000100 + i, good[k]), want[i]);
        for (unsigned k = 0; k < ARRAY_SIZE(bad); k++)
            ck_assert_int_eq(msr_write(&amd, 0, 0xc0000100 + i, bad[k]), MSR_DENY);
    }
}
END_TEST

static bool listed(uint32_t i)
{
    static const uint32_t list[] = {0x17,  0x1b,  0x8b,  0x174,      0x175,      0x176,
                                    0x179, 0x1a0, 0x277, 0xc0010015, 0xc0010055, 0xc0011029};

    for (unsigned k = 0; k < ARRAY_SIZE(list); k++) {
        if (list[k] == i)
            return true;
    }
    return (i >= 0xc0000080 && i <= 0xc0000084) || (i >= 0xc0000100 && i <= 0xc0000103) ||
           (i >= 0xc0010000 && i <= 0xc0010007);
}

START_TEST(msr_default_deny)
{
    static const uint32_t starts[] = {0, 0x40000000, 0xc0000000, 0xc0010000, 0xffffe000};

    for (unsigned s = 0; s < ARRAY_SIZE(starts); s++) {
        for (uint32_t n = 0; n < 0x2000; n++) {
            uint32_t i = starts[s] + n;
            uint64_t v = 7;
            bool denied = msr_read(&intel, 0, i, &v) == MSR_DENY;

            if (listed(i))
                continue;
            if (!denied || v || msr_write(&intel, 0, i, 0) != MSR_DENY ||
                msr_read(&amd, 0, i, &v) != MSR_DENY || msr_write(&amd, 0, i, 0) != MSR_DENY)
                ck_abort_msg("MSR %x is not denied", i);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("msr_policy");
    TCase *t = tcase_create("msr_policy");
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, msr_values);
    tcase_add_test(t, msr_writes);
    tcase_add_test(t, msr_bases);
    tcase_add_test(t, msr_default_deny);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
