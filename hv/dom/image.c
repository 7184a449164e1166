/* SPDX-License-Identifier: MIT */
/* Reading of kernel images: the bzImage envelope and ELF64 segments. Pure logic over a byte range
 * that may say anything. */
#include <string.h>

#include <hv/access.h>
#include <hv/print.h>
#include "image_note.h"

#define BZ_SETUP_SECTS    0x1f1
#define BZ_BOOT_FLAG      0x1fe
#define BZ_MAGIC          0x202
#define BZ_VERSION        0x206
#define BZ_PAYLOAD_OFFSET 0x248
#define BZ_PAYLOAD_LENGTH 0x24c
#define BZ_HEADER_END     0x250
#define BZ_MIN_VERSION    0x208 /* the first with the payload fields */
#define PAYLOAD_MIN       32    /* less is no compressed kernel in any format */
#define SIZE_WORD         4     /* behind every format that does not end in one itself */

static bool detect_packing(const uint8_t *data, enum pack_kind *kind)
{
    static const struct {
        enum pack_kind kind;
        uint8_t size, magic[6];
    } known[] = {
        {PACK_NONE, 4, ELFMAG},
        {PACK_GZIP, 3, {0x1f, 0x8b, 0x08}},
        {PACK_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
        {PACK_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
        {PACK_LZ4, 4, {0x02, 0x21, 0x4c, 0x18}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
        if (!memcmp(data, known[i].magic, known[i].size)) {
            *kind = known[i].kind;
            return true;
        }
    return false;
}

static bool probe_payload(const uint8_t *blob, uint64_t start, uint64_t len, struct packed *out,
                          char *err)
{
    const uint8_t *data = blob + start;

    if (len < PAYLOAD_MIN)
        return IMAGE_FAIL(err, "the kernel at offset 0x%lx has %lu bytes, where %d is the least",
                          start, len, PAYLOAD_MIN);
    if (!detect_packing(data, &out->kind))
        return IMAGE_FAIL(
            err,
            "the bytes %02x %02x %02x %02x at offset 0x%lx begin neither an ELF file nor "
            "gzip, xz, zstd or legacy lz4 data",
            data[0], data[1], data[2], data[3], start);
    out->data = data;
    out->len = len;
    out->unpacked_size = len;
    if (out->kind == PACK_NONE)
        return true;
    out->unpacked_size = get_le(data + len - SIZE_WORD, SIZE_WORD);
    if (out->kind != PACK_GZIP)
        out->len -= SIZE_WORD;
    if (!out->unpacked_size)
        return IMAGE_FAIL(err, "the size word at offset 0x%lx promises an empty kernel",
                          start + len - SIZE_WORD);
    return true;
}

bool image_probe(const void *blob, size_t len, struct packed *payload, char err[IMAGE_ERR_SIZE])
{
    const uint8_t *b = blob;
    uint64_t sects, start, size;
    unsigned version;

    if (len < BZ_HEADER_END || memcmp(b + BZ_MAGIC, "HdrS", 4)) {
        if (!probe_payload(b, 0, len, payload, err))
            return false;
        if (payload->kind != PACK_NONE && payload->kind != PACK_GZIP)
            return IMAGE_FAIL(
                err,
                "a bare %s file does not tell its unpacked size; wanted is a bzImage, "
                "an ELF file, or one packed with gzip",
                pack_names[payload->kind]);
        return true;
    }
    if (get_le(b + BZ_BOOT_FLAG, 2) != 0xaa55)
        return IMAGE_FAIL(err, "the bzImage has boot flag 0x%lx at offset 0x1fe, not 0xaa55",
                          get_le(b + BZ_BOOT_FLAG, 2));
    version = (unsigned)get_le(b + BZ_VERSION, 2);
    if (version < BZ_MIN_VERSION)
        return IMAGE_FAIL(err,
                          "the bzImage follows boot protocol %u.%02u, which does not locate its "
                          "payload; 2.08 is the first that does",
                          version >> 8, version & 0xff);
    sects = b[BZ_SETUP_SECTS] ? b[BZ_SETUP_SECTS] : 4; /* 0 stands for 4 by tradition */
    start = (sects + 1) * 512 + get_le(b + BZ_PAYLOAD_OFFSET, 4);
    size = get_le(b + BZ_PAYLOAD_LENGTH, 4);
    if (!file_range_ok(start, size, len))
        return IMAGE_FAIL(
            err,
            "the bzImage's payload of 0x%lx bytes at 0x%lx goes beyond the file's end "
            "at 0x%zx",
            size, start, len);
    return probe_payload(b, start, size, payload, err);
}

static bool check_header(struct image_parser *p)
{
    const Elf64_Ehdr *h = &p->header;

    if (p->len < sizeof(*h))
        return IMAGE_FAIL(p->err, "the kernel has %zu bytes, fewer than an ELF header's %zu",
                          p->len, sizeof(*h));
    memcpy(&p->header, p->file, sizeof(*h));
    if (memcmp(h->e_ident, ELFMAG, SELFMAG))
        return IMAGE_FAIL(p->err,
                          "the kernel begins with %02x %02x %02x %02x, not with ELF's 7f 45 4c 46",
                          h->e_ident[0], h->e_ident[1], h->e_ident[2], h->e_ident[3]);
    if (h->e_ident[EI_CLASS] != ELFCLASS64)
        return IMAGE_FAIL(p->err, "the kernel is of ELF class %u%s; only 64-bit ones (2) are run",
                          h->e_ident[EI_CLASS], h->e_ident[EI_CLASS] == 1 ? " (32-bit)" : "");
    if (h->e_ident[EI_DATA] != ELFDATA2LSB)
        return IMAGE_FAIL(p->err, "the kernel has ELF data encoding %u, not little endian (1)",
                          h->e_ident[EI_DATA]);
    if (h->e_machine != EM_X86_64)
        return IMAGE_FAIL(p->err, "the kernel is for ELF machine %u, not for x86-64 (%u)",
                          h->e_machine, EM_X86_64);
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return IMAGE_FAIL(
            p->err, "the kernel is of ELF type %u, neither executable (2) nor shared (3)", h->e_type);
    if (h->e_phentsize != sizeof(Elf64_Phdr))
        return IMAGE_FAIL(p->err, "program headers have %u bytes (e_phentsize), not %zu",
                          h->e_phentsize, sizeof(Elf64_Phdr));
    if (!h->e_phnum)
        return IMAGE_FAIL(p->err, "the kernel has no program headers (e_phnum is 0)");
    if (!file_range_ok(h->e_phoff, h->e_phnum * sizeof(Elf64_Phdr), p->len))
        return IMAGE_FAIL(p->err, "%u program headers at 0x%lx go beyond the file's end at 0x%zx",
                          h->e_phnum, h->e_phoff, p->len);
    return true;
}

/* Checks a PT_LOAD header by itself and finds its place. */
static bool place_segment(struct image_parser *p, unsigned i, const Elf64_Phdr *s,
                          struct image_segment *out)
{
    const struct kernel_image *img = p->img;
    uint64_t relative, end;

    if (!file_range_ok(s->p_offset, s->p_filesz, p->len))
        return IMAGE_FAIL(p->err,
                          "segment %u, 0x%lx bytes at 0x%lx, goes beyond the file's end at 0x%zx",
                          i, s->p_filesz, s->p_offset, p->len);
    if (s->p_filesz > s->p_memsz)
        return IMAGE_FAIL(p->err,
                          "segment %u has 0x%lx bytes in the file, but only 0x%lx in memory", i,
                          s->p_filesz, s->p_memsz);
    if (s->p_paddr < img->paddr_offset)
        return IMAGE_FAIL(p->err, "segment %u has physical address 0x%lx, below PADDR_OFFSET 0x%lx",
                          i, s->p_paddr, img->paddr_offset);
    relative = s->p_paddr - img->paddr_offset;
    if (__builtin_add_overflow(img->virt_base, relative, &out->virt) ||
        __builtin_add_overflow(out->virt, s->p_memsz, &end) || end > ROUND_DOWN(~0ull, PAGE_SIZE))
        return IMAGE_FAIL(p->err,
                          "segment %u, 0x%lx bytes at physical 0x%lx, wraps around the end of "
                          "memory when put at VIRT_BASE 0x%lx",
                          i, s->p_memsz, s->p_paddr, img->virt_base);
    if (!guest_range_ok(out->virt, s->p_memsz))
        return IMAGE_FAIL(p->err,
                          "segment %u lies at 0x%lx to 0x%lx, which is not a guest's address "
                          "range (below 0x%lx or from 0x%lx)",
                          i, out->virt, end, 0x0000800000000000ul, HV_VIRT_END);
    out->data = p->file + s->p_offset;
    out->filesz = s->p_filesz;
    out->memsz = s->p_memsz;
    return true;
}

static bool read_segments(struct image_parser *p)
{
    struct kernel_image *img = p->img;
    Elf64_Phdr s;

    for (unsigned i = 0; i < p->header.e_phnum; i++) {
        struct image_segment *new = &img->segment[img->segment_count];

        memcpy(&s, p->file + p->header.e_phoff + i * sizeof(s), sizeof(s));
        if (s.p_type != PT_LOAD || !s.p_memsz)
            continue;
        if (img->segment_count == IMAGE_MAX_SEGMENTS)
            return IMAGE_FAIL(p->err, "the kernel has more than %d loadable segments",
                              IMAGE_MAX_SEGMENTS);
        if (!place_segment(p, i, &s, new))
            return false;
        for (const struct image_segment *o = img->segment; o < new; o++)
            if (new->virt < o->virt + o->memsz && o->virt < new->virt + new->memsz)
                return IMAGE_FAIL(p->err, "segment %u at 0x%lx overlaps the one at 0x%lx to 0x%lx",
                                  i, new->virt, o->virt, o->virt + o->memsz);
        img->segment_count++;
        img->virt_start = MIN(img->virt_start, new->virt);
        img->virt_end = MAX(img->virt_end, new->virt + new->memsz);
    }
    return img->segment_count || IMAGE_FAIL(p->err, "the kernel has no loadable segment");
}

static bool in_a_segment(const struct kernel_image *img, uint64_t va)
{
    for (unsigned i = 0; i < img->segment_count; i++)
        if (va - img->segment[i].virt < img->segment[i].memsz)
            return true;
    return false;
}

/* Whole pages are the unit of placing a kernel, so its range counts rounded. */
static bool check_addresses(struct image_parser *p)
{
    const struct kernel_image *img = p->img;
    uint64_t first = ROUND_DOWN(img->virt_start, PAGE_SIZE),
             last = ROUND_UP(img->virt_end, PAGE_SIZE);

    if (img->virt_base % PAGE_SIZE)
        return IMAGE_FAIL(p->err, "VIRT_BASE 0x%lx is not a multiple of the page size",
                          img->virt_base);
    if (!in_a_segment(img, img->entry))
        return IMAGE_FAIL(p->err,
                          "the entry point 0x%lx is in none of the segments, which span 0x%lx to "
                          "0x%lx",
                          img->entry, img->virt_start, img->virt_end);
    if (img->hypercall_page != IMAGE_ABSENT &&
        (img->hypercall_page % PAGE_SIZE || img->hypercall_page < first ||
         img->hypercall_page >= last))
        return IMAGE_FAIL(p->err,
                          "HYPERCALL_PAGE 0x%lx is not a page within the kernel's 0x%lx to 0x%lx",
                          img->hypercall_page, first, last);
    if (img->init_p2m == IMAGE_ABSENT)
        return true;
    if (img->init_p2m % PAGE_SIZE || !guest_range_ok(img->init_p2m, PAGE_SIZE))
        return IMAGE_FAIL(p->err, "INIT_P2M 0x%lx is not the address of a page in a guest's range",
                          img->init_p2m);
    if (img->init_p2m >= img->virt_base && img->init_p2m < last)
        return IMAGE_FAIL(p->err, "INIT_P2M 0x%lx is within the kernel's own range, 0x%lx to 0x%lx",
                          img->init_p2m, img->virt_base, last);
    return true;
}

static bool check_claims(struct image_parser *p)
{
    const struct kernel_image *img = p->img;

    if (img->xen_version[0] && strcmp(img->xen_version, "xen-3.0"))
        return IMAGE_FAIL(p->err, "the kernel is for interface \"%s\", not \"xen-3.0\"",
                          img->xen_version);
    if (img->loader[0] && strcmp(img->loader, "generic"))
        return IMAGE_FAIL(p->err, "the kernel asks for the loader \"%s\"; there is but \"generic\"",
                          img->loader);
    if (img->entry == IMAGE_ABSENT && img->pvh_entry != IMAGE_ABSENT)
        return IMAGE_FAIL(p->err, "the kernel has a PVH entry (Xen note 18), but none for "
                                  "paravirtualization (note 1): it is built without CONFIG_XEN_PV");
    return image_check_features(p);
}

/* What absent notes mean. */
static void apply_defaults(struct image_parser *p)
{
    struct kernel_image *img = p->img;

    if (img->virt_base == IMAGE_ABSENT)
        img->virt_base = 0;
    if (img->paddr_offset == IMAGE_ABSENT)
        img->paddr_offset = 0;
    if (img->entry == IMAGE_ABSENT)
        img->entry = p->header.e_entry;
}

bool image_parse(const void *elf, size_t len, struct kernel_image *img, char err[IMAGE_ERR_SIZE])
{
    struct image_parser p = {.file = elf, .len = len, .img = img, .err = err};

    *img = (struct kernel_image){
        .virt_base = IMAGE_ABSENT,
        .paddr_offset = IMAGE_ABSENT,
        .virt_start = IMAGE_ABSENT,
        .entry = IMAGE_ABSENT,
        .hypercall_page = IMAGE_ABSENT,
        .init_p2m = IMAGE_ABSENT,
        .pvh_entry = IMAGE_ABSENT,
        .features_supported = IMAGE_ABSENT,
    };
    if (!check_header(&p) || !image_read_notes(&p) || !check_claims(&p))
        return false;
    apply_defaults(&p);
    return read_segments(&p) && check_addresses(&p);
}

bool image_load(const struct kernel_image *img, image_put_fn *put, void *opaque)
{
    for (unsigned i = 0; i < img->segment_count; i++) {
        const struct image_segment *s = &img->segment[i];

        if (s->filesz && !put(opaque, s->virt, s->data, s->filesz))
            return false;
        if (s->memsz > s->filesz && !put(opaque, s->virt + s->filesz, NULL, s->memsz - s->filesz))
            return false;
    }
    return true;
}
