/* SPDX-License-Identifier: MIT */
/* The edges of the state machine of page types, T1 to T8: what each needs and what it leaves. */
#include "mm_fixture.h"

START_TEST(a_booted_domain_has_its_types)
{
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(type_of(fake_page(d1, i)), FT_L1 + i);
        ck_assert_uint_eq(uses_of(fake_page(d1, i)), i == PAGE_L4 ? 2 : 1);
    }
    ck_assert_int_eq(type_of(fake_page(d1, PAGE_DATA)), FT_WR);
    ck_assert_uint_eq(refs_of(fake_page(d1, PAGE_DATA)), 2);
    ck_assert(!memcmp(fake_words(fake_page(d1, PAGE_L4)) + 256, hv_root + 256, 16 * 8)); /* T3 */
    ck_assert(fake_words(fake_page(d1, PAGE_L1))[0] & PTE_U);
}
END_TEST

START_TEST(a_writable_page_is_no_table)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    for (enum frame_type t = FT_L1; t <= FT_L4; t++)
        ck_assert_int_eq(pin(t, m), -XEN_EBUSY);
    said("writable page of d1");
    ck_assert_int_eq(ext(MMUEXT_NEW_BASEPTR, m), -XEN_EBUSY);
    ck_assert_int_eq(type_of(m), FT_WR);
    protect(PAGE_DATA, false);
    ck_assert_int_eq(type_of(m), FT_NONE); /* T7 */
    ck_assert_int_eq(pin(FT_L1, m), 0);
    ck_assert_int_eq(type_of(m), FT_L1);
    ck_assert_int_eq(map_va(VA(PAGE_DATA), fake_pte(m, RW)), -XEN_EBUSY);
    said("read-only");
}
END_TEST

START_TEST(types_become_known_before_tlbs_forget)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    uint64_t before;

    protect(PAGE_DATA, false); /* still in the TLB as writable */
    before = fake_flushes;
    ck_assert_int_eq(pin(FT_L1, m), 0); /* T2 */
    ck_assert_uint_gt(fake_flushes, before);
    ck_assert_int_eq(unpin(m), 0); /* T6 */
    before = fake_flushes;
    protect(PAGE_DATA, true); /* T1 after a table: it may still be walked through */
    ck_assert_uint_gt(fake_flushes, before);
    protect(PAGE_DATA, false);
    before = fake_flushes;
    protect(PAGE_DATA, true); /* T1 after a writable page: nothing to fear */
    ck_assert_uint_eq(fake_flushes, before);
    protect(PAGE_DATA, false);
    for (unsigned i = 0; i < FAKE_CPUS; i++)
        fake_tlb_drop(i);
    before = fake_flushes;
    ck_assert_int_eq(pin(FT_L1, m), 0); /* all have flushed since */
    ck_assert_uint_eq(fake_flushes, before);
}
END_TEST

/* A processor may remember where a table was after it is none any more. */
START_TEST(former_tables_are_forgotten_before_writes)
{
    mfn_t gdt = spare(PAGE_DATA + 1);
    uint64_t before;

    for (unsigned level = 1; level <= 4; level++) {
        mfn_t m = spare(PAGE_DATA + 3 + level);

        if (level > 1) /* so that it is really in the way */
            fake_words(m)[0] = fake_pte(fake_page(d1, level - 2), TABLE);
        if (level < 4)
            ck_assert_int_eq(update(fake_page(d1, level), 9, fake_pte(m, TABLE)), 0);
        else
            ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, m), 0);
        if (level < 4)
            ck_assert_int_eq(update(fake_page(d1, level), 9, 0), 0);
        else
            ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, mfn(0)), 0);
        before = fake_flushes;
        protect(PAGE_DATA + 3 + level, true);
        ck_assert_uint_gt(fake_flushes, before);
    }
    ck_assert_int_eq(seg_get(d1, gdt), 0);
    seg_put(d1, gdt);
    before = fake_flushes;
    protect(PAGE_DATA + 1, true);
    ck_assert_uint_gt(fake_flushes, before);
}
END_TEST

