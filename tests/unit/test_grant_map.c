/* SPDX-License-Identifier: MIT */
/* Mapping grants and unmapping them. Domain 1 grants, domain 2 maps, unless a test says otherwise.
 */
#include "grant_fixture.h"

#define HOST GNTMAP_host_map
#define RO   GNTMAP_readonly

static mfn_t page; /* of domain 1 */
static uint64_t word0, maddr;

static void begin(void)
{
    page = data(d1, 0);
    word0 = mfn_frame(page)->word;
    maddr = page.n << PAGE_SHIFT;
    give(d1, REF, d2, page, 0);
    run_as(d2);
}

START_TEST(a_writable_mapping)
{
    struct gnttab_map_grant_ref op;
    uint64_t flushes;

    begin();
    op = map(d1, REF, VA(0), HOST);
    ck_assert_int_eq(op.status, GNTST_okay);
    ck_assert_uint_eq(op.dev_bus_addr, maddr);
    ck_assert_uint_eq(pte_at(d2, VA(0)), maddr | PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D);
    ck_assert_uint_eq(mfn_frame(page)->word, word0 + FW_REF_ONE + FW_COUNT_ONE);
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, BUSY);
    ck_assert_uint_eq(d1->grants->pins, 1);
    flushes = fake_flushes;
    ck_assert_int_eq(unmap(op.handle, VA(0), 0), GNTST_okay);
    ck_assert_uint_gt(fake_flushes, flushes);
    ck_assert_uint_eq(pte_at(d2, VA(0)), 0);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    unused(d1, REF);
    ck_assert_int_eq(unmap(op.handle, VA(0), 0), GNTST_bad_handle);
    said("maps nothing");
}
END_TEST

START_TEST(a_read_only_mapping)
{
    uint32_t ro, rw;

    begin();
    ro = mapped(d1, REF, VA(0), HOST | RO);
    ck_assert_uint_eq(pte_at(d2, VA(0)) & PTE_RW, 0);
    ck_assert_uint_eq(mfn_frame(page)->word, word0 + FW_REF_ONE);
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, GTF_reading);
    rw = mapped(d1, REF, VA(1), HOST); /* a writer joins the reader */
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, BUSY);
    ck_assert_int_eq(unmap(rw, VA(1), 0), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, GTF_reading);
    ck_assert_int_eq(unmap(ro, VA(0), 0), GNTST_okay);
    unused(d1, REF);
}
END_TEST

START_TEST(the_entry_named_by_its_address)
{
    uint64_t slot = fake_maddr(fake_page(d2, PAGE_L1), VA(3) >> PAGE_SHIFT);
    unsigned flags =
        HOST | GNTMAP_contains_pte | GNTMAP_application_map | 5u << _GNTMAP_guest_avail0;
    uint32_t h;

    begin();
    h = mapped(d1, REF, slot, flags);
    ck_assert_uint_eq(pte_at(d2, VA(3)) & PTE_AVAIL, 5 << 9);
    ck_assert_int_eq(unmap(h, slot + 8, 0), GNTST_general_error);
    ck_assert_int_eq(unmap(h, VA(3), 0),
                     GNTST_general_error); /* it wants the address of the entry */
    ck_assert_int_eq(unmap(h, slot, 0), GNTST_okay);
    unused(d1, REF);
}
END_TEST

START_TEST(mappings_for_devices_hold_the_frame)
{
    uint32_t h;

    begin();
    h = mapped(d1, REF, 0, GNTMAP_device_map);
    ck_assert_uint_eq(mfn_frame(page)->word, word0 + FW_REF_ONE + FW_COUNT_ONE);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_okay); /* there is no host part: nothing to do */
    ck_assert_int_eq(unmap(h, 0, maddr + PAGE_SIZE), GNTST_bad_dev_addr);
    ck_assert_uint_eq(d1->grants->pins, 1);
    ck_assert_int_eq(unmap(h, 0, maddr), GNTST_okay);
    unused(d1, REF);
    h = mapped(d1, REF, 0, GNTMAP_device_map | RO);
    ck_assert_uint_eq(mfn_frame(page)->word, word0 + FW_REF_ONE);
    ck_assert_int_eq(unmap(h, 0, maddr), GNTST_okay);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
}
END_TEST

