/* SPDX-License-Identifier: MIT */
/* Unpacking of xz, gzip, zstd and lz4 payloads by liblzma, zlib, libzstd and liblz4. */
#include <limits.h>
#include <string.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* for a context in memory of ours, and its size */
#include <zstd.h>
#include <zstd_errors.h>

#include <hv/print.h>
#include "unpack.h"

#define ARENA_ALIGN    16
#define XZ_HEADER_SIZE 12
#define XZ_CHECK_CRC32 1 /* the only integrity check that Linux asks of xz, beside none (0) */
#define XZ_FIXED_WORK  (64 << 10) /* rounding and structures that liblzma's own figure leaves out  \
                                   */
#define XZ_PROBE_WORK  (8 << 10)  /* of a decoder stopped before it allocates the dictionary */
#define INFLATE_WORK   (64 << 10)
#define LZ4_BLOCK_SIZE (8u << 20) /* unpacked, in the legacy frame format */
#define LZ4_MAGIC_SIZE 4

const char *const pack_names[] = {"plain", "gzip", "xz", "zstd", "lz4"};

/* Memory handed out from one end of a block. Only the newest piece can be given back, which is
 * enough for decoders that set up once. Each piece is preceded by the arena's fill level before it.
 */
struct arena {
    uint8_t *base;
    size_t size, used, last;
};

static void *arena_alloc(void *opaque, size_t n, size_t size)
{
    struct arena *a = opaque;
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes) || bytes > a->size)
        return NULL;
    bytes = ROUND_UP(bytes, (size_t)ARENA_ALIGN);
    if (bytes > a->size - a->used)
        return NULL;
    a->last = a->used;
    a->used += bytes;
    return a->base + a->last;
}

static void arena_free(void *opaque, void *p)
{
    struct arena *a = opaque;

    if (p == a->base + a->last)
        a->used = a->last;
}

static void *arena_alloc_zlib(void *opaque, uInt n, uInt size)
{
    return arena_alloc(opaque, n, size);
}

static bool wrong_size(const struct packed *p, uint64_t got, char *err)
{
    return IMAGE_FAIL(err, "the %s payload unpacks to %lu bytes, but its size word promises %zu",
                      pack_names[p->kind], got, p->unpacked_size);
}

static const char *xz_reason(lzma_ret r)
{
    switch (r) {
    case LZMA_FORMAT_ERROR:
        return "its stream header is no xz header";
    case LZMA_OPTIONS_ERROR:
        return "it uses a filter or option this decoder lacks";
    case LZMA_DATA_ERROR:
        return "its data or a checksum is damaged";
    case LZMA_BUF_ERROR:
        return "it is cut short, or unpacks to more than its size word promises";
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR:
        return "its dictionary does not fit the memory set aside for it";
    default:
        return "liblzma refused its parameters";
    }
}

/* Any other check than CRC32 is turned away up front: the CRC64 code works only after its
 * constructor has run. */
static bool xz_check_usable(const struct packed *p)
{
    return p->len >= XZ_HEADER_SIZE && p->data[7] <= XZ_CHECK_CRC32;
}

static bool unpack_xz(const struct packed *p, uint8_t *dst, struct arena *a, char *err)
{
    lzma_allocator allocator = {arena_alloc, arena_free, a};
    uint64_t limit = UINT64_MAX;
    size_t in = 0, out = 0;
    lzma_ret r;

    if (!xz_check_usable(p))
        return p->len < XZ_HEADER_SIZE
                   ? IMAGE_FAIL(err, "the xz payload has %zu bytes, fewer than its header's %d",
                                p->len, XZ_HEADER_SIZE)
                   : IMAGE_FAIL(
                         err,
                         "the xz payload names integrity check %u at offset 7, where kernels are "
                         "packed with CRC32 (1) or none (0)",
                         p->data[7]);
    r = lzma_stream_buffer_decode(&limit, 0, &allocator, p->data, &in, p->len, dst, &out,
                                  p->unpacked_size);
    if (r != LZMA_OK)
        return IMAGE_FAIL(err, "the xz payload of %zu bytes does not unpack: %s", p->len,
                          xz_reason(r));
    return out == p->unpacked_size || wrong_size(p, out, err);
}

static bool unpack_gzip(const struct packed *p, uint8_t *dst, struct arena *a, char *err)
{
    z_stream s = {
        .next_in = (z_const Bytef *)p->data,
        .avail_in = (uInt)p->len,
        .next_out = dst,
        .avail_out = (uInt)p->unpacked_size,
        .zalloc = arena_alloc_zlib,
        .zfree = arena_free,
        .opaque = a,
    };
    int r = inflateInit2(&s, 16 + MAX_WBITS); /* 16: a gzip header and trailer, checked too */

    if (r == Z_OK)
        r = inflate(&s, Z_FINISH);
    if (r == Z_STREAM_END)
        return s.total_out == p->unpacked_size || wrong_size(p, s.total_out, err);
    if (r == Z_BUF_ERROR)
        return IMAGE_FAIL(err, "the gzip payload %s after %lu of %zu bytes",
                          s.avail_in ? "unpacks to more than its size word promises"
                                     : "is cut short",
                          s.total_out, p->unpacked_size);
    return IMAGE_FAIL(err, "the gzip payload is damaged at byte %lu of %zu: %s", s.total_in, p->len,
                      s.msg ? s.msg : "zlib gave no reason");
}

