/* SPDX-License-Identifier: MIT */
/* Firmware tables: good ones are understood, broken ones do no harm. Tables lie in a small physical
 * memory, of which the sanitizer forbids every byte that is no table's. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#include <hv/dev.h>
#include <hv/init.h>
#include <hv/print.h>

#include "../../hv/dev/acpi.h"

#define HIGH      0x1ffe0000u /* where tables lie */
#define HIGH_SIZE 0x20000u
#define RSDP_AT   0xf5a40u
#define EBDA_AT   0x9fc00u

static uint8_t low[0x100000], high[HIGH_SIZE], nowhere[1 << 20];
static uint32_t next; /* free byte of `high` */
static unsigned warnings;

volatile void *map_device(uint64_t maddr, uint64_t size)
{
    if (maddr + size <= sizeof(low))
        return low + maddr;
    if (maddr >= HIGH && maddr + size <= HIGH + HIGH_SIZE)
        return high + (maddr - HIGH);
    ck_assert_uint_le(size, sizeof(nowhere));
    return nowhere;
}

void printk(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    warnings += level == LOG_WARN;
}

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    memcpy(p, &v, bytes);
}

static void fix_sum(uint8_t *p, size_t size, unsigned at)
{
    uint8_t sum = 0;

    p[at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + p[i]);
    p[at] = (uint8_t)-sum;
}

/* A table of that length, behind the others. Its bytes may be changed until seal(). */
static uint8_t *table(const char *signature, uint32_t length)
{
    uint8_t *t = high + next;

    ASAN_UNPOISON_MEMORY_REGION(t, length);
    memset(t, 0, length);
    memcpy(t, signature, 4);
    put(t + 4, length, 4);
    next += (length + 15) / 8 * 8;
    return t;
}

static uint32_t seal(uint8_t *t)
{
    uint32_t length;

    memcpy(&length, t + 4, 4);
    fix_sum(t, length, 9);
    return HIGH + (uint32_t)(t - high);
}

static uint8_t *rsdp(uint32_t at, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    uint8_t *r = low + at;

    memcpy(r, "RSD PTR ", 8);
    r[15] = revision;
    put(r + 16, rsdt, 4);
    put(r + 20, 36, 4);
    put(r + 24, xsdt, 8);
    fix_sum(r, 20, 8);
    fix_sum(r, 36, 32);
    return r;
}

static const uint8_t madt_entries[] = {
    0, 8,  7,    3,   1,    0,    0,    0,                   /* CPU: ACPI 7, APIC 3 */
    0, 8,  8,    4,   0,    0,    0,    0,                   /* not there */
    1, 12, 2,    0,   0,    0,    0xc0, 0xfe, 24,   0, 0, 0, /* I/O APIC 2 from line 24 on */
    2, 10, 0,    0,   2,    0,    0,    0,    0,    0,       /* timer on line 2 */
    2, 10, 0,    9,   20,   0,    0,    0,    0x0f, 0,       /* 9 on line 20, level, low */
    2, 10, 0,    200, 1,    0,    0,    0,    0x0f, 0,       /* no ISA interrupt */
    3, 8,  0,    0,   1,    0,    0,    0,                   /* of no interest */
    4, 6,  0xff, 0,   0,    1,                               /* NMI at LINT1 */
    9, 16, 0,    0,   0x34, 0x12, 0,    0,    1,    0, 0, 0, 0x78, 0, 0, 0, /* CPU: x2APIC 0x1234 */
    5, 12, 0,    0,   0,    0,    0xe0, 0xfe, 1,    0, 0, 0, /* local APIC at 0x1fee00000 */
};

static uint32_t make_madt(void)
{
    uint8_t *t = table("APIC", 44 + sizeof(madt_entries));

    put(t + 36, 0xfee00000, 4);
    memcpy(t + 44, madt_entries, sizeof(madt_entries));
    return seal(t);
}

