/* SPDX-License-Identifier: MIT */
/* What a kernel image says about itself: Xen's ELF notes. */
#include <string.h>

#include <hv/print.h>
#include "../lib/text.h"
#include "image_note.h"

#define FEAT(n)                    (1u << (n))
#define FEAT_WRITABLE_PAGE_TABLES  0
#define FEAT_PAE_PGDIR_ABOVE_4GB   4
#define FEAT_PRESERVE_AD           5
#define FEAT_GNTTAB_MAP_AVAIL_BITS 7
#define FEAT_DOM0                  11
#define FEAT_RSDP_UNRESTRICTED     15

static const char *const feature_names[] = {
    "writable_page_tables",
    "writable_descriptor_tables",
    "auto_translated_physmap",
    "supervisor_mode_kernel",
    "pae_pgdir_above_4gb",
    "mmu_pt_update_preserve_ad",
    "highmem_assist",
    "gnttab_map_avail_bits",
    "hvm_callback_vector",
    "hvm_safe_pvclock",
    "hvm_pirqs",
    "dom0",
    "grant_map_identity",
    "memory_op_vnode_supported",
    "ARM_SMCCC_supported",
    "linux_rsdp_unrestricted",
    "not_direct_mapped",
    "direct_mapped",
};

/* What a kernel may insist on. Page tables count as writable because writes to them are emulated.
 */
#define FEATURES_PROVIDED                                                                          \
    (FEAT(FEAT_WRITABLE_PAGE_TABLES) | FEAT(FEAT_PAE_PGDIR_ABOVE_4GB) | FEAT(FEAT_PRESERVE_AD) |   \
     FEAT(FEAT_GNTTAB_MAP_AVAIL_BITS) | FEAT(FEAT_DOM0) | FEAT(FEAT_RSDP_UNRESTRICTED))

/* Up to its NUL, or all. */
static struct text text_of(const uint8_t *p, size_t max)
{
    struct text t = {(const char *)p, 0};

    while (t.len < max && t.s[t.len])
        t.len++;
    return t;
}

/* Texts are bound for the log, so they come out cut to size and printable. */
static void text_copy(char dst[IMAGE_TEXT_SIZE], struct text t)
{
    size_t n = MIN(t.len, (size_t)IMAGE_TEXT_SIZE - 1);

    for (size_t i = 0; i < n; i++)
        dst[i] = t.s[i] >= ' ' && t.s[i] <= '~' ? t.s[i] : '?';
    dst[n] = '\0';
}

/* Names separated by '|'; one behind '!' is required, others are merely understood. */
static bool set_features(struct image_parser *p, struct text list)
{
    char name[IMAGE_TEXT_SIZE];

    while (list.len) {
        struct text t = text_next(&list, "|");
        bool required = t.len && t.s[0] == '!';
        unsigned i = 0;

        if (required)
            t = (struct text){t.s + 1, t.len - 1};
        while (i < ARRAY_SIZE(feature_names) && !text_is(t, feature_names[i]))
            i++;
        text_copy(name, t);
        if (required && i == ARRAY_SIZE(feature_names))
            return IMAGE_FAIL(p->err, "the kernel requires a feature \"%s\", which is unknown here",
                              name);
        if (required)
            p->img->features_required |= FEAT(i);
    }
    return true;
}

/* Notes that are stored as they are. */
#define TEXT(note, member)   {XEN_ELFNOTE_##note, true, offsetof(struct kernel_image, member)}
#define NUMBER(note, member) {XEN_ELFNOTE_##note, false, offsetof(struct kernel_image, member)}
static const struct {
    uint8_t type;
    bool text;
    uint16_t at;
} stored[] = {
    TEXT(GUEST_OS, guest_os),
    TEXT(GUEST_VERSION, guest_version),
    TEXT(XEN_VERSION, xen_version),
    TEXT(LOADER, loader),
    NUMBER(ENTRY, entry),
    NUMBER(HYPERCALL_PAGE, hypercall_page),
    NUMBER(VIRT_BASE, virt_base),
    NUMBER(PADDR_OFFSET, paddr_offset),
    NUMBER(INIT_P2M, init_p2m),
    NUMBER(MOD_START_PFN, mod_start_pfn),
    NUMBER(SUPPORTED_FEATURES, features_supported),
    NUMBER(PHYS32_ENTRY, pvh_entry),
};