START_TEST(a_bad_entry_leaves_no_trace)
{
    mfn_t m = spare(PAGE_DATA), good = fake_page(d1, PAGE_DATA + 1), hers = fake_page(d2, 5);
    unsigned refs = refs_of(good);

    fake_words(m)[0] = fake_pte(good, RW);
    fake_words(m)[1] = fake_pte(good, RO);
    fake_words(m)[300] = fake_pte(hers, RO);
    ck_assert_int_eq(pin(FT_L1, m), -XEN_EPERM); /* T4 */
    said("entry 300 of L1 table");
    said("does not belong");
    ck_assert_int_eq(type_of(m), FT_NONE);
    ck_assert_uint_eq(refs_of(good), refs);
    ck_assert_uint_eq(uses_of(good), 1);
    fake_words(m)[300] = 0;
    ck_assert_int_eq(pin(FT_L1, m), 0);
    ck_assert_uint_eq(refs_of(good), refs + 2);
    ck_assert_uint_eq(uses_of(good), 2);
    ck_assert_int_eq(unpin(m), 0);
    ck_assert_uint_eq(refs_of(good), refs);
}
END_TEST

START_TEST(a_tree_is_validated_from_its_root)
{
    mfn_t t[5];

    for (unsigned level = 1; level <= 4; level++) {
        t[level] = spare(PAGE_DATA + level);
        for (unsigned i = 0; level > 1 && i < 3; i++) /* the same child three times */
            fake_words(t[level])[i * 100] = fake_pte(t[level - 1], TABLE & ~PTE_U);
    }
    fake_words(t[4])[260] = 0x666;
    ck_assert_int_eq(pin(FT_L4, t[4]), 0);
    for (unsigned level = 1; level <= 4; level++) {
        ck_assert_int_eq(type_of(t[level]), FT_L1 + level - 1);
        ck_assert_uint_eq(uses_of(t[level]), level == 4 ? 1 : 3);
    }
    ck_assert_uint_eq(fake_words(t[4])[260], hv_root[260]);
    ck_assert(fake_words(t[4])[0] & PTE_U);
    ck_assert_int_eq(pin(FT_L3, t[3]), 0);
    ck_assert_int_eq(unpin(t[4]), 0);
    ck_assert_int_eq(type_of(t[4]), FT_NONE);
    ck_assert_uint_eq(uses_of(t[3]), 1);
    ck_assert_int_eq(unpin(t[3]), 0);
    ck_assert_int_eq(type_of(t[1]), FT_NONE);
}
END_TEST

START_TEST(a_tree_with_one_bad_leaf_is_refused_whole)
{
    mfn_t t[5];

    for (unsigned level = 1; level <= 4; level++) {
        t[level] = spare(PAGE_DATA + level);
        if (level > 1)
            fake_words(t[level])[7] = fake_pte(t[level - 1], TABLE);
    }
    fake_words(t[2])[8] = fake_pte(spare(PAGE_DATA + 5), TABLE);
    fake_words(t[1])[511] = fake_pte(t[4], RW); /* writable to what it becomes */
    ck_assert_int_eq(pin(FT_L4, t[4]), -XEN_EBUSY);
    said("L1 table");
    for (unsigned level = 1; level <= 4; level++)
        ck_assert_int_eq(type_of(t[level]), FT_NONE);
    fake_words(t[1])[511] = fake_pte(t[4], RO); /* tables may be read */
    ck_assert_int_eq(pin(FT_L4, t[4]), 0);
}
END_TEST

START_TEST(tables_have_one_level)
{
    mfn_t m = spare(PAGE_DATA), l1 = fake_page(d1, PAGE_L1), l2 = fake_page(d1, PAGE_L2);

    fake_words(m)[0] = fake_pte(m, TABLE); /* itself */
    ck_assert_int_eq(pin(FT_L2, m), -XEN_EBUSY);
    fake_words(m)[0] = fake_pte(l2, TABLE);
    ck_assert_int_eq(pin(FT_L2, m), -XEN_EBUSY); /* same level */
    ck_assert_int_eq(pin(FT_L4, m), -XEN_EBUSY); /* skips one */
    ck_assert_int_eq(pin(FT_L3, m), 0);
    ck_assert_uint_eq(uses_of(l2), 2);
    ck_assert_int_eq(pin(FT_L2, l1), -XEN_EBUSY);
    ck_assert_int_eq(ext(MMUEXT_NEW_BASEPTR, m), -XEN_EBUSY);
    ck_assert_int_eq(update(fake_page(d1, PAGE_L4), 1, fake_pte(l2, TABLE)), -XEN_EBUSY);
    ck_assert_int_eq(update(l2, 1, fake_pte(l2, TABLE)), -XEN_EBUSY);
    ck_assert_int_eq(update(l2, 1, fake_pte(l1, TABLE)), 0);
    ck_assert_uint_eq(uses_of(l1), 2);
}
END_TEST