static uint32_t make_fadt(uint32_t length, uint32_t dsdt)
{
    uint8_t *t = table("FACP", 268);

    put(t + 4, length, 4);
    put(t + 40, dsdt, 4);
    put(t + 46, 9, 2);
    put(t + 64, 0x604, 4);
    put(t + 76, 0x608, 4);
    put(t + 112, 1u << 8 | 1u << 10, 4);
    t[116] = ACPI_SPACE_IO;
    put(t + 120, 0xcf9, 8);
    t[128] = 6;
    if (length < 264)
        ASAN_POISON_MEMORY_REGION(t + (length + 7) / 8 * 8, 268 - (length + 7) / 8 * 8);
    return seal(t);
}

static uint32_t make_hpet(void)
{
    uint8_t *t = table("HPET", 56);

    put(t + 44, 0xfed00000, 8);
    return seal(t);
}

static uint32_t make_mcfg(void)
{
    uint8_t *t = table("MCFG", 44 + 16 * 2 + 8);

    put(t + 44, 0xb0000000, 8);
    t[55] = 0xff;
    put(t + 60, 0x4000000000, 8);
    put(t + 68, 1, 2);
    t[70] = 0x10;
    t[71] = 0x1f;
    return seal(t);
}

/* name _S5, package of 4: 5, 3, 0, 0 */
static const uint8_t s5[] = {0x08, '_', 'S', '5', '_', 0x12, 0x08, 4, 0x0a, 5, 0x0a, 3, 0, 0};

static uint32_t make_dsdt(uint32_t length, uint32_t at)
{
    uint8_t *t = table("DSDT", length);

    memcpy(t + at, s5, sizeof(s5));
    return seal(t);
}

static uint32_t make_root(const char *signature, unsigned size, const uint32_t *tables, unsigned n)
{
    uint8_t *t = table(signature, 36 + size * n);

    for (unsigned i = 0; i < n; i++)
        put(t + 36 + size * i, tables[i], size);
    return seal(t);
}

static void setup(void)
{
    memset(low, 0, sizeof(low));
    ASAN_POISON_MEMORY_REGION(high, sizeof(high));
    next = 0x40;
    warnings = 0;
}

static void make_all(uint32_t root[2])
{
    uint32_t t[5];

    t[0] = make_fadt(268, make_dsdt(8000, 5000));
    t[1] = make_madt();
    t[2] = make_hpet();
    t[3] = make_mcfg();
    t[4] = seal(table("ABCD", 40));
    root[0] = make_root("RSDT", 4, t, 5);
    root[1] = make_root("XSDT", 8, t, 5);
}

static void check_all(void)
{
    ck_assert_uint_eq(acpi.cpus, 2);
    ck_assert(acpi.cpu[0].apic_id == 3 && acpi.cpu[0].acpi_id == 7);
    ck_assert(acpi.cpu[1].apic_id == 0x1234 && acpi.cpu[1].acpi_id == 0x78);
    ck_assert_uint_eq(firmware_acpi_id(0x1234), 0x78);
    ck_assert_uint_eq(firmware_acpi_id(4), ~0u);
    ck_assert_uint_eq(acpi.ioapics, 1);
    ck_assert(acpi.ioapic[0].maddr == 0xfec00000 && acpi.ioapic[0].gsi_base == 24);
    ck_assert(acpi.isa[0].gsi == 2 && !acpi.isa[0].level && !acpi.isa[0].low);
    ck_assert(acpi.isa[1].gsi == 1 && !acpi.isa[1].level);
    ck_assert(acpi.isa[9].gsi == 20 && acpi.isa[9].level && acpi.isa[9].low);
    ck_assert_uint_eq(acpi.nmi_pins, 2);
    ck_assert_uint_eq(acpi.lapic_maddr, 0x1fee00000);
    ck_assert(acpi.pm1a_control == 0x604 && !acpi.pm1b_control && acpi.pm_timer == 0x608);
    ck_assert(acpi.pm_timer_32bit && acpi.sci == 9);
    ck_assert(acpi.reset.space == ACPI_SPACE_IO && acpi.reset.maddr == 0xcf9 &&
              acpi.reset_value == 6);
    ck_assert_uint_eq(acpi.hpet, 0xfed00000);
    ck_assert_uint_eq(acpi.mcfgs, 2);
    ck_assert(acpi.mcfg[1].base == 0x4000000000 && acpi.mcfg[1].segment == 1 &&
              acpi.mcfg[1].last_bus == 0x1f);
}

