/* SPDX-License-Identifier: MIT */
/* The grant table as such: its size, its versions, its beginning and end. */
#include "grant_fixture.h"

static int setup(domid_t dom, unsigned frames, uint64_t list)
{
    struct gnttab_setup_table op = {
        .dom = dom, .nr_frames = frames, .frame_list = list, .status = 99};

    ck_assert_int_eq(call_grant(GNTTABOP_setup_table, &op, sizeof(op), 1), 0);
    return op.status;
}

START_TEST(tables_grow)
{
    const uint64_t *list = (const uint64_t *)(fake_guest + 0x1000);
    struct gnttab_query_size size = {.dom = DOMID_SELF, .status = 99};
    mfn_t m;

    ck_assert_int_eq(setup(DOMID_SELF, 4, FAKE_GUEST + 0x1000), GNTST_okay);
    ck_assert_uint_eq(d1->grants->frames, 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_ptr_eq(fake_words(mfn(list[i])), d1->grants->shared[i]);
    ck_assert_int_eq(setup(1, 2, FAKE_GUEST + 0x1000), GNTST_okay); /* never shrinks */
    ck_assert_uint_eq(d1->grants->frames, 4);
    ck_assert_int_eq(setup(DOMID_SELF, 0, 0), GNTST_okay);
    ck_assert_int_eq(call_grant(GNTTABOP_query_size, &size, sizeof(size), 1), 0);
    ck_assert_int_eq(size.status, GNTST_okay);
    ck_assert_uint_eq(size.nr_frames, 4);
    ck_assert_uint_eq(size.max_nr_frames, GRANT_FRAMES_MAX);
    ck_assert_int_eq(grant_table_frame(d1, 5, &m), 0);
    ck_assert_ptr_eq(fake_words(m), d1->grants->shared[5]);
    ck_assert_uint_eq(d1->grants->frames, 6);
    ck_assert_int_eq(grant_table_frame(d1, GRANT_FRAMES_MAX, &m), -XEN_EINVAL);
    fake_alloc_fails = 1;
    ck_assert_int_eq(grant_table_frame(d1, 6, &m), -XEN_ENOMEM);
    run_as(d2);
    ck_assert_int_eq(map(d1, 6 * 512, VA(0), GNTMAP_host_map).status, GNTST_bad_gntref);
}
END_TEST

/* By hand, as fake_grant_check() knows of the first page only. */
START_TEST(grants_of_later_pages)
{
    struct gnttab_map_grant_ref m = {.flags = GNTMAP_device_map, .ref = 5 * 512 + 7, .dom = 1};
    struct gnttab_unmap_grant_ref u = {.dev_bus_addr = data(d1, 0).n << PAGE_SHIFT};
    mfn_t frame;

    ck_assert_int_eq(grant_table_frame(d1, 5, &frame), 0);
    give(d1, m.ref, d2, data(d1, 0), 0);
    run_as(d2);
    memcpy(fake_guest, &m, sizeof(m));
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, FAKE_GUEST, 1), 0);
    ck_assert_uint_eq(entry(d1, m.ref)->flags & BUSY, BUSY);
    memcpy(&m, fake_guest, sizeof(m));
    u.handle = m.handle;
    memcpy(fake_guest, &u, sizeof(u));
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_unmap_grant_ref, FAKE_GUEST, 1), 0);
    unused(d1, m.ref);
}
END_TEST

START_TEST(tables_do_not_grow)
{
    ck_assert_int_eq(setup(DOMID_SELF, GRANT_FRAMES_MAX + 1, FAKE_GUEST), GNTST_general_error);
    ck_assert_int_eq(setup(DOMID_SELF, ~0u, FAKE_GUEST), GNTST_general_error);
    ck_assert_uint_eq(d1->grants->frames, 1);
    for (unsigned nth = 1; nth <= 2; nth++) {
        fake_alloc_fails = nth;
        ck_assert_int_eq(setup(DOMID_SELF, 2, FAKE_GUEST), GNTST_general_error);
        ck_assert_uint_eq(d1->grants->frames, 1);
    }
    fake_alloc_fails = 3;
    ck_assert_int_eq(setup(DOMID_SELF, 3, FAKE_GUEST), GNTST_general_error);
    ck_assert_uint_eq(d1->grants->frames, 2); /* as far as memory went */
    ck_assert_int_eq(setup(DOMID_SELF, 2, 0x1000), GNTST_bad_virt_addr);
}
END_TEST