START_TEST(both_parts_of_a_mapping_go_one_by_one)
{
    struct gnttab_unmap_grant_ref both[2];
    uint32_t h;

    begin();
    for (unsigned order = 0; order < 2; order++) {
        h = mapped(d1, REF, VA(0), HOST | GNTMAP_device_map);
        ck_assert_uint_eq(mfn_frame(page)->word, word0 + 2 * (FW_REF_ONE + FW_COUNT_ONE));
        ck_assert_uint_eq(d1->grants->pins, 1);
        ck_assert_int_eq(unmap(h, order ? VA(0) : 0, order ? 0 : maddr), GNTST_okay);
        ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, BUSY);
        ck_assert_int_eq(unmap(h, order ? 0 : VA(0), order ? maddr : 0), GNTST_okay);
        unused(d1, REF);
    }
    h = mapped(d1, REF, VA(0), HOST | GNTMAP_device_map);
    ck_assert_int_eq(unmap(h, VA(0), maddr), GNTST_okay);
    h = mapped(d1, REF, VA(0), HOST | GNTMAP_device_map);
    both[0] = (struct gnttab_unmap_grant_ref){.host_addr = VA(0), .handle = h};
    both[1] = (struct gnttab_unmap_grant_ref){.dev_bus_addr = maddr, .handle = h};
    ck_assert_int_eq(call_grant(GNTTABOP_unmap_grant_ref, both, sizeof(both[0]), 2), 0);
    ck_assert_int_eq(both[0].status, GNTST_okay);
    ck_assert_int_eq(both[1].status, GNTST_okay);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    unused(d1, REF);
}
END_TEST

static void refused(int status, unsigned ref, uint64_t addr, unsigned flags, const char *why)
{
    struct gnttab_map_grant_ref op = map(d1, ref, addr, flags);

    ck_assert_msg(op.status == status, "status %d, not %d: %s", op.status, status, fake_sentence);
    said(why);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    unused(d1, REF);
}

START_TEST(what_is_not_granted_is_not_mapped)
{
    begin();
    refused(GNTST_bad_gntref, REF, VA(0), RO, "neither host nor device");
    refused(GNTST_bad_gntref, GRANTS_PER_FRAME, VA(0), HOST, "its table has 512");
    refused(GNTST_bad_gntref, ~0u, VA(0), HOST, "its table has 512");
    refused(GNTST_general_error, REF + 1, VA(0), HOST, "do not permit");
    give(d1, REF, d0, page, 0);
    refused(GNTST_general_error, REF, VA(0), HOST, "do not permit");
    give(d1, REF, d2, page, GTF_readonly);
    refused(GNTST_general_error, REF, VA(0), HOST, "to write");
    ck_assert_int_eq(unmap(mapped(d1, REF, VA(0), HOST | RO), VA(0), 0), GNTST_okay);
    give(d1, REF, d2, page, GTF_accept_transfer); /* with permit_access: transitive */
    refused(GNTST_general_error, REF, VA(0), HOST | RO, "do not permit");
    ck_assert_int_eq(map(&(struct domain){.id = 77}, REF, VA(0), HOST).status, GNTST_bad_domain);
}
END_TEST

START_TEST(frames_that_cannot_be_granted)
{
    static const unsigned kinds[] = {HOST, GNTMAP_device_map, HOST | GNTMAP_device_map};

    begin();
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        give(d1, REF, d2, mfn(0xffffffff), 0);
        refused(GNTST_bad_page, REF, VA(0), kinds[i], "no such memory");
        give(d1, REF, d2, mfn(fake_ram), 0); /* a device's */
        refused(GNTST_bad_page, REF, VA(0), kinds[i] | RO, "not domain 1's");
        give(d1, REF, d2, data(d0, 0), 0);
        refused(GNTST_bad_page, REF, VA(0), kinds[i], "not domain 1's");
        give(d1, REF, d2, mfn(0), 0); /* the hypervisor's */
        refused(GNTST_bad_page, REF, VA(0), kinds[i] | RO, "not domain 1's");
        give(d1, REF, d2, fake_page(d1, PAGE_L2), 0);
        refused(GNTST_bad_page, REF, VA(0), kinds[i], "L2 page table");
    }
    ck_assert_int_eq(unmap(mapped(d1, REF, VA(0), HOST | RO), VA(0), 0), GNTST_okay);
}
END_TEST