START_TEST(all_tables)
{
    uint8_t type[2];
    uint32_t root[2];

    make_all(root);
    rsdp(RSDP_AT, 0, root[0], 0);
    acpi_init();
    check_all();
    ck_assert(acpi_find_s5(type));
    ck_assert(type[0] == 5 && type[1] == 3);
    rsdp(RSDP_AT, 2, 0, root[1]);
    acpi_init();
    check_all();
    ck_assert_uint_eq(warnings, 0);
}
END_TEST

START_TEST(root_pointer)
{
    uint32_t root[2];

    make_all(root);
    acpi_init(); /* there is none */
    ck_assert_uint_eq(acpi.cpus, 0);
    ck_assert_uint_eq(acpi.lapic_maddr, 0xfee00000);
    rsdp(RSDP_AT, 0, root[0], 0)[8]++; /* wrong checksum */
    acpi_init();
    ck_assert_uint_eq(acpi.cpus, 0);
    put(low + 0x40e, EBDA_AT >> 4, 2);
    rsdp(EBDA_AT + 0x3d0, 0, root[0], 0);
    acpi_init();
    check_all();
    rsdp(RSDP_AT, 2, root[0], root[1])[32]++; /* the second checksum is wrong: back to the RSDT */
    acpi_init();
    check_all();
}
END_TEST

START_TEST(wrong_checksums)
{
    uint32_t root[2];

    make_all(root);
    high[root[0] - HIGH + 36]++;
    rsdp(RSDP_AT, 0, root[0], 0);
    acpi_init();
    ck_assert_uint_eq(acpi.cpus, 0);
    ck_assert_uint_gt(warnings, 0);
}
END_TEST

/* Whatever a table's length says, nothing behind it is read, and what lies before it counts. */
START_TEST(short_tables)
{
    for (uint32_t length = 36; length < 268; length++) {
        uint32_t t, dsdt, fadt_root, madt_root;
        uint8_t *madt;

        setup();
        dsdt = make_dsdt(64, 40);
        t = make_fadt(length, dsdt);
        fadt_root = make_root("RSDT", 4, &t, 1);
        rsdp(RSDP_AT, 0, fadt_root, 0);
        acpi_init();
        ck_assert_uint_eq(acpi.pm_timer, length < 116 ? 0 : 0x608);
        ck_assert_uint_eq(acpi.reset.maddr, length < 140 ? 0 : 0xcf9);
        if (length >= 44 + sizeof(madt_entries))
            continue;
        madt = table("APIC", length);
        memcpy(madt + 36, madt_entries, length >= 44 ? 0 : length - 36);
        if (length > 44)
            memcpy(madt + 44, madt_entries, length - 44);
        t = seal(madt);
        madt_root = make_root("RSDT", 4, &t, 1);
        rsdp(RSDP_AT, 0, madt_root, 0);
        acpi_init();
        ck_assert_uint_eq(acpi.cpus, (length >= 52) + (length >= 44 + 88));
    }
}
END_TEST

START_TEST(entries_of_no_length)
{
    uint8_t *t = table("APIC", 64);
    uint32_t maddr = seal(t);

    rsdp(RSDP_AT, 0, make_root("RSDT", 4, &maddr, 1), 0);
    acpi_init(); /* comes back */
    ck_assert_uint_eq(acpi.cpus, 0);
}
END_TEST

START_TEST(more_than_there_is_room_for)
{
    uint8_t *t = table("APIC", 44 + 12 * 600);
    uint32_t maddr;

    for (unsigned i = 0; i < 600; i++) {
        uint8_t *e = t + 44 + 12 * i;

        e[0] = i % 2;
        e[1] = 12;
        e[4] = 1;
    }
    maddr = seal(t);
    rsdp(RSDP_AT, 0, make_root("RSDT", 4, &maddr, 1), 0);
    acpi_init();
    ck_assert_uint_eq(acpi.cpus, ACPI_MAX_CPUS);
    ck_assert_uint_eq(acpi.ioapics, ACPI_MAX_IOAPICS);
}
END_TEST

