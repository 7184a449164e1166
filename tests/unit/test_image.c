/* SPDX-License-Identifier: MIT */
/* Kernel images: good ones come out as their notes say, bad ones are turned away with the sentence
 * that fits. */
#include "image_fixture.h"

/* --- Good images --- */

START_TEST(notes_are_understood)
{
    uint64_t l1[2] = {1, 1};
    uint32_t one = 1, supported = 0x8801;

    add_note(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb", 41); /* no NUL, as Linux */
    add_note(XEN_ELFNOTE_SUPPORTED_FEATURES, &supported, 4);
    add_text(XEN_ELFNOTE_PAE_MODE, "yes[extended-cr3]");
    add_note(XEN_ELFNOTE_L1_MFN_VALID, l1, 16);
    add_note(XEN_ELFNOTE_MOD_START_PFN, &one, 4);
    add_note(XEN_ELFNOTE_SUSPEND_CANCEL, &one, 4);
    add_number(XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000);
    add_number(XEN_ELFNOTE_INIT_P2M, P2M);
    add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x104000);
    add_number(99, 7); /* of a later day */
    accepted();
    ck_assert_str_eq(img.guest_os, "linux");
    ck_assert_str_eq(img.guest_version, "2.6");
    ck_assert_str_eq(img.xen_version, "xen-3.0");
    ck_assert_str_eq(img.loader, "generic");
    ck_assert_uint_eq(img.virt_base, BASE);
    ck_assert_uint_eq(img.entry, ENTRY);
    ck_assert_uint_eq(img.virt_start, BASE + 0x101000);
    ck_assert_uint_eq(img.virt_end, BASE + 0x104800);
    ck_assert_uint_eq(img.features_required, 1);
    ck_assert_uint_eq(img.features_supported, 0x8801);
    ck_assert(img.mod_start_pfn && img.can_be_dom0);
    ck_assert_uint_eq(img.init_p2m, P2M);
    ck_assert_uint_eq(img.hypercall_page, BASE + 0x104000);
}
END_TEST

START_TEST(absent_notes_have_defaults)
{
    drop_notes();
    add_text(XEN_ELFNOTE_GUEST_OS, "mini");
    accepted(); /* linked low: VIRT_BASE 0, no PADDR_OFFSET, entry from the ELF header */
    ck_assert_uint_eq(img.virt_base, 0);
    ck_assert_uint_eq(img.entry, 0x101020);
    ck_assert_uint_eq(img.virt_start, 0x101000);
    ck_assert_uint_eq(img.hypercall_page, IMAGE_ABSENT);
    ck_assert_uint_eq(img.init_p2m, IMAGE_ABSENT);
    ck_assert(!img.mod_start_pfn && img.can_be_dom0);
}
END_TEST

START_TEST(physical_addresses_may_count_from_an_offset)
{
    f.s[SEG_TEXT].p_paddr += BASE; /* p_paddr equal to virtual addresses */
    f.s[SEG_DATA].p_paddr += BASE;
    add_number(XEN_ELFNOTE_PADDR_OFFSET, BASE);
    accepted();
    ck_assert_uint_eq(img.virt_start, BASE + 0x101000);
}
END_TEST

START_TEST(a_kernel_can_decline_dom0)
{
    add_number(XEN_ELFNOTE_SUPPORTED_FEATURES, 1);
    accepted();
    ck_assert(!img.can_be_dom0);
}
END_TEST

START_TEST(texts_are_cut_and_made_printable)
{
    add_text(XEN_ELFNOTE_GUEST_OS, "evil\n\033[2J-name-that-goes-on-and-on-and-on");
    accepted();
    ck_assert_str_eq(img.guest_os, "evil??[2J-name-that-goes-on-and");
}
END_TEST

START_TEST(note_sections_serve_without_a_segment)
{
    add_sections(SHT_NOTE, ".note.Xen");
    accepted();
    ck_assert_uint_eq(img.entry, ENTRY);
}
END_TEST

static uint8_t guest_memory[0x5000];