START_TEST(tables_of_others)
{
    struct gnttab_query_size size = {.dom = 2, .status = 99};
    struct gnttab_get_version version = {.dom = 2};

    ck_assert_int_eq(setup(2, 2, FAKE_GUEST), GNTST_permission_denied);
    ck_assert_int_eq(setup(77, 2, FAKE_GUEST), GNTST_permission_denied);
    ck_assert_int_eq(call_grant(GNTTABOP_query_size, &size, sizeof(size), 1), 0);
    ck_assert_int_eq(size.status, GNTST_permission_denied);
    ck_assert_uint_eq(size.nr_frames, 0);
    ck_assert_int_eq(call_grant(GNTTABOP_get_version, &version, sizeof(version), 1), -XEN_EPERM);
    run_as(d0);
    ck_assert_int_eq(setup(2, 2, FAKE_GUEST), GNTST_okay);
    ck_assert_uint_eq(d2->grants->frames, 2);
    ck_assert_int_eq(setup(77, 2, FAKE_GUEST), GNTST_bad_domain);
    ck_assert_int_eq(call_grant(GNTTABOP_get_version, &version, sizeof(version), 1), 0);
    ck_assert_uint_eq(version.version, 1);
}
END_TEST

START_TEST(version_one_only)
{
    static const struct {
        uint32_t version;
        long rc;
    } t[] = {{1, 0}, {2, -XEN_ENOSYS}, {0, -XEN_EINVAL}, {3, -XEN_EINVAL}, {~0u, -XEN_EINVAL}};

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        struct gnttab_set_version op = {.version = t[i].version};

        ck_assert_int_eq(call_grant(GNTTABOP_set_version, &op, sizeof(op), 1), t[i].rc);
    }
}
END_TEST

START_TEST(what_there_is_not)
{
    static const unsigned none[] = {GNTTABOP_dump_table,
                                    GNTTABOP_transfer,
                                    GNTTABOP_get_status_frames,
                                    GNTTABOP_cache_flush,
                                    13,
                                    ~0u};
    static const unsigned single[] = {GNTTABOP_setup_table, GNTTABOP_query_size,
                                      GNTTABOP_set_version, GNTTABOP_get_version};

    for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
        ck_assert_int_eq(do_grant_table_op(none[i], FAKE_GUEST, 1), -XEN_ENOSYS);
        said("there are map");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(single); i++) {
        ck_assert_int_eq(do_grant_table_op(single[i], FAKE_GUEST, 0), -XEN_EINVAL);
        ck_assert_int_eq(do_grant_table_op(single[i], FAKE_GUEST, 2), -XEN_EINVAL);
        said("it takes one");
    }
}
END_TEST

static int swap(unsigned a, unsigned b)
{
    struct gnttab_swap_grant_ref op = {.ref_a = a, .ref_b = b, .status = 99};

    ck_assert_int_eq(call_grant(GNTTABOP_swap_grant_ref, &op, sizeof(op), 1), 0);
    return op.status;
}

START_TEST(entries_are_swapped_unless_in_use)
{
    uint32_t h;

    give(d1, REF, d2, data(d1, 0), 0);
    give(d1, REF + 1, d0, data(d1, 1), GTF_readonly);
    ck_assert_int_eq(swap(REF, REF + 1), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->frame, data(d1, 1).n);
    ck_assert_uint_eq(entry(d1, REF + 1)->domid, 2);
    ck_assert_int_eq(swap(REF, REF), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->frame, data(d1, 1).n);
    ck_assert_int_eq(swap(REF, 512), GNTST_bad_gntref);
    ck_assert_int_eq(swap(~0u, REF), GNTST_bad_gntref);
    run_as(d2);
    h = mapped(d1, REF + 1, VA(0), GNTMAP_host_map);
    run_as(d1);
    ck_assert_int_eq(swap(REF, REF + 1), GNTST_eagain);
    ck_assert_int_eq(swap(REF + 1, REF), GNTST_eagain);
    run_as(d2);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_okay);
    run_as(d1);
    ck_assert_int_eq(swap(REF, REF + 1), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->frame, data(d1, 0).n);
}
END_TEST