START_TEST(upper_entries_have_few_bits)
{
    static const uint64_t bad[] = {PTE_PSE, PTE_PWT, PTE_PCD, 1ull << 59, 1ull << 62};
    mfn_t l1 = fake_page(d1, PAGE_L1), m = spare(PAGE_DATA);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        fake_words(m)[0] = fake_pte(l1, TABLE | bad[i]);
        ck_assert_int_eq(pin(FT_L2, m), -XEN_EINVAL);
        said("not allowed above L1");
        ck_assert_int_eq(update(fake_page(d1, PAGE_L2), 1, fake_pte(l1, TABLE | bad[i])),
                         -XEN_EINVAL);
        ck_assert_int_eq(update(fake_page(d1, PAGE_L2), 0, fake_pte(l1, TABLE | bad[i])),
                         -XEN_EINVAL);
    }
    fake_words(m)[0] = fake_pte(l1, TABLE | PTE_NX | PTE_AVAIL | PTE_G);
    ck_assert_int_eq(pin(FT_L2, m), 0);
    ck_assert(!(fake_words(m)[0] & PTE_G));
}
END_TEST

START_TEST(pins_are_single)
{
    mfn_t m = spare(PAGE_DATA), hers = fake_page(d2, PAGE_L1);

    ck_assert_int_eq(unpin(m), -XEN_EINVAL);
    said("not pinned");
    ck_assert_int_eq(pin(FT_L1, m), 0);
    ck_assert_int_eq(pin(FT_L1, m), -XEN_EINVAL);
    said("pinned already");
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_int_eq(unpin(m), 0);
    ck_assert_int_eq(unpin(m), -XEN_EINVAL);
    ck_assert_int_eq(pin(FT_L1, hers), -XEN_EPERM);
    ck_assert_int_eq(unpin(hers), -XEN_EPERM);
    ck_assert_int_eq(unpin(mfn(1ull << 40)), -XEN_EPERM);
    ck_assert_int_eq(pin(FT_L1, mfn(1ull << 40)), -XEN_EPERM);
    ck_assert_int_eq(pin(FT_L1, mfn(fake_ram)), -XEN_EPERM); /* no RAM */
    ck_assert_int_eq(pin(FT_L1, mfn(0)), -XEN_EPERM);        /* the hypervisor's */
    ck_assert_int_eq(ext_for(MMUEXT_PIN_L1_TABLE, hers.n, 0, 2), -XEN_EPERM);
    run_as(d0);
    ck_assert_int_eq(ext_for(MMUEXT_PIN_L1_TABLE, hers.n, 0, 2), 0);
    ck_assert_uint_eq(uses_of(hers), 2);
    ck_assert_int_eq(ext_for(MMUEXT_UNPIN_TABLE, hers.n, 0, 2), 0);
}
END_TEST

START_TEST(roots_count)
{
    mfn_t old = fake_page(d1, PAGE_L4), m = spare(PAGE_DATA);
    uint64_t before = fake_flushes;

    fake_words(m)[0] = fake_words(old)[0];
    ck_assert_int_eq(ext(MMUEXT_NEW_BASEPTR, m), 0);
    ck_assert_uint_gt(fake_flushes, before);
    ck_assert_uint_eq(d1->vcpu[0]->kernel_cr3, m.n << PAGE_SHIFT);
    ck_assert_uint_eq(uses_of(old), 1);
    ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, old), 0);
    ck_assert_uint_eq(uses_of(old), 2);
    ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, mfn(0)), 0);
    ck_assert_uint_eq(uses_of(old), 1);
    ck_assert_int_eq(ext(MMUEXT_NEW_BASEPTR, fake_page(d2, PAGE_L4)), -XEN_EPERM);
    ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, fake_page(d1, PAGE_L3)), -XEN_EBUSY);
    ck_assert_int_eq(ext(MMUEXT_NEW_BASEPTR, old), 0);
    ck_assert_int_eq(type_of(m), FT_NONE);
}
END_TEST