static bool put(void *opaque, uint64_t va, const void *src, uint64_t len)
{
    unsigned *calls_left = opaque;
    uint64_t at = va - (BASE + 0x100000);

    ck_assert_uint_le(at, sizeof(guest_memory));
    ck_assert_uint_le(len, sizeof(guest_memory) - at);
    if (!(*calls_left)--)
        return false;
    if (src)
        memcpy(guest_memory + at, src, len);
    else
        memset(guest_memory + at, 0, len);
    return true;
}

START_TEST(segments_are_loaded_and_bss_cleared)
{
    unsigned calls = 3;

    accepted();
    memset(guest_memory, 0xee, sizeof(guest_memory));
    ck_assert(image_load(&img, put, &calls));
    for (unsigned i = 0; i < sizeof(guest_memory); i++) {
        uint8_t want = i - 0x1000 < TEXT_SIZE   ? 0x90
                       : i - 0x3000 < DATA_SIZE ? 0xda
                       : i - 0x3000 < 0x1800    ? 0
                                                : 0xee;
        ck_assert_msg(guest_memory[i] == want, "byte 0x%x is %02x, not %02x", i, guest_memory[i],
                      want);
    }
    calls = 2; /* put() refuses the third: the bss */
    ck_assert(!image_load(&img, put, &calls));
}
END_TEST

/* --- Bad headers --- */

START_TEST(wrong_headers)
{
    f.h.e_ident[EI_CLASS] = 1;
    rejected("the kernel is of ELF class 1 (32-bit); only 64-bit ones (2) are run");
    setup(), f.h.e_ident[EI_DATA] = 2;
    rejected("the kernel has ELF data encoding 2, not little endian (1)");
    setup(), f.h.e_machine = 183;
    rejected("the kernel is for ELF machine 183, not for x86-64 (62)");
    setup(), f.h.e_type = 1;
    rejected("the kernel is of ELF type 1, neither executable (2) nor shared (3)");
    setup(), f.h.e_ident[1] = 'F';
    rejected("the kernel begins with 7f 46 4c 46, not with ELF's 7f 45 4c 46");
    setup(), f.h.e_phentsize = 32;
    rejected("program headers have 32 bytes (e_phentsize), not 56");
    setup(), f.h.e_phnum = 0;
    rejected("the kernel has no program headers (e_phnum is 0)");
    setup(), f.h.e_phnum = 0xffff;
    rejected("65535 program headers at 0x40 go beyond the file's end at 0x840");
    setup(), f.h.e_phoff = ~0ull;
    rejected("3 program headers at 0xffffffffffffffff go beyond the file's end at 0x840");
    setup(), f.len = 63;
    rejected("the kernel has 63 bytes, fewer than an ELF header's 64");
    setup(), f.s[SEG_TEXT].p_type = f.s[SEG_DATA].p_type = 0;
    rejected("the kernel has no loadable segment");
}
END_TEST

START_TEST(too_many_segments)
{
    static uint8_t many[0x2000];
    Elf64_Ehdr h;
    Elf64_Phdr s = f.s[SEG_TEXT];

    assemble();
    memcpy(many, f.bytes, sizeof(f.bytes));
    h = f.h;
    h.e_phoff = 0x1000;
    h.e_phnum = IMAGE_MAX_SEGMENTS + 2;
    memcpy(many, &h, sizeof(h));
    for (unsigned i = 0; i < h.e_phnum; i++) {
        s.p_paddr = 0x100000 + i * 0x1000;
        memcpy(many + 0x1000 + i * 56, i ? &s : &f.s[SEG_NOTE], 56);
    }
    ck_assert(!parse_bytes(many, sizeof(many)));
    ck_assert_str_eq(err, "the kernel has more than 32 loadable segments");
    h.e_phnum--;
    memcpy(many, &h, sizeof(h));
    ck_assert_msg(parse_bytes(many, sizeof(many)), "%s", err);
}
END_TEST

/* --- Bad segments --- */