START_TEST(arguments_that_fault)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = VA(0), .flags = GNTMAP_host_map, .ref = REF, .dom = 1};

    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, 0x1000, 1), -XEN_EFAULT);
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, HV_VIRT_START, 1), -XEN_EFAULT);
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, ~0xfull, 1), -XEN_EFAULT);
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, 0x7fffffff0000, ~0u), -XEN_EFAULT);
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, 0x1000, 0), 0);
    /* The replies do not get through: it is mapped all the same, and the guest has to find out how.
     */
    give(d1, REF, d2, data(d1, 0), 0);
    run_as(d2);
    memcpy(fake_guest, &op, sizeof(op));
    fake_fault_after = sizeof(op);
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, FAKE_GUEST, 1), -XEN_EFAULT);
    fake_fault_after = -1;
    ck_assert_uint_eq(d1->grants->pins, 1);
    ck_assert_int_eq(unmap(0, VA(0), 0), GNTST_okay);
}
END_TEST

static uint64_t other_values(uint64_t seed)
{
    return seed * 0x9e3779b97f4a7c15ull;
}

/* Arguments change behind the reader: each is used as it was read the one time. */
START_TEST(arguments_are_read_once)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = VA(0), .flags = GNTMAP_host_map, .ref = REF, .dom = 1};
    uint64_t reads = fake_reads;

    give(d1, REF, d2, data(d1, 0), 0);
    run_as(d2);
    memcpy(fake_guest, &op, sizeof(op));
    fake_hostile = other_values;
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, FAKE_GUEST, 1), 0);
    fake_hostile = NULL;
    ck_assert_uint_eq(fake_reads, reads + 1);
    memcpy(&op, fake_guest, sizeof(op));
    ck_assert_int_eq(op.status, GNTST_okay);
    ck_assert_uint_eq(op.ref, REF);
    ck_assert_int_eq(unmap(op.handle, VA(0), 0), GNTST_okay);
}
END_TEST

START_TEST(beginning_and_end)
{
    uint64_t with = heap_free_frames(), without;
    mfn_t m;

    grant_domain_free(d1);
    grant_domain_free(d1); /* of a domain that was never finished */
    without = heap_free_frames();
    ck_assert_uint_eq(without, with + 3);
    for (unsigned nth = 1; nth <= 3; nth++) {
        fake_alloc_fails = nth;
        ck_assert_int_eq(grant_domain_init(d1), -XEN_ENOMEM);
        ck_assert_ptr_null(d1->grants);
        ck_assert_uint_eq(heap_free_frames(), without);
    }
    ck_assert_int_eq(grant_domain_init(d1), 0);
    ck_assert_int_eq(grant_table_frame(d1, 3, &m), 0);
    give(d2, REF, d1, data(d2, 0), 0);
    ck_assert_int_eq(unmap(mapped(d2, REF, VA(0), GNTMAP_host_map), VA(0), 0), GNTST_okay);
    grant_domain_release(d1);
    ck_assert(grant_domain_idle(d1));
    grant_domain_free(d1);
    ck_assert_uint_eq(heap_free_frames(), without);
    ck_assert_int_eq(grant_domain_init(d1), 0);
    ck_assert_uint_eq(heap_free_frames(), with);
}
END_TEST

int main(void)
{
    RUN_TESTS("grant tables", tables_grow, grants_of_later_pages, tables_do_not_grow,
              tables_of_others, version_one_only, what_there_is_not,
              entries_are_swapped_unless_in_use, arguments_that_fault, arguments_are_read_once,
              beginning_and_end);
}
