/* SPDX-License-Identifier: MIT */
/* The bzImage envelope and the four compressions, each against its own encoder with the settings
 * that kernels are built with; and a real kernel, if PARAVANE_VMLINUZ names one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "../../hv/dom/image.h"

#define PAYLOAD_AT 0x600 /* two set-up sectors and the boot sector */
#define SMALL      (200u << 10)
#define LARGE      (9u << 20) /* more than one lz4 block */

static char err[IMAGE_ERR_SIZE];

static void *exact_copy(const void *data, size_t len)
{
    void *p = malloc(len ? len : 1);

    memcpy(p, data, len);
    return p;
}

/* Something like code: repetitive, with calls for the x86 filter to work on. */
static uint8_t *make_plain(size_t len)
{
    uint8_t *p = malloc(len);
    unsigned seed = 7;

    for (size_t i = 0; i < len; i++)
        p[i] = i % 16 == 0   ? 0xe8
               : i % 16 < 5  ? (uint8_t)(i >> (8 * (i % 16 - 1)))
               : i % 64 < 40 ? (uint8_t)(i / 4096)
                             : (uint8_t)rand_r(&seed);
    return p;
}

static size_t pack_xz(const uint8_t *in, size_t len, uint8_t *out, size_t room, uint32_t dict,
                      lzma_check check)
{
    lzma_options_lzma options;
    lzma_filter filters[] = {
        {LZMA_FILTER_X86, NULL}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t used = 0;

    ck_assert(!lzma_lzma_preset(&options, 1));
    options.dict_size = dict;
    ck_assert_int_eq(lzma_stream_buffer_encode(filters, check, NULL, in, len, out, &used, room), 0);
    return used;
}

static size_t pack_gzip(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    z_stream s = {
        .next_in = (Bytef *)in, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)room};

    ck_assert_int_eq(deflateInit2(&s, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
    deflateEnd(&s);
    return room - s.avail_out;
}

/* From a stream of unknown length, as a pipe gives it: the frame then does not tell its size. */
static size_t pack_zstd(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_outBuffer o = {out, room, 0};
    ZSTD_inBuffer i = {in, len, 0};

    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    ck_assert(!ZSTD_isError(ZSTD_compressStream2(c, &o, &i, ZSTD_e_continue)));
    ck_assert_uint_eq(ZSTD_compressStream2(c, &o, &i, ZSTD_e_end), 0);
    ZSTD_freeCCtx(c);
    ck_assert(ZSTD_getFrameContentSize(out, o.pos) == ZSTD_CONTENTSIZE_UNKNOWN);
    return o.pos;
}

static size_t pack_lz4(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    size_t used = 4;

    memcpy(out, "\x02\x21\x4c\x18", 4);
    for (size_t at = 0; at < len; at += 8u << 20) {
        int block = len - at < 8u << 20 ? (int)(len - at) : 8 << 20;
        int got = LZ4_compress_default((const char *)in + at, (char *)out + used + 4, block,
                                       (int)(room - used - 4));

        ck_assert_int_gt(got, 0);
        memcpy(out + used, &got, 4);
        used += 4 + (size_t)got;
    }
    return used;
}

static size_t pack(enum pack_kind kind, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    switch (kind) {
    case PACK_XZ:
        return pack_xz(in, len, out, room, 1 << 20, LZMA_CHECK_CRC32);
    case PACK_GZIP:
        return pack_gzip(in, len, out, room);
    case PACK_ZSTD:
        return pack_zstd(in, len, out, room);
    case PACK_LZ4:
        return pack_lz4(in, len, out, room);
    default:
        memcpy(out, in, len);
        return len;
    }
}

static void put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* A bzImage around a payload already at its place; the file's size is returned. */
static size_t envelop(uint8_t *file, size_t payload)
{
    file[0x1f1] = 1;
    put_le(file + 0x1fe, 0xaa55, 2);
    memcpy(file + 0x202, "HdrS", 4);
    put_le(file + 0x206, 0x20f, 2);
    put_le(file + 0x248, PAYLOAD_AT - 1024, 4);
    put_le(file + 0x24c, payload, 4);
    return PAYLOAD_AT + payload;
}

/* As the kernel's build does: the size appended to all formats but gzip's, which ends in it. */
static uint8_t *make_bzimage(enum pack_kind kind, const uint8_t *plain, size_t len, size_t *size)
{
    size_t room = PAYLOAD_AT + len + len / 16 + 4096;
    uint8_t *file = calloc(1, room), *exact;
    size_t used = pack(kind, plain, len, file + PAYLOAD_AT, room - PAYLOAD_AT - 4);

    if (kind != PACK_GZIP) {
        put_le(file + PAYLOAD_AT + used, len, 4);
        used += 4;
    }
    *size = envelop(file, used);
    exact = exact_copy(file, *size);
    free(file);
    return exact;
}

/* Into a block of exactly the promised size; NULL and a sentence if it does not unpack. */
static uint8_t *run_unpack(const struct packed *p)
{
    size_t work_size = unpack_work_size(p);
    void *work = malloc(work_size ? work_size : 1);
    uint8_t *dst = malloc(p->unpacked_size ? p->unpacked_size : 1);
    bool ok;

    memset(err, 0x55, sizeof(err));
    ok = unpack(p, dst, p->unpacked_size, work, work_size, err);
    if (!ok) {
        ck_assert_ptr_nonnull(memchr(err, 0, sizeof(err)));
        free(dst);
    }
    free(work);
    return ok ? dst : NULL;
}

/* --- All kinds (the loop index is the kind) --- */

START_TEST(what_was_packed_comes_out)
{
    for (size_t len = SMALL; len <= LARGE; len += LARGE - SMALL) {
        uint8_t *plain = make_plain(len), *file, *got;
        struct packed p;
        size_t size;

        file = make_bzimage((enum pack_kind)_i, plain, len, &size);
        ck_assert_msg(image_probe(file, size, &p, err), "%s", err);
        ck_assert_int_eq(p.kind, _i);
        ck_assert_uint_eq(p.unpacked_size, len);
        got = run_unpack(&p);
        ck_assert_msg(got != NULL, "%s", err);
        ck_assert(!memcmp(got, plain, len));
        free(got);
        free(file);
        free(plain);
    }
}
END_TEST

START_TEST(a_size_word_that_lies_is_found_out)
{
    uint8_t *plain = make_plain(SMALL), *file, *got;
    struct packed p;
    size_t size;

    file = make_bzimage((enum pack_kind)_i, plain, SMALL, &size);
    ck_assert(image_probe(file, size, &p, err));
    for (int d = -1; d <= 1; d++) {
        p.unpacked_size = SMALL + (size_t)d;
        got = run_unpack(&p);
        ck_assert_msg((got != NULL) == (d == 0), "off by %d: %s", d, err);
        ck_assert(d == 0 || strstr(err, "size word") ||
                  (_i == PACK_GZIP && strstr(err, "damaged")));
        free(got);
    }
    free(file);
    free(plain);
}
END_TEST

START_TEST(a_payload_cut_short_is_turned_away)
{
    uint8_t *plain = make_plain(SMALL), *file;
    struct packed p, cut;
    size_t size;

    file = make_bzimage((enum pack_kind)_i, plain, SMALL, &size);
    ck_assert(image_probe(file, size, &p, err));
    for (size_t len = 0; len < p.len; len += len < 100 || p.len - len < 50 ? 1 : 997) {
        uint8_t *data = exact_copy(p.data, len);

        cut = p;
        cut.data = data;
        cut.len = len;
        ck_assert_msg(!run_unpack(&cut), "accepted %zu of %zu bytes", len, p.len);
        free(data);
    }
    free(file);
    free(plain);
}
END_TEST

START_TEST(damage_is_survived)
{
    uint8_t *plain = make_plain(SMALL), *file, *data, *got;
    unsigned seed = 3, changed = 0;
    struct packed p, bad;
    size_t size;

    file = make_bzimage((enum pack_kind)_i, plain, SMALL, &size);
    ck_assert(image_probe(file, size, &p, err));
    data = exact_copy(p.data, p.len);
    bad = p;
    bad.data = data;
    for (unsigned n = 0; n < 400; n++) {
        size_t at = n < 40 ? n : (size_t)rand_r(&seed) % p.len;
        uint8_t bit = (uint8_t)(1 << rand_r(&seed) % 8);

        data[at] ^= bit;
        got = run_unpack(&bad);
        changed += got && memcmp(got, plain, SMALL);
        free(got);
        data[at] ^= bit;
    }
    /* All formats but this one carry checksums. */
    ck_assert(_i == PACK_LZ4 || changed == 0);
    free(data);
    free(file);
    free(plain);
}
END_TEST

START_TEST(too_little_room_is_refused)
{
    uint8_t *plain = make_plain(SMALL), *file, *dst = malloc(SMALL);
    struct packed p;
    size_t size, work_size;
    void *work;

    file = make_bzimage((enum pack_kind)_i, plain, SMALL, &size);
    ck_assert(image_probe(file, size, &p, err));
    work_size = unpack_work_size(&p);
    work = malloc(work_size ? work_size : 1);
    ck_assert(!unpack(&p, dst, SMALL - 1, work, work_size, err));
    ck_assert_str_eq(err, "the payload unpacks to 204800 bytes, but the buffer has 204799");
    if (work_size) {
        for (size_t small = 0; small < 4096; small += 16)
            ck_assert(!unpack(&p, dst, SMALL, work, small, err));
    }
    ck_assert_msg(unpack(&p, dst, SMALL, work, work_size, err), "%s", err);
    ck_assert(!memcmp(dst, plain, SMALL));
    free(work);
    free(dst);
    free(file);
    free(plain);
}
END_TEST

/* --- Single kinds --- */

START_TEST(xz_work_memory_follows_the_dictionary)
{
    uint8_t *plain = make_plain(4096), *out = malloc(16384);
    struct packed p = {.kind = PACK_XZ, .data = out, .unpacked_size = 4096};
    size_t small;

    p.len = pack_xz(plain, 4096, out, 16384, 1 << 20, LZMA_CHECK_CRC32);
    small = unpack_work_size(&p);
    ck_assert_uint_gt(small, 1 << 20);
    ck_assert_uint_lt(small, (1 << 20) + (256 << 10));
    p.len = pack_xz(plain, 4096, out, 16384, 8 << 20, LZMA_CHECK_CRC32);
    ck_assert_uint_eq(unpack_work_size(&p) - small, 7 << 20);
    p.len = 11;
    ck_assert_uint_eq(unpack_work_size(&p), 0);
    free(out);
    free(plain);
}
END_TEST

START_TEST(xz_with_another_check_is_refused)
{
    uint8_t *plain = make_plain(4096), *out = malloc(16384);
    struct packed p = {.kind = PACK_XZ, .data = out, .unpacked_size = 4096};

    p.len = pack_xz(plain, 4096, out, 16384, 1 << 20, LZMA_CHECK_CRC64);
    ck_assert(!run_unpack(&p));
    ck_assert_str_eq(err,
                     "the xz payload names integrity check 4 at offset 7, where kernels are packed "
                     "with CRC32 (1) or none (0)");
    free(out);
    free(plain);
}
END_TEST

START_TEST(lz4_blocks_stay_within_the_payload)
{
    uint8_t data[64] = {0x02, 0x21, 0x4c, 0x18, 0xff, 0xff, 0xff, 0xff};
    struct packed p = {.kind = PACK_LZ4, .data = data, .len = sizeof(data), .unpacked_size = 100};

    ck_assert(!run_unpack(&p));
    ck_assert_str_eq(err,
                     "the lz4 block at offset 8 claims 4294967295 bytes, where 1 to 56 are left");
    memset(data + 4, 0, 4);
    ck_assert(!run_unpack(&p));
    ck_assert_str_eq(err, "the lz4 block at offset 8 claims 0 bytes, where 1 to 56 are left");
}
END_TEST

static void probe_fails(const uint8_t *file, size_t len, const char *sentence)
{
    uint8_t *exact = exact_copy(file, len);
    struct packed p;

    ck_assert(!image_probe(exact, len, &p, err));
    ck_assert_str_eq(err, sentence);
    free(exact);
}

START_TEST(wrong_envelopes)
{
    uint8_t file[PAYLOAD_AT + 64] = {0};
    size_t len = envelop(file, 64);

    memcpy(file + PAYLOAD_AT, "BZh9", 4);
    probe_fails(file, len,
                "the bytes 42 5a 68 39 at offset 0x600 begin neither an ELF file nor gzip, xz, "
                "zstd or legacy lz4 data");
    memcpy(file + PAYLOAD_AT, "\x28\xb5\x2f\xfd", 4);
    probe_fails(file, len, "the size word at offset 0x63c promises an empty kernel");
    probe_fails(file, len - 1,
                "the bzImage's payload of 0x40 bytes at 0x600 goes beyond the file's end at "
                "0x63f");
    put_le(file + 0x248, 0xffffffff, 4);
    probe_fails(file, len,
                "the bzImage's payload of 0x40 bytes at 0x1000003ff goes beyond the file's end "
                "at 0x640");
    envelop(file, 31);
    probe_fails(file, len, "the kernel at offset 0x600 has 31 bytes, where 32 is the least");
    put_le(file + 0x206, 0x207, 2);
    probe_fails(file, len,
                "the bzImage follows boot protocol 2.07, which does not locate its payload; "
                "2.08 is the first that does");
    file[0x1fe] = 0;
    probe_fails(file, len, "the bzImage has boot flag 0xaa00 at offset 0x1fe, not 0xaa55");
    probe_fails(file, 0, "the kernel at offset 0x0 has 0 bytes, where 32 is the least");
}
END_TEST

START_TEST(bare_files)
{
    uint8_t *plain = make_plain(SMALL), *out = malloc(2 * SMALL), *got;
    struct packed p;
    size_t len = pack_gzip(plain, SMALL, out, 2 * SMALL);

    ck_assert_msg(image_probe(out, len, &p, err), "%s", err);
    ck_assert_int_eq(p.kind, PACK_GZIP);
    got = run_unpack(&p);
    ck_assert(got && !memcmp(got, plain, SMALL));
    free(got);
    len = pack_zstd(plain, SMALL, out, 2 * SMALL);
    probe_fails(out, len,
                "a bare zstd file does not tell its unpacked size; wanted is a bzImage, an ELF "
                "file, or one packed with gzip");
    memcpy(plain, "\177ELF", 4);
    ck_assert(image_probe(plain, SMALL, &p, err));
    ck_assert_int_eq(p.kind, PACK_NONE);
    ck_assert(p.data == plain && p.len == SMALL && p.unpacked_size == SMALL);
    free(out);
    free(plain);
}
END_TEST

/* --- A real kernel --- */

static bool place(void *opaque, uint64_t va, const void *src, uint64_t len)
{
    uint64_t *end = opaque;

    ck_assert_uint_ge(va, *end); /* in order, nothing twice */
    *end = va + len;
    return src != NULL || len != 0;
}

START_TEST(the_stock_kernel)
{
    const char *path = getenv("PARAVANE_VMLINUZ");
    static struct kernel_image img;
    uint8_t *blob, *elf;
    uint64_t end = 0;
    struct packed p;
    size_t len;
    FILE *f;

    if (!path)
        return;
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "cannot open %s", path);
    blob = malloc(64 << 20);
    len = fread(blob, 1, 64 << 20, f);
    fclose(f);
    ck_assert_msg(image_probe(blob, len, &p, err), "%s", err);
    ck_assert_int_eq(p.kind, PACK_XZ);
    elf = run_unpack(&p);
    ck_assert_msg(elf != NULL, "%s", err);
    ck_assert_msg(image_parse(elf, p.unpacked_size, &img, err), "%s", err);
    ck_assert_str_eq(img.guest_os, "linux");
    ck_assert_uint_eq(img.virt_base, 0xffffffff80000000);
    ck_assert_uint_eq(img.virt_start, 0xffffffff81000000);
    ck_assert_uint_eq(img.init_p2m, 0x8000000000);
    ck_assert_uint_eq(img.hypercall_page, IMAGE_ABSENT);
    ck_assert_uint_eq(img.features_required, 1);
    ck_assert(img.can_be_dom0 && img.mod_start_pfn);
    ck_assert(image_load(&img, place, &end));
    ck_assert_uint_eq(end, img.virt_end);
    free(elf);
    free(blob);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("unpack");
    TCase *c = tcase_create("unpack");
    SRunner *r;
    int failed;

    tcase_add_loop_test(c, what_was_packed_comes_out, PACK_GZIP, PACK_LZ4 + 1);
    tcase_add_loop_test(c, a_size_word_that_lies_is_found_out, PACK_GZIP, PACK_LZ4 + 1);
    tcase_add_loop_test(c, a_payload_cut_short_is_turned_away, PACK_GZIP, PACK_LZ4 + 1);
    tcase_add_loop_test(c, damage_is_survived, PACK_GZIP, PACK_LZ4 + 1);
    tcase_add_loop_test(c, too_little_room_is_refused, PACK_GZIP, PACK_LZ4 + 1);
    tcase_add_test(c, xz_work_memory_follows_the_dictionary);
    tcase_add_test(c, xz_with_another_check_is_refused);
    tcase_add_test(c, lz4_blocks_stay_within_the_payload);
    tcase_add_test(c, wrong_envelopes);
    tcase_add_test(c, bare_files);
    tcase_add_test(c, the_stock_kernel);
    tcase_set_timeout(c, 120);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
