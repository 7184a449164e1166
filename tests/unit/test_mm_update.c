/* SPDX-License-Identifier: MIT */
/* mmu_update and update_va_mapping: what entries may become, batches, other domains, and the
 * sentences of refusals. */
#include "mm_fixture.h"

#define L1 (fake_page(host_current->domain, PAGE_L1))

START_TEST(leaves_are_counted)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    ck_assert_int_eq(update(L1, 100, fake_pte(m, RW)), 0);
    ck_assert_uint_eq(uses_of(m), 2);
    ck_assert_int_eq(update(L1, 100, fake_pte(m, RO)), 0);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_uint_eq(refs_of(m), 3);
    ck_assert_int_eq(update(L1, 100, fake_pte(fake_page(d1, PAGE_DATA + 1), RW)), 0);
    ck_assert_uint_eq(refs_of(m), 2);
    ck_assert_int_eq(update(L1, 100, 0), 0);
    ck_assert_uint_eq(uses_of(fake_page(d1, PAGE_DATA + 1)), 1);
}
END_TEST

START_TEST(absent_entries_hold_anything)
{
    static const uint64_t junk[] = {~1ull, 0xdead0000, 0x8000000000000000, PTE_RW | PTE_PSE};

    for (unsigned i = 0; i < ARRAY_SIZE(junk); i++) {
        ck_assert_int_eq(update(L1, 100, junk[i]), 0);
        ck_assert_uint_eq(fake_words(L1)[100], junk[i]);
        ck_assert_int_eq(update(fake_page(d1, PAGE_L3), 100, junk[i]), 0);
        ck_assert_uint_eq(fake_words(fake_page(d1, PAGE_L3))[100], junk[i]);
    }
    ck_assert_int_eq(update(L1, 100, fake_pte(fake_page(d1, PAGE_DATA), RW)), 0);
}
END_TEST

START_TEST(entries_are_made_normal)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    ck_assert_int_eq(update(L1, 100, fake_pte(m, PTE_P | PTE_G | PTE_NX | PTE_AVAIL)), 0);
    ck_assert_uint_eq(fake_words(L1)[100], fake_pte(m, PTE_P | PTE_U | PTE_NX | PTE_AVAIL));
    ck_assert_int_eq(update(L1, 100, fake_pte(m, PTE_P | PTE_G)), 0); /* without counting */
    ck_assert_uint_eq(fake_words(L1)[100], fake_pte(m, PTE_P | PTE_U));
    ck_assert_uint_eq(refs_of(m), 3);
}
END_TEST

START_TEST(bits_that_no_leaf_may_have)
{
    static const uint64_t bad[] = {1ull << 59, 1ull << 62, PTE_PWT, PTE_PCD, PTE_PAT};
    mfn_t m = fake_page(d1, PAGE_DATA);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        ck_assert_int_lt(update(L1, 100, fake_pte(m, RO | bad[i])), 0);
        ck_assert_int_lt(update(L1, PAGE_DATA, fake_pte(m, RW | bad[i])), 0);
    }
    ck_assert_uint_eq(refs_of(m), 2);
    run_as(d0); /* may choose cache attributes, but no reserved bits either */
    ck_assert_int_eq(update(L1, 100, fake_pte(fake_page(d0, PAGE_DATA), RO | PTE_PCD)), 0);
    ck_assert_int_lt(update(L1, 100, fake_pte(fake_page(d0, PAGE_DATA), RO | 1ull << 59)), 0);
    ck_assert_int_eq(update(L1, 100, fake_pte(fake_page(d0, PAGE_DATA), RO)), 0);
}
END_TEST

START_TEST(frames_of_others_stay_theirs)
{
    mfn_t hers = fake_page(d2, PAGE_DATA);

    ck_assert_int_eq(update(L1, 100, fake_pte(hers, RO)), -XEN_EPERM);
    said("does not belong");
    ck_assert_int_eq(update(L1, 100, fake_pte(hers, RW)), -XEN_EPERM);
    ck_assert_int_eq(update(L1, 100, fake_pte(mfn(0), RO)), -XEN_EPERM);
    ck_assert_int_eq(update(L1, 100, fake_pte(mfn(fake_ram), RO)), -XEN_EPERM);
    said("no RAM");
    ck_assert_int_eq(update(L1, 100, fake_pte(mfn(1ull << 39), RO)), -XEN_EPERM);
    ck_assert_int_eq(update(fake_page(d2, PAGE_L1), 100, 0), -XEN_EPERM);
    said("lies in no frame of d1");
    ck_assert_int_eq(update(mfn(fake_ram), 0, 0), -XEN_EPERM);
    ck_assert_int_eq(update(mfn(1ull << 39), 0, 0), -XEN_EPERM);
    ck_assert_int_eq(update(fake_page(d1, PAGE_L2), 1, fake_pte(fake_page(d2, PAGE_L1), TABLE)),
                     -XEN_EPERM);
    ck_assert_uint_eq(refs_of(hers), 2);
}
END_TEST

