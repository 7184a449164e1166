/* SPDX-License-Identifier: MIT */
/* What a kernel image says about itself: Xen's ELF notes and their predecessor, the string in a
 * __xen_guest section. */
#include <string.h>

#include <hv/print.h>
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

/* A text of known length or up to its NUL, whichever ends first. */
struct text {
    const char *s;
    size_t len;
};

static struct text text_of(const uint8_t *p, size_t max)
{
    struct text t = {(const char *)p, 0};

    while (t.len < max && t.s[t.len])
        t.len++;
    return t;
}

static bool text_is(struct text t, const char *s)
{
    return t.len == strlen(s) && !memcmp(t.s, s, t.len);
}

/* Takes what precedes the next separator off the front of t. */
static struct text text_next(struct text *t, char separator)
{
    struct text head = {t->s, 0};

    while (head.len < t->len && head.s[head.len] != separator)
        head.len++;
    t->s += MIN(head.len + 1, t->len);
    t->len -= MIN(head.len + 1, t->len);
    return head;
}

/* Texts are bound for the log, so they come out cut to size and printable. */
static void text_copy(char dst[IMAGE_TEXT_SIZE], struct text t)
{
    size_t n = MIN(t.len, (size_t)IMAGE_TEXT_SIZE - 1);

    for (size_t i = 0; i < n; i++)
        dst[i] = t.s[i] >= ' ' && t.s[i] <= '~' ? t.s[i] : '?';
    dst[n] = '\0';
}