START_TEST(places_where_nothing_can_be_mapped)
{
    const uint64_t bad[] = {1ull << 30, 1ull << 39, HV_VIRT_START, 0x800000000000ull, ~0xfffull};
    const uint64_t bad_pte[] = {maddr, fake_maddr(fake_page(d2, PAGE_L2), 5),
                                fake_maddr(fake_page(d1, PAGE_L1), 5),
                                fake_maddr(fake_page(d2, PAGE_L1), 300) + 4, ~7ull};

    begin();
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        refused(GNTST_general_error, REF, bad[i], HOST, "no entry of an L1");
    for (unsigned i = 0; i < ARRAY_SIZE(bad_pte); i++)
        refused(GNTST_general_error, REF, bad_pte[i], HOST | GNTMAP_contains_pte,
                "no entry of an L1");
    refused(GNTST_general_error, REF, bad[0], HOST | GNTMAP_device_map, "no entry of an L1");
}
END_TEST

/* Once a grant is in use its entry is not read again. */
START_TEST(entries_change_under_our_feet)
{
    uint32_t first, second;

    begin();
    first = mapped(d1, REF, VA(0), HOST);
    entry(d1, REF)->flags = 0;
    entry(d1, REF)->domid = 0;
    entry(d1, REF)->frame = (uint32_t)data(d0, 0).n;
    second = mapped(d1, REF, VA(1), HOST | RO); /* what was granted, not what stands there now */
    ck_assert_uint_eq(pte_mfn(pte_at(d2, VA(1))).n, page.n);
    run_as(d0);
    ck_assert_int_eq(map(d1, REF, VA(2), HOST).status, GNTST_general_error);
    said("in use by domain 2");
    run_as(d2);
    entry(d1, REF)->flags = 0xffff;
    ck_assert_int_eq(unmap(first, VA(0), 0), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->flags, 0xffff & ~GTF_writing);
    ck_assert_int_eq(unmap(second, VA(1), 0), GNTST_okay);
    ck_assert_uint_eq(entry(d1, REF)->flags, 0xffff & ~BUSY);
    ck_assert_uint_eq(entry(d1, REF)->frame, data(d0, 0).n);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
}
END_TEST

/* A reader wants to write: the right to that is looked up again, and must be for the same frame. */
START_TEST(a_writer_must_be_permitted_though_readers_were)
{
    uint32_t reader, writer;

    begin();
    reader = mapped(d1, REF, VA(0), HOST | RO);
    give(d1, REF, d2, page, GTF_reading | GTF_readonly);
    ck_assert_int_eq(map(d1, REF, VA(1), HOST).status, GNTST_general_error);
    ck_assert_uint_eq(d1->grants->pins, 1);
    give(d1, REF, d2, data(d1, 1), GTF_reading);
    ck_assert_int_eq(map(d1, REF, VA(1), HOST).status, GNTST_general_error);
    ck_assert_uint_eq(d1->grants->pins, 1);
    ck_assert(!(*entry_at(d1->grants, REF) & GTF_writing));
    give(d1, REF, d2, page, GTF_reading);
    writer = mapped(d1, REF, VA(1), HOST);
    ck_assert_uint_eq(pte_mfn(pte_at(d2, VA(1))).n, page.n);
    ck_assert_int_eq(unmap(writer, VA(1), 0), GNTST_okay);
    ck_assert_int_eq(unmap(reader, VA(0), 0), GNTST_okay);
    unused(d1, REF);
}
END_TEST