START_TEST(tables_are_not_mapped_writable)
{
    ck_assert_int_eq(update(L1, 100, fake_pte(L1, RW)), -XEN_EBUSY);
    said("L1 page table of d1");
    ck_assert_int_eq(update(L1, PAGE_L4, fake_pte(fake_page(d1, PAGE_L4), RW)), -XEN_EBUSY);
    ck_assert_int_eq(update(L1, 100, fake_pte(L1, RO)), 0);
    ck_assert_int_eq(update(L1, 100, 0), 0);
}
END_TEST

START_TEST(the_hardware_domain_acts_for_others)
{
    mfn_t hers = fake_page(d2, PAGE_DATA);

    ck_assert_int_eq(update_for(L1, 100, 0, 2), -XEN_EPERM);
    ck_assert_int_eq(update_for(L1, 100, 0, 55), -XEN_ESRCH);
    ck_assert_int_eq(update_for(L1, 100, 0, DOMID_IO), 0);
    run_as(d0);
    ck_assert_int_eq(update_for(L1, 100, fake_pte(hers, RW), 2), 0); /* its table, her frame */
    ck_assert_uint_eq(uses_of(hers), 2);
    ck_assert_int_eq(update(L1, 100, fake_pte(hers, RW | PTE_AVAIL)), 0); /* still the same */
    ck_assert_int_eq(update(L1, 100, fake_pte(hers, RO)), -XEN_EPERM);
    ck_assert_int_eq(update(L1, 100, 0), 0);
    ck_assert_uint_eq(uses_of(hers), 1);
    ck_assert_int_eq(update_for(fake_page(d2, PAGE_L1), 100, fake_pte(hers, RW), 3u << 16 | 2), 0);
    ck_assert_int_eq(update_for(fake_page(d2, PAGE_L1), 100, 0, 3u << 16 | DOMID_SELF), 0);
    ck_assert_int_eq(update_for(fake_page(d2, PAGE_L1), 100, 0, 56u << 16 | 2), -XEN_ESRCH);
    ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping_otherdomain, VA(100), fake_pte(hers, RO),
                          UVMF_INVLPG, 2),
                     0);
    ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping_otherdomain, VA(100), 0, 0, 77),
                     -XEN_ESRCH);
}
END_TEST

START_TEST(device_memory_is_the_hardware_domains)
{
    run_as(d0);
    ck_assert_int_eq(update(L1, 100, fake_pte(mfn(fake_ram), RW | PTE_PCD | PTE_PWT)), 0);
    ck_assert_int_eq(update(L1, 101, fake_pte(mfn(1ull << 30), RW)), 0);
    ck_assert_int_eq(update_for(L1, 102, fake_pte(mfn(1ull << 30), RW), DOMID_IO), 0);
    ck_assert_int_eq(update(L1, 103, fake_pte(mfn(1ull << 39), RW)), -XEN_EINVAL);
    said("no such address");
    ck_assert_int_eq(update_for(L1, 104, fake_pte(mfn(1ull << 30), RW), 1), -XEN_EPERM);
    d0->mmio_forbidden[0][0] = 0xfee00;
    d0->mmio_forbidden[0][1] = 0xfee01;
    d0->mmio_forbidden_count = 1;
    ck_assert_int_eq(update(L1, 105, fake_pte(mfn(0xfee01), RO)), -XEN_EPERM);
    said("hypervisor's own");
    ck_assert_int_eq(update(L1, 105, fake_pte(mfn(0xfee02), RO)), 0);
    ck_assert_int_eq(update(L1, 105, fake_pte(mfn(0xfedff), RO)), 0);
    ck_assert_int_eq(update(L1, 100, 0), 0);
}
END_TEST

START_TEST(accessed_and_dirty_may_be_kept)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct mmu_update u = {fake_maddr(L1, PAGE_DATA) | MMU_PT_UPDATE_PRESERVE_AD,
                           fake_pte(m, PTE_P | PTE_U | PTE_RW)};

    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(fake_words(L1)[PAGE_DATA], fake_pte(m, RW));
    u.val = fake_pte(m, PTE_P | PTE_U);
    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(fake_words(L1)[PAGE_DATA], fake_pte(m, RO | PTE_D));
    u.val = 0;
    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(fake_words(L1)[PAGE_DATA], 0);
    u.ptr = fake_maddr(fake_page(d1, PAGE_L2), 0) | MMU_PT_UPDATE_PRESERVE_AD;
    u.val = fake_pte(L1, PTE_P | PTE_RW | PTE_U);
    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(fake_words(fake_page(d1, PAGE_L2))[0], fake_pte(L1, TABLE));
}
END_TEST

