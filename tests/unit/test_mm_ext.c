/* SPDX-License-Identifier: MIT */
/* mmuext_op besides pins and roots (test_mm_types.c): flushes, whole pages, batches. */
#include "mm_fixture.h"

START_TEST(pages_are_cleared_and_copied)
{
    mfn_t a = fake_page(d1, PAGE_DATA), b = fake_page(d1, PAGE_DATA + 1),
          hers = fake_page(d2, PAGE_DATA);

    fake_words(a)[0] = fake_words(a)[511] = 0x41;
    ck_assert_int_eq(ext_for(MMUEXT_COPY_PAGE, b.n, a.n, DOMID_SELF), 0);
    ck_assert(!memcmp(fake_words(a), fake_words(b), PAGE_SIZE));
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, b), 0);
    ck_assert_uint_eq(fake_words(b)[511], 0);
    ck_assert_uint_eq(uses_of(b), 1);
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, fake_page(d1, PAGE_L1)), -XEN_EBUSY);
    said("L1 page table of d1");
    ck_assert_int_eq(ext_for(MMUEXT_COPY_PAGE, fake_page(d1, PAGE_L1).n, a.n, DOMID_SELF),
                     -XEN_EBUSY);
    ck_assert_int_eq(ext_for(MMUEXT_COPY_PAGE, b.n, fake_page(d1, PAGE_L1).n, DOMID_SELF), 0);
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, hers), -XEN_EPERM);
    ck_assert_int_eq(ext_for(MMUEXT_COPY_PAGE, b.n, hers.n, DOMID_SELF), -XEN_EPERM);
    said("cannot be read");
    ck_assert_int_eq(ext_for(MMUEXT_COPY_PAGE, b.n, 1ull << 50, DOMID_SELF), -XEN_EPERM);
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, mfn(fake_ram)), -XEN_EPERM);
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, mfn(1ull << 50)), -XEN_EPERM);
    ck_assert_int_eq(ext_for(MMUEXT_CLEAR_PAGE, fake_ram, 0, DOMID_IO), -XEN_EPERM);
    ck_assert_int_eq(ext(MMUEXT_CLEAR_PAGE, mfn(0)), -XEN_EPERM);
    run_as(d0);
    ck_assert_int_eq(ext_for(MMUEXT_CLEAR_PAGE, fake_ram, 0, DOMID_IO), -XEN_EPERM);
    fake_words(hers)[7] = 7;
    ck_assert_int_eq(ext_for(MMUEXT_CLEAR_PAGE, hers.n, 0, 2), 0);
    ck_assert_uint_eq(fake_words(hers)[7], 0);
}
END_TEST