/* What the short cut in grant.h does, the long way does as well. */
START_TEST(the_long_way_to_a_pin)
{
    const struct active *a = &d1->grants->active[0][REF];
    uint64_t word;
    mfn_t m[2];

    begin();
    for (unsigned writable = 0; writable < 2; writable++) {
        ck_assert_int_eq(grant_pin(d1, REF, 2, writable, &m[0]), GNTST_okay);
        word = a->word;
        grant_unpin(d1, REF, writable);
        unused(d1, REF);
        ck_assert_int_eq(grant_pin_slow(d1, REF, 2, writable, &m[1]), GNTST_okay);
        ck_assert_uint_eq(a->word, word);
        ck_assert_uint_eq(m[1].n, m[0].n);
        ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, writable ? BUSY : GTF_reading);
        grant_unpin(d1, REF, writable);
        unused(d1, REF);
    }
}
END_TEST

START_TEST(counts_refuse_before_they_wrap)
{
    static uint32_t handle[UINT8_MAX];

    begin();
    for (unsigned i = 0; i < UINT8_MAX; i++)
        handle[i] = mapped(d1, REF, VA(i), HOST | RO);
    ck_assert_int_eq(map(d1, REF, VA(300), HOST | RO).status, GNTST_no_space);
    ck_assert_int_eq(unmap(mapped(d1, REF, VA(300), HOST), VA(300), 0), GNTST_okay);
    for (unsigned i = 0; i < UINT8_MAX; i++)
        ck_assert_int_eq(unmap(handle[i], VA(i), 0), GNTST_okay);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    unused(d1, REF);
}
END_TEST

START_TEST(handles_are_recycled_and_bounded)
{
    static uint32_t handle[TRACKS_PER_PAGE + 4];
    struct grant_table *t = d2->grants;

    begin();
    fake_alloc_fails = 1;
    ck_assert_int_eq(map(d1, REF, VA(0), HOST).status, GNTST_no_space);
    unused(d1, REF);
    for (unsigned i = 0; i < ARRAY_SIZE(handle); i++) {
        give(d1, REF + i % 4, d2, page, 0);
        handle[i] = mapped(d1, REF + i % 4, VA(i), HOST | RO);
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(handle[k], handle[i]);
    }
    ck_assert_uint_eq(t->track_pages, 2);
    ck_assert_int_eq(unmap(handle[7], VA(7), 0), GNTST_okay);
    ck_assert_uint_eq(mapped(d1, REF, VA(7), HOST | RO), handle[7]);
    ck_assert_int_eq(unmap(2 * TRACKS_PER_PAGE, VA(7), 0), GNTST_bad_handle);
    ck_assert_int_eq(unmap(~0u, VA(7), 0), GNTST_bad_handle);
    for (unsigned i = 0; i < ARRAY_SIZE(handle); i++)
        ck_assert_int_eq(unmap(handle[i], VA(i), 0), GNTST_okay);
    ck_assert_uint_eq(d1->grants->pins, 0);
    t->track_free = TRACK_NONE; /* as if all were taken */
    t->track_pages = TRACK_PAGES_MAX;
    ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, FAKE_GUEST, 1), 0);
    begin();
    {
        struct gnttab_map_grant_ref op = {.host_addr = VA(0), .flags = HOST, .ref = REF, .dom = 1};

        memcpy(fake_guest, &op, sizeof(op));
        ck_assert_int_eq(do_grant_table_op(GNTTABOP_map_grant_ref, FAKE_GUEST, 1), 0);
        memcpy(&op, fake_guest, sizeof(op));
        ck_assert_int_eq(op.status, GNTST_no_space);
    }
    t->track_pages = 2;
}
END_TEST

/* Operations of one call: other domains in between, one bad, more than a batch; a flush for each
 * batch, none for none. */