START_TEST(wrong_segments)
{
    f.s[SEG_TEXT].p_offset = 0x700;
    rejected("segment 0, 0x180 bytes at 0x700, goes beyond the file's end at 0x840");
    setup(), f.s[SEG_TEXT].p_offset = ~0ull - 8;
    rejected("segment 0, 0x180 bytes at 0xfffffffffffffff7, goes beyond the file's end at 0x840");
    setup(), f.s[SEG_DATA].p_memsz = 0x3f;
    rejected("segment 1 has 0x40 bytes in the file, but only 0x3f in memory");
    setup(), f.s[SEG_DATA].p_paddr = 0x80000000;
    rejected(
        "segment 1, 0x1800 bytes at physical 0x80000000, wraps around the end of memory when put "
        "at VIRT_BASE 0xffffffff80000000");
    setup(), f.s[SEG_DATA].p_memsz = ~0ull;
    rejected(
        "segment 1, 0xffffffffffffffff bytes at physical 0x103000, wraps around the end of memory "
        "when put at VIRT_BASE 0xffffffff80000000");
    setup(), f.s[SEG_DATA].p_paddr = 0x7fffe000; /* ends in the last page: rounding up would wrap */
    rejected(
        "segment 1, 0x1800 bytes at physical 0x7fffe000, wraps around the end of memory when put "
        "at VIRT_BASE 0xffffffff80000000");
    setup(), f.s[SEG_DATA].p_paddr = 0x101100;
    rejected("segment 1 at 0xffffffff80101100 overlaps the one at 0xffffffff80101000 to "
             "0xffffffff80101180");
    setup(), f.s[SEG_DATA].p_paddr = 0x100000; /* its bss reaches into the text */
    rejected("segment 1 at 0xffffffff80100000 overlaps the one at 0xffffffff80101000 to "
             "0xffffffff80101180");
    setup(), add_number(XEN_ELFNOTE_PADDR_OFFSET, 0x102000);
    rejected("segment 0 has physical address 0x101000, below PADDR_OFFSET 0x102000");
}
END_TEST

START_TEST(segments_stay_out_of_our_range)
{
    add_number(XEN_ELFNOTE_VIRT_BASE, 0xffff82d000000000); /* the hypervisor's own addresses */
    rejected("segment 0 lies at 0xffff82d000101000 to 0xffff82d000101180, which is not a guest's "
             "address "
             "range (below 0x800000000000 or from 0xffff880000000000)");
    setup(), add_number(XEN_ELFNOTE_VIRT_BASE, 0x7fffffefc000); /* across the end of the lower half */
    rejected("segment 1 lies at 0x7ffffffff000 to 0x800000000800, which is not a guest's address "
             "range (below 0x800000000000 or from 0xffff880000000000)");
}
END_TEST

/* --- Bad notes --- */

START_TEST(wrong_addresses)
{
    add_number(XEN_ELFNOTE_ENTRY, BASE + 0x102000); /* in the gap between the segments */
    rejected("the entry point 0xffffffff80102000 is in none of the segments, which span "
             "0xffffffff80101000 to 0xffffffff80104800");
    setup(), add_number(XEN_ELFNOTE_ENTRY, BASE + 0x104800); /* one past the end */
    rejected("the entry point 0xffffffff80104800 is in none of the segments, which span "
             "0xffffffff80101000 to 0xffffffff80104800");
    setup(), add_number(XEN_ELFNOTE_VIRT_BASE, BASE + 8);
    rejected("VIRT_BASE 0xffffffff80000008 is not a multiple of the page size");
    setup(), add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x103010);
    rejected(
        "HYPERCALL_PAGE 0xffffffff80103010 is not a page within the kernel's 0xffffffff80101000 to "
        "0xffffffff80105000");
    setup(), add_number(XEN_ELFNOTE_HYPERCALL_PAGE, BASE + 0x105000);
    rejected(
        "HYPERCALL_PAGE 0xffffffff80105000 is not a page within the kernel's 0xffffffff80101000 to "
        "0xffffffff80105000");
    setup(), add_number(XEN_ELFNOTE_INIT_P2M, P2M + 8);
    rejected("INIT_P2M 0x8000000008 is not the address of a page in a guest's range");
    setup(), add_number(XEN_ELFNOTE_INIT_P2M, 0xffff830000000000);
    rejected("INIT_P2M 0xffff830000000000 is not the address of a page in a guest's range");
    setup(), add_number(XEN_ELFNOTE_INIT_P2M, BASE + 0x104000);
    rejected("INIT_P2M 0xffffffff80104000 is within the kernel's own range, 0xffffffff80000000 to "
             "0xffffffff80105000");
}
END_TEST

