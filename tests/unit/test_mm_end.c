/* SPDX-License-Identifier: MIT */
/* The end of domains: whatever they did in their lives, all that they had comes back, and nobody is
 * left with a way to it. */
#include "mm_fixture.h"

#include "../../hv/dom/event.h"
#include "../../hv/dom/grant.h"
#include "../model/ops.h"

static struct vcpu *nobody(void)
{
    return percpu_of[0]->idle;
}

/* Ends d; the caller is the idle vCPU, as it is in the end. */
static void end(struct domain *d)
{
    host_current = nobody();
    domain_destroy(d);
    fake_no_locks("the end of a domain");
    ck_assert(d->dying && d->relinquished);
    ck_assert_uint_eq(d->pages_first, 0);
    fake_audit();
    audit();
}

static void all_is_free(void)
{
    domains_bury();
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        ck_assert_msg(fake_freed[i], "domain %u is not buried", i);
    ck_assert_uint_eq(heap_free_frames(), heap_total_frames());
}

START_TEST(a_domain_goes_and_leaves_nothing)
{
    uint64_t free = heap_free_frames();

    end(d1);
    ck_assert_uint_gt(heap_free_frames(), free + 10);
    ck_assert_uint_eq(d1->tot_pages, 0);
    domains_bury();
    ck_assert(fake_freed[1]);
    ck_assert_ptr_eq(domain_by_id(1), NULL);
    end(d2);
    end(d0);
    all_is_free();
}
END_TEST

START_TEST(pins_and_cycles_of_tables_go)
{
    mfn_t l1 = spare(PAGE_DATA), l2 = spare(PAGE_DATA + 1), gdt = spare(PAGE_DATA + 2);

    fake_words(l2)[0] = fake_pte(l1, TABLE);
    fake_words(l1)[0] = fake_pte(l2, RO); /* a table that maps its parent */
    fake_words(l1)[1] = fake_pte(l1, RO);
    ck_assert_int_eq(pin(FT_L2, l2), 0);
    ck_assert_int_eq(pin(FT_L1, l1), 0);
    ck_assert_int_eq(pin(FT_L4, fake_page(d1, PAGE_L4)), 0);
    ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, fake_page(d1, PAGE_L4)), 0);
    put_in_guest(&gdt.n, 8);
    ck_assert_int_eq(call(__HYPERVISOR_set_gdt, FAKE_GUEST, 512, 0, 0), 0);
    end(d1);
    ck_assert_uint_eq(d1->tot_pages, 0);
}
END_TEST

START_TEST(the_hardware_domains_mappings_keep_frames)
{
    mfn_t m = fake_page(d1, PAGE_DATA), table = fake_page(d0, PAGE_L1);

    run_as(d0);
    ck_assert_int_eq(update_for(table, 100, fake_pte(m, RW), 1), 0);
    ck_assert_int_eq(update_for(table, 101, fake_pte(d2->shared_mfn, RO), 2), 0);
    end(d1);
    end(d2);
    ck_assert_uint_eq(d1->tot_pages, 1);
    ck_assert_uint_eq(d1->pages_left, m.n);
    ck_assert_uint_eq(d2->tot_pages, 0);
    domains_bury();
    ck_assert(!fake_freed[1] && !fake_freed[2]);
    run_as(d0);
    ck_assert_int_eq(update(table, 100, 0), 0);
    ck_assert_uint_eq(d1->tot_pages, 0);
    ck_assert_int_eq(update(table, 101, 0), 0);
    domains_bury();
    ck_assert(fake_freed[1] && fake_freed[2]);
    fake_audit();
}
END_TEST

START_TEST(connections_end)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = 2};
    struct evtchn_bind_interdomain b = {.remote_dom = 1};

    ck_assert_int_eq(call_event(EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
    b.remote_port = a.port;
    run_as(d2);
    ck_assert_int_eq(call_event(EVTCHNOP_bind_interdomain, &b, sizeof(b)), 0);
    end(d1);
    ck_assert_uint_eq(port_at(d2->evtchn, b.local_port)->state, EVTCHNSTAT_unbound);
    domains_bury();
    ck_assert(fake_freed[1]);
    run_as(d2);
    ck_assert_int_eq(call_event(EVTCHNOP_bind_interdomain, &b, sizeof(b)), -XEN_ESRCH);
}
END_TEST

START_TEST(grants_outlive_their_granter)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct gnttab_map_grant_ref op = {
        .host_addr = VA(100), .flags = GNTMAP_host_map, .ref = 8, .dom = 1};
    struct gnttab_unmap_grant_ref un = {.host_addr = VA(100)};

    fake_words(fake_grant_frame(d1))[8] = GTF_permit_access | 2u << 16 | m.n << 32;
    run_as(d2);
    ck_assert_int_eq(call_grant(GNTTABOP_map_grant_ref, &op, sizeof(op), 1), 0);
    ck_assert_int_eq(op.status, GNTST_okay);
    end(d1);
    domains_bury();
    ck_assert(!fake_freed[1]);
    ck_assert_uint_eq(d1->tot_pages, 1);
    run_as(d2);
    un.handle = op.handle;
    op.status = 0;
    ck_assert_int_eq(call_grant(GNTTABOP_map_grant_ref, &op, sizeof(op), 1), 0);
    ck_assert_int_ne(op.status, GNTST_okay); /* the dying grant nothing */
    ck_assert_int_eq(call_grant(GNTTABOP_unmap_grant_ref, &un, sizeof(un), 1), 0);
    ck_assert_int_eq(un.status, GNTST_okay);
    domains_bury();
    ck_assert(fake_freed[1]);
    fake_audit();
}
END_TEST

START_TEST(a_mapper_that_goes_lets_go)
{
    mfn_t m = fake_page(d1, PAGE_DATA);
    struct gnttab_map_grant_ref op = {
        .host_addr = VA(100), .flags = GNTMAP_host_map | GNTMAP_device_map, .ref = 8, .dom = 1};

    fake_words(fake_grant_frame(d1))[8] = GTF_permit_access | 2u << 16 | m.n << 32;
    run_as(d2);
    ck_assert_int_eq(call_grant(GNTTABOP_map_grant_ref, &op, sizeof(op), 1), 0);
    ck_assert_int_eq(op.status, GNTST_okay);
    ck_assert_uint_eq(uses_of(m), 3);
    end(d2);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_uint_eq(d1->grants->pins, 0);
    ck_assert_uint_eq(fake_words(fake_grant_frame(d1))[8] & (GTF_reading | GTF_writing), 0);
    domains_bury();
    ck_assert(fake_freed[2]);
}
END_TEST

/* After a random life, in any order. */
static void live_and_die(uint64_t seed)
{
    struct input in = {.seed = seed * 0x9e3779b97f4a7c15ull | 1};
    unsigned first = (unsigned)(seed % FAKE_DOMAINS);
    struct op op;

    op_begin();
    for (unsigned i = 0; i < 600; i++) {
        op_choose(&op, &in);
        op_run(&op);
    }
    fake_audit();
    for (unsigned i = 0; i < FAKE_DOMAINS; i++)
        end(fake_dom[(first + i) % FAKE_DOMAINS]);
    all_is_free();
}

START_TEST(random_lives_end_well)
{
    for (uint64_t seed = 1; seed <= 150; seed++)
        live_and_die(seed);
}
END_TEST

int main(void)
{
    RUN_TESTS("ends", a_domain_goes_and_leaves_nothing, pins_and_cycles_of_tables_go,
              the_hardware_domains_mappings_keep_frames, connections_end,
              grants_outlive_their_granter, a_mapper_that_goes_lets_go, random_lives_end_well);
}