/* Decimal, or hexadecimal behind 0x. */
static bool text_number(struct text t, uint64_t *out)
{
    bool hex = t.len > 2 && t.s[0] == '0' && (t.s[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;
    size_t i = hex ? 2 : 0;
    uint64_t v = 0;

    if (i == t.len)
        return false;
    for (; i < t.len; i++) {
        char c = t.s[i] >= 'A' ? (char)(t.s[i] | 0x20) : t.s[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit >= base || __builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit, &v))
            return false;
    }
    *out = v;
    return true;
}

/* Names separated by '|'; one behind '!' is required, others are merely understood. */
static bool set_features(struct image_parser *p, struct text list)
{
    char name[IMAGE_TEXT_SIZE];

    while (list.len) {
        struct text t = text_next(&list, '|');
        bool required = t.len && t.s[0] == '!';
        unsigned i = 0;

        if (required)
            t = (struct text){t.s + 1, t.len - 1};
        while (i < ARRAY_SIZE(feature_names) && !text_is(t, feature_names[i]))
            i++;
        text_copy(name, t);
        if (i < ARRAY_SIZE(feature_names)) {
            p->img->features_supported |= FEAT(i);
            p->img->features_required |= required ? FEAT(i) : 0;
        } else if (required) {
            return IMAGE_FAIL(p->err, "the kernel requires a feature \"%s\", which is unknown here",
                              name);
        }
    }
    return true;
}

static bool set_text(struct image_parser *p, enum xen_note type, struct text t)
{
    struct kernel_image *img = p->img;

    switch (type) {
    case NOTE_GUEST_OS:
        text_copy(img->guest_os, t);
        break;
    case NOTE_GUEST_VERSION:
        text_copy(img->guest_version, t);
        break;
    case NOTE_XEN_VERSION:
        text_copy(img->xen_version, t);
        break;
    case NOTE_LOADER:
        text_copy(img->loader, t);
        break;
    case NOTE_PAE_MODE:
        t = text_next(&t, '['); /* from yes[extended-cr3] */
        img->pae_mode = text_is(t, "yes") ? PAE_YES : text_is(t, "bimodal") ? PAE_BIMODAL : PAE_NO;
        break;
    case NOTE_FEATURES:
        return set_features(p, t);
    default:
        break;
    }
    return true;
}

static void set_number(struct image_parser *p, enum xen_note type, uint64_t v)
{
    struct kernel_image *img = p->img;

    switch (type) {
    case NOTE_ENTRY:
        img->entry = v;
        break;
    case NOTE_HYPERCALL_PAGE:
        img->hypercall_page = v;
        break;
    case NOTE_VIRT_BASE:
        img->virt_base = v;
        break;
    case NOTE_PADDR_OFFSET:
        img->paddr_offset = v;
        break;
    case NOTE_HV_START_LOW:
        img->hv_start_low = v;
        break;
    case NOTE_INIT_P2M:
        img->init_p2m = v;
        break;
    case NOTE_MOD_START_PFN:
        img->mod_start_pfn = v != 0;
        break;
    case NOTE_SUSPEND_CANCEL:
        img->suspend_cancel = v != 0;
        break;
    case NOTE_SUPPORTED_FEATURES:
        img->features_supported |= (uint32_t)v;
        img->can_be_dom0 = v & FEAT(FEAT_DOM0);
        break;
    case NOTE_PHYS32_ENTRY:
        p->pvh_entry_found = true;
        break;
    default:
        break;
    }
}

/* --- Where notes are --- */

static bool take_note(struct image_parser *p, unsigned type, const uint8_t *desc, uint64_t size)
{
    uint64_t offset = (uint64_t)(desc - p->file);

    switch (type) {
    case NOTE_XEN_VERSION:
    case NOTE_GUEST_OS:
    case NOTE_GUEST_VERSION:
    case NOTE_LOADER:
    case NOTE_PAE_MODE:
    case NOTE_FEATURES:
        return set_text(p, type, text_of(desc, size));
    case NOTE_L1_MFN_VALID:
        if (size < 16)
            return IMAGE_FAIL(p->err,
                              "Xen note L1_MFN_VALID at offset 0x%lx has %lu bytes, not the 16 of "
                              "a mask and a value",
                              offset, size);
        p->img->l1_valid_mask = get_le(desc, 8);
        p->img->l1_valid_value = get_le(desc + 8, 8);
        return true;
    case NOTE_ENTRY:
    case NOTE_HYPERCALL_PAGE:
    case NOTE_VIRT_BASE:
    case NOTE_PADDR_OFFSET:
    case NOTE_HV_START_LOW:
    case NOTE_SUSPEND_CANCEL:
    case NOTE_INIT_P2M:
    case NOTE_MOD_START_PFN:
    case NOTE_SUPPORTED_FEATURES:
    case NOTE_PHYS32_ENTRY:
        if (size != 4 && size != 8)
            return IMAGE_FAIL(p->err,
                              "Xen note %u at offset 0x%lx is a number of %lu bytes, not 4 or 8",
                              type, offset, size);
        set_number(p, type, get_le(desc, (unsigned)size));
        return true;
    default:
        return true; /* later additions to the format must not stop older loaders */
    }
}

/* The notes in file bytes [start, start + size), of which those of owner "Xen" count. */
static bool take_notes(struct image_parser *p, uint64_t start, uint64_t size, const char *what)
{
    uint64_t pos = 0;
    struct elf_note note;

    if (!file_range_ok(start, size, p->len))
        return IMAGE_FAIL(p->err,
                          "the %s of 0x%lx bytes at 0x%lx goes beyond the file's end at 0x%zx",
                          what, size, start, p->len);
    while (size - pos >= sizeof(note)) {
        const uint8_t *at = p->file + start + pos;
        uint64_t name_size, desc_size, room = size - pos - sizeof(note);

        memcpy(&note, at, sizeof(note));
        at += sizeof(note);
        name_size = ROUND_UP((uint64_t)note.namesz, 4);
        desc_size = ROUND_UP((uint64_t)note.descsz, 4);
        if (name_size > room || note.descsz > room - name_size)
            return IMAGE_FAIL(p->err,
                              "the note at offset 0x%lx with a name of %u and a description of %u "
                              "bytes leaves the %s, which ends at 0x%lx",
                              start + pos, note.namesz, note.descsz, what, start + size);
        if (note.namesz == 4 && !memcmp(at, "Xen", 4)) {
            p->notes_found = true;
            if (!take_note(p, note.type, at + name_size, note.descsz))
                return false;
        }
        pos += sizeof(note) + name_size + MIN(desc_size, room - name_size);
    }
    return true;
}

/* "KEY=value,KEY=value" */
static bool take_legacy_notes(struct image_parser *p, struct text list)
{
    static const struct {
        const char *key;
        enum xen_note type;
        bool number;
    } keys[] = {
        {"GUEST_OS", NOTE_GUEST_OS, false},
        {"GUEST_VER", NOTE_GUEST_VERSION, false},
        {"XEN_VER", NOTE_XEN_VERSION, false},
        {"LOADER", NOTE_LOADER, false},
        {"PAE", NOTE_PAE_MODE, false},
        {"FEATURES", NOTE_FEATURES, false},
        {"VIRT_BASE", NOTE_VIRT_BASE, true},
        {"VIRT_ENTRY", NOTE_ENTRY, true},
        {"ELF_PADDR_OFFSET", NOTE_PADDR_OFFSET, true},
        {"HYPERCALL_PAGE", NOTE_HYPERCALL_PAGE, true},
    };
    char shown[IMAGE_TEXT_SIZE];
    uint64_t v;

    p->notes_found = p->img->legacy_notes = true;
    while (list.len) {
        struct text value = text_next(&list, ','), key = text_next(&value, '=');
        unsigned i = 0;

        while (i < ARRAY_SIZE(keys) && !text_is(key, keys[i].key))
            i++;
        if (i == ARRAY_SIZE(keys))
            continue;
        if (!keys[i].number) {
            if (!set_text(p, keys[i].type, value))
                return false;
            continue;
        }
        text_copy(shown, value);
        if (!text_number(value, &v))
            return IMAGE_FAIL(p->err,
                              "%s in the __xen_guest section is \"%s\", not a 64-bit number",
                              keys[i].key, shown);
        set_number(p, keys[i].type, v);
    }
    return true;
}

/* --- Tables of the file --- */

static bool get_section(struct image_parser *p, unsigned i, struct elf_section *s)
{
    const struct elf_header *h = &p->header;
    uint64_t offset;

    if (h->shentsize != sizeof(*s))
        return IMAGE_FAIL(p->err, "section headers have %u bytes (e_shentsize), not %zu",
                          h->shentsize, sizeof(*s));
    if (__builtin_add_overflow(h->shoff, (uint64_t)i * sizeof(*s), &offset) ||
        !file_range_ok(offset, sizeof(*s), p->len))
        return IMAGE_FAIL(p->err,
                          "section header %u of the table at 0x%lx goes beyond the file's end "
                          "at 0x%zx",
                          i, h->shoff, p->len);
    memcpy(s, p->file + offset, sizeof(*s));
    return true;
}

static bool take_note_segments(struct image_parser *p)
{
    struct elf_segment s;

    for (unsigned i = 0; i < p->header.phnum; i++) {
        memcpy(&s, p->file + p->header.phoff + i * sizeof(s), sizeof(s));
        if (s.type == ELF_PT_NOTE && !take_notes(p, s.offset, s.filesz, "note segment"))
            return false;
    }
    return true;
}

static bool take_note_sections(struct image_parser *p)
{
    struct elf_section s;

    for (unsigned i = 0; i < p->header.shnum; i++) {
        if (!get_section(p, i, &s))
            return false;
        if (s.type == ELF_SHT_NOTE && !take_notes(p, s.offset, s.size, "note section"))
            return false;
    }
    return true;
}

static bool take_legacy_section(struct image_parser *p)
{
    struct elf_section names, s;

    if (!p->header.shnum || p->header.shstrndx >= p->header.shnum)
        return true; /* no section has a name */
    if (!get_section(p, p->header.shstrndx, &names))
        return false;
    if (!file_range_ok(names.offset, names.size, p->len))
        return IMAGE_FAIL(p->err,
                          "the section names, 0x%lx bytes at 0x%lx, go beyond the file's end "
                          "at 0x%zx",
                          names.size, names.offset, p->len);
    for (unsigned i = 0; i < p->header.shnum; i++) {
        if (!get_section(p, i, &s))
            return false;
        if (s.type == ELF_SHT_NOBITS || s.name >= names.size ||
            !text_is(text_of(p->file + names.offset + s.name, names.size - s.name), "__xen_guest"))
            continue;
        if (!file_range_ok(s.offset, s.size, p->len))
            return IMAGE_FAIL(p->err,
                              "the __xen_guest section, 0x%lx bytes at 0x%lx, goes beyond the "
                              "file's end at 0x%zx",
                              s.size, s.offset, p->len);
        return take_legacy_notes(p, text_of(p->file + s.offset, s.size));
    }
    return true;
}

bool image_read_notes(struct image_parser *p)
{
    if (!take_note_segments(p) || (!p->notes_found && !take_note_sections(p)) ||
        (!p->notes_found && !take_legacy_section(p)))
        return false;
    return p->notes_found ||
           IMAGE_FAIL(p->err,
                      "the kernel has neither an ELF note of owner \"Xen\" nor a __xen_guest "
                      "section: it is not built to run paravirtualized");
}

bool image_check_features(struct image_parser *p)
{
    uint32_t missing = p->img->features_required & ~FEATURES_PROVIDED;
    unsigned i = missing ? (unsigned)__builtin_ctz(missing) : 0;

    if (!missing)
        return true;
    return IMAGE_FAIL(p->err,
                      "the kernel requires the feature \"%s\" (XENFEAT %u), which is not "
                      "provided",
                      feature_names[i], i);
}