START_TEST(wrong_claims)
{
    add_text(XEN_ELFNOTE_XEN_VERSION, "xen-2.0");
    rejected("the kernel is for interface \"xen-2.0\", not \"xen-3.0\"");
    setup(), add_text(XEN_ELFNOTE_LOADER, "own");
    rejected("the kernel asks for the loader \"own\"; there is but \"generic\"");
    setup(), add_text(XEN_ELFNOTE_FEATURES, "dom0|!supervisor_mode_kernel");
    rejected("the kernel requires the feature \"supervisor_mode_kernel\" (XENFEAT 3), which is not "
             "provided");
    setup(), add_text(XEN_ELFNOTE_FEATURES, "time_travel"); /* merely understood: no harm */
    accepted();
    setup(), add_text(XEN_ELFNOTE_FEATURES, "!time_travel|dom0");
    rejected("the kernel requires a feature \"time_travel\", which is unknown here");
    setup(), drop_notes(), add_text(XEN_ELFNOTE_GUEST_OS, "linux"),
        add_number(XEN_ELFNOTE_PHYS32_ENTRY, 0x101000);
    rejected(
        "the kernel has a PVH entry (Xen note 18), but none for paravirtualization (note 1): it is "
        "built without CONFIG_XEN_PV");
}
END_TEST

START_TEST(wrong_notes)
{
    Elf64_Nhdr n = {4, 0xfffffff0, XEN_ELFNOTE_ENTRY};

    memcpy(f.bytes + NOTES_AT, &n, sizeof(n));
    rejected(
        "the note at offset 0x200 with a name of 4 and a description of 4294967280 bytes leaves "
        "the note segment, which ends at 0x2a4");
    setup(), n = (Elf64_Nhdr){0xffffffff, 8, XEN_ELFNOTE_ENTRY};
    memcpy(f.bytes + NOTES_AT, &n, sizeof(n));
    rejected(
        "the note at offset 0x200 with a name of 4294967295 and a description of 8 bytes leaves "
        "the note segment, which ends at 0x2a4");
    setup(), f.s[SEG_NOTE].p_offset = 0x830;
    rejected("the note segment of 0xa4 bytes at 0x830 goes beyond the file's end at 0x840");
    setup(), add_note(XEN_ELFNOTE_INIT_P2M, "abc", 3);
    rejected("Xen note 15 at offset 0x2b4 is a number of 3 bytes, not 4 or 8");
    setup(), drop_notes();
    rejected(
        "the kernel has no ELF note of owner \"Xen\": it is not built to run paravirtualized");
    setup(), memcpy(f.bytes + NOTES_AT + 12, "Zen", 4); /* others' notes are passed over */
    accepted();
    ck_assert_str_eq(img.guest_os, "");
}
END_TEST

START_TEST(wrong_sections)
{
    add_sections(SHT_NOTE, "x"), f.h.e_shoff = FILE_SIZE - 100;
    rejected("section header 1 of the table at 0x7dc goes beyond the file's end at 0x840");
    setup(), add_sections(SHT_NOTE, "x"), f.h.e_shoff = ~0ull;
    rejected(
        "section header 0 of the table at 0xffffffffffffffff goes beyond the file's end at 0x840");
    setup(), add_sections(SHT_NOTE, "x"), f.h.e_shentsize = 40;
    rejected("section headers have 40 bytes (e_shentsize), not 64");
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("image");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, notes_are_understood);
    tcase_add_test(c, absent_notes_have_defaults);
    tcase_add_test(c, physical_addresses_may_count_from_an_offset);
    tcase_add_test(c, a_kernel_can_decline_dom0);
    tcase_add_test(c, texts_are_cut_and_made_printable);
    tcase_add_test(c, note_sections_serve_without_a_segment);
    tcase_add_test(c, segments_are_loaded_and_bss_cleared);
    tcase_add_test(c, wrong_headers);
    tcase_add_test(c, too_many_segments);
    tcase_add_test(c, wrong_segments);
    tcase_add_test(c, segments_stay_out_of_our_range);
    tcase_add_test(c, wrong_addresses);
    tcase_add_test(c, wrong_claims);
    tcase_add_test(c, wrong_notes);
    tcase_add_test(c, wrong_sections);
    return run_tests(suite_create("image"), c);
}