START_TEST(batches)
{
    static struct gnttab_map_grant_ref m[70];
    static struct gnttab_unmap_grant_ref u[70];
    uint64_t flushes, preempts = fake_preempts;

    begin();
    for (unsigned i = 0; i < 70; i++) {
        const struct domain *of = i % 7 == 3 ? d0 : d1;

        give(of, REF + i, d2, data(of, i % 8), 0);
        m[i] = (struct gnttab_map_grant_ref){
            .host_addr = VA(i), .flags = HOST, .ref = REF + i, .dom = of->id, .status = 99};
    }
    m[40].dom = 55;
    m[41].ref = 500;
    ck_assert_int_eq(call_grant(GNTTABOP_map_grant_ref, m, sizeof(m[0]), 70), 0);
    ck_assert_uint_eq(fake_preempts, preempts + 2);
    for (unsigned i = 0; i < 70; i++) {
        int want = i == 40 ? GNTST_bad_domain : i == 41 ? GNTST_general_error : GNTST_okay;

        ck_assert_int_eq(m[i].status, want);
        u[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = VA(i), .handle = want ? 9999 : m[i].handle, .status = 99};
    }
    u[10].handle = u[9].handle; /* twice in one batch */
    flushes = fake_flushes;
    ck_assert_int_eq(call_grant(GNTTABOP_unmap_grant_ref, u, sizeof(u[0]), 70), 0);
    for (unsigned i = 0; i < 70; i++)
        ck_assert_int_eq(u[i].status, i == 10 || m[i].status ? GNTST_bad_handle : GNTST_okay);
    ck_assert_uint_eq(fake_flushes, flushes + 3);
    ck_assert_int_eq(unmap(m[10].handle, VA(10), 0), GNTST_okay);
    flushes = fake_flushes;
    ck_assert_int_eq(unmap(m[10].handle, VA(10), 0), GNTST_bad_handle);
    ck_assert_uint_eq(fake_flushes, flushes);
    unused(d1, REF);
    unused(d0, REF + 3);
}
END_TEST

static long set_entry(uint64_t va, uint64_t pte)
{
    return call(__HYPERVISOR_update_va_mapping, va, pte, 0, 0);
}

/* The record stays until what it describes is there to be taken away. */
START_TEST(the_mapper_changes_the_entry)
{
    uint32_t h;

    begin();
    h = mapped(d1, REF, VA(0), HOST);
    ck_assert_int_eq(set_entry(VA(0), 0), 0); /* the entry's references go */
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_general_error);
    ck_assert_uint_eq(d1->grants->pins, 1);
    ck_assert_int_lt(set_entry(VA(0), fake_pte(page, PTE_P | PTE_RW | PTE_U)), 0);
    ck_assert_int_eq(set_entry(VA(0), fake_pte(data(d2, 0), PTE_P | PTE_RW | PTE_U)), 0);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_general_error);
    ck_assert_int_eq(set_entry(VA(0), 0), 0);
    ck_assert_uint_eq(mapped(d1, REF, VA(0), HOST | RO), h + 1);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_general_error); /* there, but read-only */
    ck_assert_int_eq(unmap(h + 1, VA(0), 0), GNTST_okay);
    ck_assert_uint_eq(mapped(d1, REF, VA(1), HOST), h + 1);
    ck_assert_int_eq(unmap(h, VA(1), 0), GNTST_okay); /* one mapping is as good as the other */
    ck_assert_int_eq(unmap(h + 1, VA(1), 0), GNTST_general_error);
    ck_assert_uint_eq(mapped(d1, REF, VA(2), HOST), h);
    ck_assert_int_eq(unmap(h, VA(2), 0), GNTST_okay);
    ck_assert_uint_eq(d1->grants->pins, 1); /* until the domain goes */
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
}
END_TEST

static int replace(uint32_t handle, uint64_t addr, uint64_t with)
{
    struct gnttab_unmap_and_replace op = {
        .host_addr = addr, .new_addr = with, .handle = handle, .status = 99};

    ck_assert_int_eq(call_grant(GNTTABOP_unmap_and_replace, &op, sizeof(op), 1), 0);
    return op.status;
}

START_TEST(unmap_and_replace)
{
    uint64_t own = fake_pte(data(d2, 1), PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D);
    uint64_t slot = fake_maddr(fake_page(d2, PAGE_L1), VA(3) >> PAGE_SHIFT);
    uint32_t h;

    begin();
    h = mapped(d1, REF, VA(0), HOST);
    ck_assert_int_eq(set_entry(VA(1), own), 0);
    ck_assert_int_eq(replace(h, VA(0), 1ull << 39), GNTST_general_error);
    ck_assert_int_eq(replace(h, VA(0), VA(1)), GNTST_okay);
    ck_assert_uint_eq(pte_at(d2, VA(0)), own);
    ck_assert_uint_eq(pte_at(d2, VA(1)), 0);
    unused(d1, REF);
    ck_assert_int_eq(set_entry(VA(0), 0), 0);
    h = mapped(d1, REF, VA(0), HOST);
    ck_assert_int_eq(replace(h, VA(0), 0), GNTST_okay); /* with nothing */
    ck_assert_uint_eq(pte_at(d2, VA(0)), 0);
    h = mapped(d1, REF, slot, HOST | GNTMAP_contains_pte);
    ck_assert_int_eq(replace(h, slot, VA(1)), GNTST_general_error);
    ck_assert_int_eq(unmap(h, slot, 0), GNTST_okay);
    unused(d1, REF);
}
END_TEST