START_TEST(m2p_entries)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct mmu_update u = {m.n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0x1234};

    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(m2p_get(m), 0x1234);
    u.ptr = fake_page(d2, 7).n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
    ck_assert_int_eq(updates(&u, 1), -XEN_EPERM);
    ck_assert_uint_eq(m2p_get(fake_page(d2, 7)), 7);
    u.ptr = 1ull << 60 | MMU_MACHPHYS_UPDATE;
    ck_assert_int_eq(updates(&u, 1), -XEN_EPERM);
    u.ptr = fake_page(d2, 7).n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
    run_as(d0);
    ck_assert_int_eq(call_batch(__HYPERVISOR_mmu_update, &u, sizeof(u), 1, 2), 0);
}
END_TEST

START_TEST(hypervisor_slots_are_left_alone)
{
    mfn_t l4 = fake_page(d1, PAGE_L4);

    for (unsigned i = HV_SLOT_FIRST; i <= HV_SLOT_LAST; i++)
        ck_assert_int_eq(update(l4, i, fake_pte(fake_page(d1, PAGE_L3), TABLE)), 0);
    ck_assert_int_eq(update(l4, 255, fake_pte(fake_page(d1, PAGE_L3), TABLE)), 0);
    ck_assert_int_eq(update(l4, 272, fake_pte(fake_page(d1, PAGE_L3), TABLE)), 0);
    ck_assert_uint_eq(uses_of(fake_page(d1, PAGE_L3)), 3);
    ck_assert_int_eq(update(fake_page(d1, PAGE_L3), 256, 0), 0);
}
END_TEST

START_TEST(pages_that_are_no_tables_are_data)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct mmu_update u = {fake_maddr(m, 5) | MMU_PT_UPDATE_PRESERVE_AD, PTE_P};

    ck_assert_int_eq(update(m, 5, 0x123456789abcdef0), 0);
    ck_assert_uint_eq(fake_words(m)[5], 0x123456789abcdef0);
    fake_words(m)[5] = PTE_A;
    ck_assert_int_eq(updates(&u, 1), 0);
    ck_assert_uint_eq(fake_words(m)[5], PTE_P | PTE_A);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_int_eq(update(d1->shared_mfn, 300, 7), 0);
}
END_TEST

START_TEST(data_becomes_a_table_in_the_same_batch)
{
    mfn_t m = spare(PAGE_DATA + 3), data = fake_page(d1, PAGE_DATA);
    struct mmu_update u[] = {
        {fake_maddr(m, 5), fake_pte(data, RW)},    {fake_maddr(L1, 100), fake_pte(data, RO)},
        {fake_maddr(m, 6), 0},                     {fake_maddr(L1, 101), fake_pte(data, RO)},
        {fake_maddr(fake_page(d1, PAGE_L2), 1), fake_pte(m, TABLE)},
        {fake_maddr(m, 7), fake_pte(data, RW)},
    };

    ck_assert_int_eq(updates(u, ARRAY_SIZE(u)), 0);
    ck_assert_uint_eq(type_of(m), FT_L1);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_uint_eq(uses_of(data), 3); /* its mapping, and entries 5 and 7 */
    ck_assert_uint_eq(fake_words(m)[7], fake_pte(data, RW));
    u[0].val = fake_pte(fake_page(d1, PAGE_L4), RW); /* an entry of a table now, and judged */
    ck_assert_int_eq(updates(u, 1), -XEN_EBUSY);
}
END_TEST

START_TEST(batches_stop_at_the_first_refusal)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct mmu_update u[4] = {{fake_maddr(L1, 100), fake_pte(m, RO)},
                              {fake_maddr(L1, 101), fake_pte(m, RO)},
                              {fake_maddr(L1, 102), fake_pte(L1, RW)},
                              {fake_maddr(L1, 103), fake_pte(m, RO)}};

    ck_assert_int_eq(updates(u, 4), -XEN_EBUSY);
    ck_assert_uint_eq(done, 2);
    said("request 2: entry 102 of L1 table");
    ck_assert(fake_words(L1)[101] && !fake_words(L1)[103]);
    ck_assert_int_eq(updates(u, 0), 0);
    ck_assert_uint_eq(done, 0);
    u[0].ptr |= 4;
    ck_assert_int_eq(updates(u, 1), -XEN_ENOSYS);
}
END_TEST

START_TEST(long_batches_pause)
{
    struct mmu_update u[300];
    uint64_t before = fake_preempts;

    for (unsigned i = 0; i < 300; i++)
        u[i] = (struct mmu_update){fake_maddr(L1, 100 + i), fake_pte(fake_page(d1, 4 + i % 8), RO)};
    ck_assert_int_eq(updates(u, 300), 0);
    ck_assert_uint_eq(done, 300);
    ck_assert_uint_ge(fake_preempts, before + 4);
    d1->dying = true;
    ck_assert_int_eq(updates(u, 300), -XEN_EAGAIN);
    ck_assert_uint_lt(done, 300);
}
END_TEST