/* Any damage at all, with good checksums: no reads outside of the firmware's memory, no end without
 * coming back. */
START_TEST(damaged)
{
    static const char *const names[] = {"FACP", "APIC", "HPET", "MCFG", "RSDT"};
    uint8_t type[2];

    srand(2);
    for (unsigned i = 0; i < 10000; i++) {
        uint32_t root[2];

        setup();
        ASAN_UNPOISON_MEMORY_REGION(high, sizeof(high));
        make_all(root);
        ASAN_UNPOISON_MEMORY_REGION(high, sizeof(high));
        for (unsigned n = 1 + (unsigned)rand() % 8; n; n--)
            high[0x2000 + (unsigned)rand() % (next - 0x2000 + 64)] = (uint8_t)rand();
        for (uint32_t at = 0; at < next; at += 8) {
            uint32_t length;

            memcpy(&length, high + at + 4, 4);
            for (unsigned k = 0; k < sizeof(names) / sizeof(*names); k++) {
                if (!memcmp(high + at, names[k], 4) && length > 36 && length < 0x8000)
                    seal(high + at);
            }
        }
        rsdp(RSDP_AT, 0, root[0], 0);
        acpi_init();
        acpi_find_s5(type);
    }
}
END_TEST

START_TEST(power_off_package)
{
    static const uint8_t forms[][16] = {
        {0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 7, 0x0a, 6, 0, 0},
        {0x08, '\\', '_', 'S', '5', '_', 0x12, 0x06, 4, 0x0a, 7, 0x0a, 6, 0, 0},
        {0x08, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0x0a, 7, 0x0a, 6, 0, 0},
    };
    uint8_t type[2], zeros[] = {0x08, '_', 'S', '5', '_', 0x12, 5, 2, 0, 1},
                     one[] = {8, '_', 'S', '5', '_', 0x12, 3, 1, 1};

    for (unsigned i = 0; i < 3; i++) {
        type[0] = type[1] = 0;
        ck_assert(aml_find_s5(forms[i], sizeof(forms[i]), type));
        ck_assert(type[0] == 7 && type[1] == 6);
    }
    ck_assert(aml_find_s5(zeros, sizeof(zeros), type) && type[0] == 0 && type[1] == 1);
    ck_assert(aml_find_s5(one, sizeof(one), type) && type[0] == 1 && type[1] == 1);
    zeros[0] = 0x10; /* not a name's definition */
    ck_assert(!aml_find_s5(zeros, sizeof(zeros), type));
    for (size_t n = 0; n < sizeof(one); n++) {
        uint8_t *cut = malloc(n + 1);

        memcpy(cut, one, n);
        ck_assert(!aml_find_s5(cut, n, type));
        free(cut);
    }
}
END_TEST

/* The package may lie anywhere, also where one mapped window ends. */
START_TEST(large_dsdt)
{
    for (uint32_t at = 0xefc0; at < 0xf020; at++) {
        uint8_t type[2] = {0, 0};
        uint32_t t;

        setup();
        t = make_fadt(132, make_dsdt(0x1a000, at));
        ck_assert_uint_lt(next, HIGH_SIZE);
        acpi.dsdt = 0;
        rsdp(RSDP_AT, 0, make_root("RSDT", 4, &t, 1), 0);
        acpi_init();
        ck_assert(acpi_find_s5(type));
        ck_assert_uint_eq(type[0], 5);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("acpi");
    TCase *t = tcase_create("acpi");
    SRunner *run = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, all_tables);
    tcase_add_test(t, root_pointer);
    tcase_add_test(t, wrong_checksums);
    tcase_add_test(t, short_tables);
    tcase_add_test(t, entries_of_no_length);
    tcase_add_test(t, more_than_there_is_room_for);
    tcase_add_test(t, damaged);
    tcase_add_test(t, power_off_package);
    tcase_add_test(t, large_dsdt);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