START_TEST(grants_to_oneself)
{
    uint32_t h;

    begin();
    give(d2, REF, d2, data(d2, 2), 0);
    h = mapped(d2, REF, VA(0), HOST);
    ck_assert_uint_eq(entry(d2, REF)->flags & BUSY, BUSY);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_okay);
    unused(d2, REF);
}
END_TEST

START_TEST(mappings_of_a_dying_domain_stay_until_unmapped)
{
    uint32_t h;

    begin();
    h = mapped(d1, REF, VA(0), HOST);
    d1->dying = true;
    ck_assert_int_eq(map(d1, REF, VA(1), HOST).status, GNTST_bad_domain);
    ck_assert(!grant_domain_idle(d1));
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_okay);
    ck_assert(grant_domain_idle(d1));
}
END_TEST

/* As the end of a domain does it: the page tables go first. */
START_TEST(a_dying_mapper_gives_back)
{
    uint64_t preempts = fake_preempts;

    begin();
    give(d0, REF, d2, data(d0, 0), 0);
    give(d1, REF + 1, d2, data(d1, 1), GTF_readonly);
    mapped(d1, REF, VA(0), HOST);
    mapped(d1, REF, VA(1), HOST | GNTMAP_device_map);
    mapped(d1, REF + 1, VA(2), GNTMAP_device_map | RO);
    mapped(d0, REF, VA(3), HOST | RO);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(set_entry(VA(i), 0), 0);
    d2->dying = true;
    fake_run(d2->vcpu[0]->pcpu->idle);
    run_as(d0);
    grant_domain_release(d2);
    ck_assert_uint_gt(fake_preempts, preempts);
    ck_assert_uint_eq(mfn_frame(page)->word, word0);
    unused(d1, REF);
    unused(d1, REF + 1);
    unused(d0, REF);
    ck_assert(grant_domain_idle(d0) && grant_domain_idle(d1) && grant_domain_idle(d2));
}
END_TEST

static void die_now(void)
{
    d2->dying = true;
}

START_TEST(calls_of_the_dying_end_early)
{
    static struct gnttab_map_grant_ref m[70];

    begin();
    for (unsigned i = 0; i < 70; i++)
        m[i] = (struct gnttab_map_grant_ref){
            .host_addr = VA(i), .flags = HOST, .ref = REF, .dom = 1, .status = 99};
    fake_on_preempt = die_now;
    ck_assert_int_lt(call_grant(GNTTABOP_map_grant_ref, m, sizeof(m[0]), 70), 0);
    fake_on_preempt = NULL;
    ck_assert_int_eq(m[31].status, GNTST_okay);
    ck_assert_int_eq(m[32].status, 99);
    ck_assert_uint_eq(d1->grants->pins, 32);
}
END_TEST

int main(void)
{
    RUN_TESTS("grant maps", a_writable_mapping, a_read_only_mapping, the_entry_named_by_its_address,
              mappings_for_devices_hold_the_frame, both_parts_of_a_mapping_go_one_by_one,
              what_is_not_granted_is_not_mapped, frames_that_cannot_be_granted,
              places_where_nothing_can_be_mapped, entries_change_under_our_feet,
              a_writer_must_be_permitted_though_readers_were, the_long_way_to_a_pin,
              counts_refuse_before_they_wrap, handles_are_recycled_and_bounded, batches,
              the_mapper_changes_the_entry, unmap_and_replace, grants_to_oneself,
              mappings_of_a_dying_domain_stay_until_unmapped, a_dying_mapper_gives_back,
              calls_of_the_dying_end_early);
}