static bool unpack_zstd(const struct packed *p, uint8_t *dst, struct arena *a, char *err)
{
    size_t work = ZSTD_estimateDCtxSize();
    void *mem = arena_alloc(a, 1, work);
    ZSTD_DCtx *ctx = mem ? ZSTD_initStaticDCtx(mem, work) : NULL;
    size_t r;

    if (!ctx)
        return IMAGE_FAIL(err, "unpacking zstd takes %zu bytes of work memory, %zu were set aside",
                          work, a->size);
    /* In one go, so that the window is dst itself whatever size the frame asks for. */
    r = ZSTD_decompressDCtx(ctx, dst, p->unpacked_size, p->data, p->len);
    if (ZSTD_getErrorCode(r) == ZSTD_error_dstSize_tooSmall)
        return IMAGE_FAIL(
            err, "the zstd payload unpacks to more than the %zu bytes its size word promises",
            p->unpacked_size);
    if (ZSTD_isError(r))
        return IMAGE_FAIL(err,
                          "the zstd payload of %zu bytes does not unpack: error %u of libzstd (%s)",
                          p->len, (unsigned)ZSTD_getErrorCode(r), ZSTD_getErrorName(r));
    return r == p->unpacked_size || wrong_size(p, r, err);
}

/* The legacy frame: after the magic number, blocks preceded by their packed size, without any
 * checksum. */
static bool unpack_lz4(const struct packed *p, uint8_t *dst, char *err)
{
    size_t in = LZ4_MAGIC_SIZE, out = 0;

    while (in < p->len) {
        uint32_t size;
        int got;

        if (p->len - in < sizeof(size))
            return IMAGE_FAIL(
                err, "the lz4 payload ends at %zu within the block size at offset %zu", p->len, in);
        memcpy(&size, p->data + in, sizeof(size));
        in += sizeof(size);
        if (!size || size > p->len - in)
            return IMAGE_FAIL(
                err, "the lz4 block at offset %zu claims %u bytes, where 1 to %zu are left", in,
                size, p->len - in);
        got = LZ4_decompress_safe((const char *)p->data + in, (char *)dst + out, (int)size,
                                  (int)MIN(p->unpacked_size - out, (size_t)LZ4_BLOCK_SIZE));
        if (got < 0)
            return IMAGE_FAIL(err,
                              "the lz4 block at offset %zu is damaged, or unpacks beyond the %zu "
                              "bytes that the size word promises",
                              in, p->unpacked_size);
        in += size;
        out += (size_t)got;
    }
    return out == p->unpacked_size || wrong_size(p, out, err);
}

size_t unpack_work_size(const struct packed *p)
{
    static uint8_t probe[XZ_PROBE_WORK] __aligned(ARENA_ALIGN);
    struct arena a = {probe, sizeof(probe), 0, 0};
    lzma_allocator allocator = {arena_alloc, arena_free, &a};
    uint64_t limit =
        1; /* so little that the decoder stops at the dictionary and says what it would take */
    size_t in = 0, out = 0;
    uint8_t sink[1];

    switch (p->kind) {
    case PACK_GZIP:
        return INFLATE_WORK;
    case PACK_ZSTD:
        return ROUND_UP(ZSTD_estimateDCtxSize(), (size_t)ARENA_ALIGN);
    case PACK_XZ:
        if (!xz_check_usable(p) ||
            lzma_stream_buffer_decode(&limit, 0, &allocator, p->data, &in, p->len, sink, &out, 1) !=
                LZMA_MEMLIMIT_ERROR)
            return 0;
        return limit + XZ_FIXED_WORK;
    default:
        return 0;
    }
}

bool unpack(const struct packed *p, void *dst, size_t dst_size, void *work, size_t work_size,
            char err[IMAGE_ERR_SIZE])
{
    struct arena a = {work, work_size, 0, 0};

    if (p->unpacked_size > dst_size)
        return IMAGE_FAIL(err, "the payload unpacks to %zu bytes, but the buffer has %zu",
                          p->unpacked_size, dst_size);
    /* zlib and liblz4 count in 32 bits; no kernel comes near. */
    if (p->len > INT_MAX || p->unpacked_size > INT_MAX)
        return IMAGE_FAIL(err,
                          "a payload of %zu bytes that unpacks to %zu is beyond the limit of %d",
                          p->len, p->unpacked_size, INT_MAX);
    switch (p->kind) {
    case PACK_NONE:
        if (p->len != p->unpacked_size)
            return wrong_size(p, p->len, err);
        memcpy(dst, p->data, p->len);
        return true;
    case PACK_GZIP:
        return unpack_gzip(p, dst, &a, err);
    case PACK_XZ:
        return unpack_xz(p, dst, &a, err);
    case PACK_ZSTD:
        return unpack_zstd(p, dst, &a, err);
    case PACK_LZ4:
        return unpack_lz4(p, dst, err);
    }
    return IMAGE_FAIL(err, "payload kind %u is unknown", (unsigned)p->kind);
}