static bool take_note(struct image_parser *p, unsigned type, const uint8_t *desc, uint64_t size)
{
    unsigned i = 0;
    uint64_t v;

    if (type == XEN_ELFNOTE_FEATURES)
        return set_features(p, text_of(desc, size));
    while (i < ARRAY_SIZE(stored) && stored[i].type != type)
        i++;
    if (i == ARRAY_SIZE(stored))
        return true; /* means nothing here, or is of a later day */
    if (stored[i].text) {
        text_copy((char *)p->img + stored[i].at, text_of(desc, size));
        return true;
    }
    if (size != 4 && size != 8)
        return IMAGE_FAIL(p->err,
                          "Xen note %u at offset 0x%lx is a number of %lu bytes, not 4 or 8", type,
                          (uint64_t)(desc - p->file), size);
    v = get_le(desc, (unsigned)size);
    memcpy((char *)p->img + stored[i].at, &v, sizeof(v));
    return true;
}

/* --- Where notes are --- */

/* The notes in file bytes [start, start + size), of which those of owner "Xen" count. */
static bool take_notes(struct image_parser *p, uint64_t start, uint64_t size, const char *what)
{
    uint64_t pos = 0;
    Elf64_Nhdr note;

    if (!file_range_ok(start, size, p->len))
        return IMAGE_FAIL(p->err,
                          "the %s of 0x%lx bytes at 0x%lx goes beyond the file's end at 0x%zx",
                          what, size, start, p->len);
    while (size - pos >= sizeof(note)) {
        const uint8_t *at = p->file + start + pos;
        uint64_t name_size, desc_size, room = size - pos - sizeof(note);

        memcpy(&note, at, sizeof(note));
        at += sizeof(note);
        name_size = ROUND_UP((uint64_t)note.n_namesz, 4);
        desc_size = ROUND_UP((uint64_t)note.n_descsz, 4);
        if (name_size > room || note.n_descsz > room - name_size)
            return IMAGE_FAIL(p->err,
                              "the note at offset 0x%lx with a name of %u and a description of %u "
                              "bytes leaves the %s, which ends at 0x%lx",
                              start + pos, note.n_namesz, note.n_descsz, what, start + size);
        if (note.n_namesz == 4 && !memcmp(at, "Xen", 4)) {
            p->notes_found = true;
            if (!take_note(p, note.n_type, at + name_size, note.n_descsz))
                return false;
        }
        pos += sizeof(note) + name_size + MIN(desc_size, room - name_size);
    }
    return true;
}

/* --- Tables of the file --- */

static bool get_section(struct image_parser *p, unsigned i, Elf64_Shdr *s)
{
    const Elf64_Ehdr *h = &p->header;
    uint64_t offset;

    if (h->e_shentsize != sizeof(*s))
        return IMAGE_FAIL(p->err, "section headers have %u bytes (e_shentsize), not %zu",
                          h->e_shentsize, sizeof(*s));
    if (__builtin_add_overflow(h->e_shoff, (uint64_t)i * sizeof(*s), &offset) ||
        !file_range_ok(offset, sizeof(*s), p->len))
        return IMAGE_FAIL(p->err,
                          "section header %u of the table at 0x%lx goes beyond the file's end "
                          "at 0x%zx",
                          i, h->e_shoff, p->len);
    memcpy(s, p->file + offset, sizeof(*s));
    return true;
}

static bool take_note_segments(struct image_parser *p)
{
    Elf64_Phdr s;

    for (unsigned i = 0; i < p->header.e_phnum; i++) {
        memcpy(&s, p->file + p->header.e_phoff + i * sizeof(s), sizeof(s));
        if (s.p_type == PT_NOTE && !take_notes(p, s.p_offset, s.p_filesz, "note segment"))
            return false;
    }
    return true;
}

static bool take_note_sections(struct image_parser *p)
{
    Elf64_Shdr s;

    for (unsigned i = 0; i < p->header.e_shnum; i++) {
        if (!get_section(p, i, &s))
            return false;
        if (s.sh_type == SHT_NOTE && !take_notes(p, s.sh_offset, s.sh_size, "note section"))
            return false;
    }
    return true;
}

bool image_read_notes(struct image_parser *p)
{
    if (!take_note_segments(p) || (!p->notes_found && !take_note_sections(p)))
        return false;
    return p->notes_found ||
           IMAGE_FAIL(p->err, "the kernel has no ELF note of owner \"Xen\": it is not built to run "
                              "paravirtualized");
}

bool image_check_features(struct image_parser *p)
{
    uint32_t missing = p->img->features_required & ~FEATURES_PROVIDED;
    unsigned i = missing ? (unsigned)__builtin_ctz(missing) : 0;

    p->img->can_be_dom0 = p->img->features_supported & FEAT(FEAT_DOM0);
    if (!missing)
        return true;
    return IMAGE_FAIL(p->err,
                      "the kernel requires the feature \"%s\" (XENFEAT %u), which is not "
                      "provided",
                      feature_names[i], i);
}