START_TEST(descriptor_pages_hold_descriptors)
{
    mfn_t m = spare(PAGE_DATA);
    uint64_t frames[2] = {m.n, fake_page(d1, PAGE_L1).n};

    fake_words(m)[3] = 0x00af9b000000ffffull; /* ring 0 code */
    put_in_guest(frames, sizeof(frames));
    ck_assert_int_eq(call(__HYPERVISOR_set_gdt, FAKE_GUEST, 512, 0, 0), 0);
    ck_assert_int_eq(type_of(m), FT_SEG);
    ck_assert_uint_eq(fake_words(m)[3], 0x00affb000000ffffull); /* is ring 3 now */
    ck_assert_int_eq(map_va(VA(PAGE_DATA), fake_pte(m, RW)), -XEN_EBUSY);
    ck_assert_int_eq(pin(FT_L1, m), -XEN_EBUSY);
    ck_assert_int_eq(update(m, 0, 0), -XEN_EBUSY);
    put_in_guest(frames, sizeof(frames));
    ck_assert_int_eq(call(__HYPERVISOR_set_gdt, FAKE_GUEST, 1024, 0, 0), -XEN_EBUSY);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_int_eq(call(__HYPERVISOR_set_gdt, FAKE_GUEST, 0, 0, 0), 0);
    ck_assert_int_eq(type_of(m), FT_NONE);
    fake_words(m)[9] = 0x0000890000000000ull; /* a TSS */
    put_in_guest(frames, sizeof(frames));
    ck_assert_int_eq(call(__HYPERVISOR_set_gdt, FAKE_GUEST, 512, 0, 0), -XEN_EINVAL);
    said("system descriptor");
    ck_assert_int_eq(type_of(m), FT_NONE);
    protect(PAGE_DATA, true);
}
END_TEST

START_TEST(ldt_pages_are_typed_when_used)
{
    mfn_t m = spare(PAGE_DATA);

    ck_assert_int_eq(ext_for(MMUEXT_SET_LDT, VA(PAGE_DATA), 512, DOMID_SELF), 0);
    ck_assert_int_eq(type_of(m), FT_NONE);
    ck_assert(fake_ldt_fault(d1->vcpu[0], 0));
    ck_assert_int_eq(type_of(m), FT_SEG);
    fake_audit();
    ck_assert_int_eq(ext_for(MMUEXT_SET_LDT, 0, 0, DOMID_SELF), 0);
    ck_assert_int_eq(type_of(m), FT_NONE);
    ck_assert_int_eq(ext_for(MMUEXT_SET_LDT, VA(PAGE_DATA) + 8, 512, DOMID_SELF), -XEN_EINVAL);
}
END_TEST

/* Counts near their end: no audit, they are not true. */
START_TEST(counts_refuse_before_they_wrap)
{
    mfn_t data = fake_page(d1, PAGE_DATA), l1 = fake_page(d1, PAGE_L1);
    uint64_t w = mfn_frame(data)->word, v = mfn_frame(l1)->word;
    struct mmu_update u = {fake_maddr(l1, 100), fake_pte(data, RW)};

    mfn_frame(data)->word = w | FW_COUNT_HIGH;
    put_in_guest(&u, sizeof(u));
    ck_assert_int_lt(do_mmu_update(FAKE_GUEST, 1, 0, DOMID_SELF), 0);
    mfn_frame(data)->word = w | FW_REF_HIGH;
    ck_assert_int_lt(do_mmu_update(FAKE_GUEST, 1, 0, DOMID_SELF), 0);
    u.val = fake_pte(data, RO);
    put_in_guest(&u, sizeof(u));
    ck_assert_int_lt(do_mmu_update(FAKE_GUEST, 1, 0, DOMID_SELF), 0);
    ck_assert(!frame_get_ref(mfn_frame(data), d1));
    ck_assert_int_lt(frame_get_writable(mfn_frame(data), d1), 0);
    mfn_frame(data)->word = w;
    mfn_frame(l1)->word = v | FW_COUNT_HIGH;
    ck_assert_int_eq(pt_pin(d1, l1, FT_L1), -XEN_EBUSY);
    said("too many uses");
    ck_assert_int_lt(pt_get_root(d1, l1), 0);
    mfn_frame(l1)->word = v;
}
END_TEST

