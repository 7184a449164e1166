/* SPDX-License-Identifier: MIT */
/* Kernel images of any bytes at all: parsing stays within the file, and whatever it accepts is
 * consistent. */
#include "image_fixture.h"

static bool visit(void *opaque, uint64_t va, const void *src, uint64_t len)
{
    unsigned *sum = opaque;

    ck_assert(va >= img.virt_start && va + len <= img.virt_end && va + len >= va);
    for (uint64_t i = 0; src && i < len; i++)
        *sum += ((const uint8_t *)src)[i]; /* the address sanitizer judges */
    return true;
}

/* Whatever is accepted is consistent. */
static void check_consistent(void)
{
    unsigned inside = 0, sum = 0;

    for (unsigned i = 0; i < img.segment_count; i++) {
        const struct image_segment *s = &img.segment[i];
        uint64_t end = s->virt + s->memsz;

        ck_assert(s->memsz && s->filesz <= s->memsz && end > s->virt);
        ck_assert(end <= 1ull << 47 || s->virt >= 0xffff880000000000);
        inside += img.entry >= s->virt && img.entry < end;
        for (unsigned j = 0; j < i; j++)
            ck_assert(end <= img.segment[j].virt ||
                      s->virt >= img.segment[j].virt + img.segment[j].memsz);
    }
    ck_assert_uint_eq(inside, 1);
    ck_assert(img.init_p2m == IMAGE_ABSENT || img.init_p2m % 4096 == 0);
    ck_assert(image_load(&img, visit, &sum));
}

START_TEST(every_truncation_is_survived)
{
    assemble();
    for (size_t len = 0; len < DATA_AT + DATA_SIZE; len++)
        ck_assert_msg(!parse_bytes(f.bytes, len), "accepted when cut to %zu bytes", len);
}
END_TEST

static void spoil_each_byte(void)
{
    static const uint8_t values[] = {0x00, 0x01, 0x07, 0x7f, 0x80, 0xff};
    unsigned good = 0;

    assemble();
    for (size_t i = 0; i < FILE_SIZE; i++)
        for (unsigned v = 0; v < sizeof(values); v++) {
            uint8_t old = f.bytes[i];

            f.bytes[i] = values[v];
            if (parse_bytes(f.bytes, FILE_SIZE)) {
                check_consistent();
                good++;
            }
            f.bytes[i] = old;
        }
    ck_assert_uint_gt(good, FILE_SIZE); /* most bytes are padding and contents */
}

START_TEST(every_spoilt_byte_is_survived)
{
    add_number(XEN_ELFNOTE_INIT_P2M, P2M);
    add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x104000);
    spoil_each_byte();
    setup(), add_sections(SHT_NOTE, ".note");
    spoil_each_byte();
}
END_TEST

START_TEST(random_headers_are_survived)
{
    unsigned seed = 1;

    for (unsigned round = 0; round < 20000; round++) {
        setup();
        add_number(XEN_ELFNOTE_INIT_P2M, P2M);
        assemble();
        for (unsigned n = 0; n < 1 + round % 5; n++) /* among headers and notes only */
            f.bytes[16 + rand_r(&seed) % (f.notes_end - 16)] ^= (uint8_t)(1 << rand_r(&seed) % 8);
        if (parse_bytes(f.bytes, FILE_SIZE))
            check_consistent();
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("image_any");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, every_truncation_is_survived);
    tcase_add_test(c, every_spoilt_byte_is_survived);
    tcase_add_test(c, random_headers_are_survived);
    return run_tests(suite_create("image_any"), c);
}