START_TEST(flushes_reach_whom_they_name)
{
    uint64_t epoch[FAKE_CPUS];
    uint64_t mask = 2;

    memcpy(fake_guest + 0x4000, &mask, sizeof(mask));
    for (unsigned i = 0; i < FAKE_CPUS; i++)
        epoch[i] = percpu_of[i]->flush_epoch;
    fake_run(d1->vcpu[1]);
    run_as(d1);
    ck_assert_int_eq(ext(MMUEXT_TLB_FLUSH_LOCAL, mfn(0)), 0);
    ck_assert_uint_gt(percpu_of[d1->vcpu[0]->pcpu->id]->flush_epoch, epoch[d1->vcpu[0]->pcpu->id]);
    epoch[2] = percpu_of[d1->vcpu[1]->pcpu->id]->flush_epoch;
    ck_assert_int_eq(ext_for(MMUEXT_TLB_FLUSH_MULTI, 0, FAKE_GUEST + 0x4000, DOMID_SELF), 0);
    ck_assert_uint_gt(percpu_of[d1->vcpu[1]->pcpu->id]->flush_epoch, epoch[2]);
    ck_assert_int_eq(ext_for(MMUEXT_INVLPG_MULTI, VA(5), FAKE_GUEST + 0x4000, DOMID_SELF), 0);
    ck_assert_int_eq(ext_for(MMUEXT_TLB_FLUSH_MULTI, 0, 0x1000, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(ext_for(MMUEXT_INVLPG_MULTI, 0, HV_VIRT_START, DOMID_SELF), -XEN_EFAULT);
    epoch[2] = percpu_of[d1->vcpu[1]->pcpu->id]->flush_epoch;
    ck_assert_int_eq(ext(MMUEXT_TLB_FLUSH_ALL, mfn(0)), 0);
    ck_assert_uint_gt(percpu_of[d1->vcpu[1]->pcpu->id]->flush_epoch, epoch[2]);
    ck_assert_int_eq(ext_for(MMUEXT_INVLPG_LOCAL, VA(5), 0, DOMID_SELF), 0);
    ck_assert_int_eq(ext_for(MMUEXT_INVLPG_LOCAL, HV_VIRT_START, 0, DOMID_SELF), 0);
    ck_assert_int_eq(ext_for(MMUEXT_INVLPG_ALL, VA(5), 0, DOMID_SELF), 0);
    ck_assert_int_eq(ext(MMUEXT_FLUSH_CACHE, mfn(0)), 0);
    ck_assert_int_eq(ext(MMUEXT_FLUSH_CACHE_GLOBAL, mfn(0)), 0);
}
END_TEST

/* With one CPU there is nobody else to ask. */
START_TEST(one_cpu_flushes_itself)
{
    uint64_t epoch;

    cpu_count = 1;
    epoch = host_current->pcpu->flush_epoch;
    ck_assert_int_eq(ext(MMUEXT_TLB_FLUSH_ALL, mfn(0)), 0);
    ck_assert_uint_gt(host_current->pcpu->flush_epoch, epoch);
    cpu_count = FAKE_CPUS;
}
END_TEST

START_TEST(unknown_operations)
{
    ck_assert_int_eq(ext(MMUEXT_MARK_SUPER, mfn(0)), -XEN_EOPNOTSUPP);
    ck_assert_int_eq(ext(MMUEXT_UNMARK_SUPER, mfn(0)), -XEN_EOPNOTSUPP);
    ck_assert_int_eq(ext(14, mfn(0)), -XEN_ENOSYS);
    ck_assert_int_eq(ext(99, mfn(0)), -XEN_ENOSYS);
    ck_assert_int_eq(ext_for(MMUEXT_TLB_FLUSH_ALL, 0, 0, 2), -XEN_EPERM);
    ck_assert_int_eq(ext_for(MMUEXT_TLB_FLUSH_ALL, 0, 0, 99), -XEN_ESRCH);
    run_as(d0); /* roots and flushes are the caller's own */
    ck_assert_int_eq(ext_for(MMUEXT_TLB_FLUSH_ALL, 0, 0, 2), -XEN_ENOSYS);
    ck_assert_int_eq(ext_for(MMUEXT_NEW_BASEPTR, fake_page(d2, PAGE_L4).n, 0, 2), -XEN_ENOSYS);
}
END_TEST

START_TEST(batches)
{
    mfn_t m = spare(PAGE_DATA);
    struct mmuext_op op[3] = {{.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = m.n},
                              {.cmd = 99},
                              {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = m.n}};

    ck_assert_int_eq(call_batch(__HYPERVISOR_mmuext_op, op, sizeof(*op), 3, DOMID_SELF),
                     -XEN_ENOSYS);
    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(type_of(m), FT_L1);
    op[0].cmd = MMUEXT_TLB_FLUSH_LOCAL;
    op[1].cmd = MMUEXT_UNPIN_TABLE;
    op[1].arg1.mfn = m.n;
    ck_assert_int_eq(call_batch(__HYPERVISOR_mmuext_op, op, sizeof(*op), 2, DOMID_SELF), 0);
    ck_assert_uint_eq(done, 2);
    d1->dying = true;
    ck_assert_int_eq(call_batch(__HYPERVISOR_mmuext_op, op, sizeof(*op), 2, DOMID_SELF),
                     -XEN_EAGAIN);
}
END_TEST

START_TEST(lists_that_fault)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    put_in_guest(&op, sizeof(op));
    ck_assert_int_eq(call(__HYPERVISOR_mmuext_op, 0x1000, 1, 0, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_mmuext_op, HV_VIRT_START, 1, 0, DOMID_SELF), -XEN_EFAULT);
    ck_assert_int_eq(call(__HYPERVISOR_mmuext_op, FAKE_GUEST, 1, 0x1000, DOMID_SELF), -XEN_EFAULT);
    for (int64_t at = 0; at < 24; at++) {
        fake_fault_after = at;
        ck_assert_int_eq(call(__HYPERVISOR_mmuext_op, FAKE_GUEST, 1, 0, DOMID_SELF), -XEN_EFAULT);
    }
    fake_fault_after = -1;
}
END_TEST

/* A stock kernel turns pages into tables and back in lists of calls. */
START_TEST(calls_in_a_list_are_done_in_order)
{
    struct multicall_entry c[3] = {{.op = __HYPERVISOR_update_va_mapping},
                                   {.op = __HYPERVISOR_mmuext_op},
                                   {.op = __HYPERVISOR_update_va_mapping}};
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = m.n};

    memcpy(fake_guest + 0x4000, &op, sizeof(op));
    memcpy(c[0].args, (uint64_t[]){VA(PAGE_DATA), fake_pte(m, RO), UVMF_NONE}, 24);
    memcpy(c[1].args, (uint64_t[]){FAKE_GUEST + 0x4000, 1, 0, DOMID_SELF}, 32);
    memcpy(c[2].args, (uint64_t[]){VA(PAGE_DATA), fake_pte(m, RW), UVMF_NONE}, 24);
    put_in_guest(c, sizeof(c));
    ck_assert_int_eq(do_multicall(FAKE_GUEST, 3), 0);
    fake_audit();
    memcpy(c, fake_guest, sizeof(c));
    ck_assert_int_eq((long)c[0].result, 0);
    ck_assert_int_eq((long)c[1].result, 0);
    ck_assert_int_eq((long)c[2].result, -XEN_EBUSY);
    ck_assert_int_eq(type_of(m), FT_L1);
    ck_assert_int_eq(do_multicall(0x1000, 1), -XEN_EFAULT);
    ck_assert_int_eq(do_multicall(HV_VIRT_START, 1), -XEN_EFAULT);
    fake_fault_after = 48; /* the call can be read, its result cannot be written */
    ck_assert_int_eq(do_multicall(FAKE_GUEST, 1), -XEN_EFAULT);
    fake_fault_after = -1;
}
END_TEST

/* What the rest of the hypervisor may ask for. */
START_TEST(pins_from_inside)
{
    mfn_t m = spare(PAGE_DATA);

    ck_assert_int_eq(pt_pin(d1, m, FT_L1), 0);
    ck_assert_int_eq(pt_pin(d1, m, FT_L1), -XEN_EINVAL);
    fake_audit();
    ck_assert_int_eq(pt_unpin(d1, m), 0);
    ck_assert_int_eq(pt_unpin(d1, m), -XEN_EINVAL);
    ck_assert_int_eq(seg_get(d1, m), 0);
    ck_assert_int_eq(seg_get(d1, m), 0);
    seg_put(d1, m);
    seg_put(d1, m);
    ck_assert_int_eq(type_of(m), FT_NONE);
    audit();
}
END_TEST

int main(void)
{
    RUN_TESTS("mmuext", pages_are_cleared_and_copied, flushes_reach_whom_they_name,
              one_cpu_flushes_itself, unknown_operations, batches, lists_that_fault,
              calls_in_a_list_are_done_in_order, pins_from_inside);
}