START_TEST(lists_that_fault)
{
    struct mmu_update u = {fake_maddr(L1, 100), 0};

    put_in_guest(&u, sizeof(u));
    ck_assert_int_eq(call(__HYPERVISOR_mmu_update, 0x1000, 1, 0, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_mmu_update, HV_VIRT_START, 1, 0, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_mmu_update, 0x7ffffffffff0, 2, 0, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_mmu_update, FAKE_GUEST, 1, 0x1000, DOMID_SELF), -XEN_EFAULT);
    for (fake_fault_after = 0; fake_fault_after < 16;) {
        int64_t at = fake_fault_after;

        ck_assert_int_eq(call(__HYPERVISOR_mmu_update, FAKE_GUEST, 1, 0, DOMID_SELF), -XEN_EFAULT);
        fake_fault_after = at + 1;
    }
    fake_fault_after = -1;
    ck_assert_int_eq(call(__HYPERVISOR_mmu_update, FAKE_GUEST, 1, 0, DOMID_SELF), 0);
}
END_TEST

START_TEST(addresses_find_their_entry)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    static const uint64_t flags[] = {UVMF_NONE,
                                     UVMF_TLB_FLUSH,
                                     UVMF_INVLPG,
                                     UVMF_TLB_FLUSH | UVMF_ALL,
                                     UVMF_INVLPG | UVMF_ALL,
                                     UVMF_TLB_FLUSH | FAKE_GUEST};

    for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
        ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping, VA(100) + 0x123,
                              fake_pte(m, RO | (i & 1 ? PTE_RW : 0)), flags[i], 0),
                         0);
        ck_assert_uint_eq(pte_mfn(fake_words(L1)[100]).n, m.n);
    }
    ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping, VA(100), 0, 3, 0), -XEN_EINVAL);
    ck_assert_int_eq(call(__HYPERVISOR_update_va_mapping, VA(100), 0, UVMF_INVLPG | 0x1000, 0),
                     -XEN_EFAULT);
    ck_assert_int_eq(
        call(__HYPERVISOR_update_va_mapping, VA(100), 0, UVMF_INVLPG | HV_VIRT_START, 0),
        -XEN_EFAULT);
    for (unsigned shift = 21; shift <= 39; shift += 9) { /* no table at level 1, 2, 3 */
        ck_assert_int_eq(map_va(1ull << shift, 0), -XEN_EINVAL);
        said("has no L1 table there");
    }
    ck_assert_int_eq(map_va(HV_VIRT_START, 0), -XEN_EINVAL);
    said("nor may");
    ck_assert_int_eq(map_va(0x800000000000, 0), -XEN_EINVAL);
    ck_assert_int_eq(map_va(VA(100), fake_pte(L1, RW)), -XEN_EBUSY);
}
END_TEST

START_TEST(lookups_need_no_lock)
{
    uint64_t pte;

    ck_assert(pt_lookup(d1->vcpu[0], VA(PAGE_DATA), &pte));
    ck_assert_uint_eq(pte, fake_words(L1)[PAGE_DATA]);
    ck_assert(pt_lookup(d1->vcpu[0], VA(400), &pte));
    ck_assert_uint_eq(pte, 0);
    ck_assert(!pt_lookup(d1->vcpu[0], 1ull << 21, &pte));
    ck_assert(!pt_lookup(d1->vcpu[0], HV_VIRT_START, &pte));
    ck_assert_int_eq(map_va(VA(100), fake_pte(L1, RO)), 0);
    fake_words(fake_page(d1, PAGE_L2))[5] = fake_pte(fake_page(d2, 7), TABLE); /* as in a race */
    ck_assert(!pt_lookup(d1->vcpu[0], 5ull << 21, &pte));
    fake_words(fake_page(d1, PAGE_L2))[5] = 0;
}
END_TEST

int main(void)
{
    RUN_TESTS("updates", leaves_are_counted, absent_entries_hold_anything, entries_are_made_normal,
              bits_that_no_leaf_may_have, frames_of_others_stay_theirs,
              tables_are_not_mapped_writable, the_hardware_domain_acts_for_others,
              device_memory_is_the_hardware_domains, accessed_and_dirty_may_be_kept, m2p_entries,
              hypervisor_slots_are_left_alone, pages_that_are_no_tables_are_data,
              data_becomes_a_table_in_the_same_batch, batches_stop_at_the_first_refusal, long_batches_pause, lists_that_fault,
              addresses_find_their_entry, lookups_need_no_lock);
}