START_TEST(the_last_reference_frees)
{
    mfn_t m = spare(PAGE_DATA);
    struct frame *f = mfn_frame(m);
    uint64_t pages = d1->tot_pages;

    ck_assert_int_eq(map_va(VA(PAGE_DATA), 0), 0);
    ck_assert(frame_get_ref(f, d1));
    ck_assert(!frame_get_ref(f, d2));
    frame_put_ref(f);
    ck_assert_uint_eq(d1->tot_pages, pages);
    frame_put_ref(f); /* T8 */
    ck_assert_uint_eq(d1->tot_pages, pages - 1);
    ck_assert(!f->owner);
    ck_assert(!frame_get_ref(f, d1));
    ck_assert_int_eq(frame_get_writable(f, d1), -XEN_EPERM);
    ck_assert_int_eq(map_va(VA(PAGE_DATA), fake_pte(m, RO)), -XEN_EPERM);
    fake_audit();
    ck_assert_int_eq(domain_alloc_frames(d2, 0, HEAP_ANY_BITS, &m),
                     0); /* whoever has it next sees nothing */
    ck_assert_uint_eq(fake_words(m)[0], 0);
}
END_TEST

/* The owner's reference goes first, the last use frees. */
START_TEST(a_table_may_be_the_last_user)
{
    mfn_t m = spare(PAGE_DATA), l1 = spare(PAGE_DATA + 1);
    uint64_t free = heap_free_frames();

    fake_words(l1)[0] = fake_pte(m, RW);
    ck_assert_int_eq(pin(FT_L1, l1), 0);
    ck_assert_int_eq(map_va(VA(PAGE_DATA), 0), 0);
    frame_put_ref(mfn_frame(m));
    ck_assert_int_eq(type_of(m), FT_WR);
    ck_assert_uint_eq(heap_free_frames(), free);
    pt_unpin(d1, l1);
    ck_assert_uint_eq(heap_free_frames(), free + 1);
}
END_TEST

START_TEST(caches_of_odd_mappings_agree_before_use)
{
    mfn_t m;

    run_as(d0);
    m = fake_page(d0, PAGE_DATA);
    ck_assert_int_eq(map_va(VA(PAGE_DATA), fake_pte(m, RW | PTE_PCD)), 0);
    ck_assert(mfn_frame(m)->word & FW_NC);
    protect(PAGE_DATA, false);
    fake_cache_flushes = 0;
    ck_assert_int_eq(pin(FT_L1, m), 0);
    ck_assert_uint_eq(fake_cache_flushes, 1);
    ck_assert_int_eq(unpin(m), 0);
    ck_assert_int_eq(map_va(VA(PAGE_DATA), 0), 0);
    frame_put_ref(mfn_frame(m));
    ck_assert_uint_eq(fake_cache_flushes, 2);
}
END_TEST

START_TEST(the_dying_make_no_tables)
{
    mfn_t m = spare(PAGE_DATA);

    d1->dying = true;
    ck_assert_int_lt(pin(FT_L1, m), 0);
    said("dying");
    ck_assert_int_lt(pt_get_root(d1, m), 0);
    ck_assert_int_eq(pt_get_root(d1, fake_page(d1, PAGE_L4)), 0);
    pt_put_root(d1, fake_page(d1, PAGE_L4));
}
END_TEST

int main(void)
{
    RUN_TESTS("types", a_booted_domain_has_its_types, a_writable_page_is_no_table,
              types_become_known_before_tlbs_forget, former_tables_are_forgotten_before_writes,
              a_bad_entry_leaves_no_trace, a_tree_is_validated_from_its_root,
              a_tree_with_one_bad_leaf_is_refused_whole, tables_have_one_level,
              upper_entries_have_few_bits, pins_are_single, roots_count,
              descriptor_pages_hold_descriptors, ldt_pages_are_typed_when_used,
              counts_refuse_before_they_wrap, the_last_reference_frees,
              a_table_may_be_the_last_user, caches_of_odd_mappings_agree_before_use,
              the_dying_make_no_tables);
}
