/* SPDX-License-Identifier: MIT */
/* Copies by grants. Domain 1 grants, domain 2 copies, unless a test says otherwise. */
#include "grant_fixture.h"

#define FROM GNTCOPY_source_gref
#define TO   GNTCOPY_dest_gref

static mfn_t theirs, ours; /* of domain 1, of domain 2 */
static uint64_t words0;

static uint64_t words(void)
{
    return mfn_frame(theirs)->word ^ mfn_frame(ours)->word << 1;
}

static void begin(void)
{
    theirs = data(d1, 0);
    ours = data(d2, 0);
    words0 = words();
    give(d1, REF, d2, theirs, 0);
    for (unsigned i = 0; i < 512; i++) {
        fake_words(theirs)[i] = 0x1000000 + i;
        fake_words(ours)[i] = 0x2000000 + i;
    }
    run_as(d2);
}

static struct gnttab_copy op(unsigned flags)
{
    struct gnttab_copy c = {.len = 64, .flags = (uint16_t)flags, .status = 99};

    c.source.domid = c.dest.domid = DOMID_SELF;
    c.source.u.gmfn = c.dest.u.gmfn = ours.n;
    if (flags & FROM) {
        c.source.domid = 1;
        c.source.u.gmfn = 0xeeeeeeee00000000ull | REF; /* of the union only the reference counts */
    }
    if (flags & TO) {
        c.dest.domid = 1;
        c.dest.u.ref = REF;
    }
    return c;
}

static int copy(struct gnttab_copy c)
{
    ck_assert_int_eq(call_grant(GNTTABOP_copy, &c, sizeof(c), 1), 0);
    ck_assert_uint_eq(words(), words0);
    unused(d1, REF);
    unused(d2, REF);
    return c.status;
}

START_TEST(from_a_grant)
{
    struct gnttab_copy c;

    begin();
    c = op(FROM);
    c.source.offset = 16;
    c.dest.offset = 80;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_uint_eq(fake_words(ours)[9], 0x2000009);
    ck_assert_uint_eq(fake_words(ours)[10], 0x1000002);
    ck_assert_uint_eq(fake_words(ours)[17], 0x1000009);
    ck_assert_uint_eq(fake_words(ours)[18], 0x2000012);
    give(d1, REF, d2, theirs, GTF_readonly);
    ck_assert_int_eq(copy(c), GNTST_okay);
}
END_TEST

START_TEST(to_a_grant)
{
    struct gnttab_copy c;

    begin();
    c = op(TO);
    c.len = 4096;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_mem_eq(fake_words(theirs), fake_words(ours), 4096);
    give(d1, REF, d2, theirs, GTF_readonly);
    ck_assert_int_eq(copy(c), GNTST_general_error);
    said("to write");
}
END_TEST

START_TEST(between_grants_and_between_own_frames)
{
    struct gnttab_copy c;

    begin();
    give(d0, REF, d2, data(d0, 0), 0);
    c = op(FROM | TO);
    c.dest.domid = 0;
    c.len = 1;
    fake_words(data(d0, 0))[0] = ~0ull;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_uint_eq(fake_words(data(d0, 0))[0], 0xffffffffffffff00);
    unused(d0, REF);
    c = op(0);
    c.dest.u.gmfn = data(d2, 1).n;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_uint_eq(fake_words(data(d2, 1))[0], 0x2000000);
    give(d2, REF, d2, ours, 0);
    c = op(FROM); /* a grant to oneself */
    c.source.domid = DOMID_SELF;
    ck_assert_int_eq(copy(c), GNTST_okay);
}
END_TEST

START_TEST(within_one_frame)
{
    struct gnttab_copy c;

    begin();
    c = op(FROM | TO);
    c.source.offset = 8;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_uint_eq(fake_words(theirs)[0], 0x1000001);
    ck_assert_uint_eq(fake_words(theirs)[7], 0x1000008);
    c.source.offset = 0;
    c.dest.offset = 8;
    ck_assert_int_eq(copy(c), GNTST_okay);
    ck_assert_uint_eq(fake_words(theirs)[8], 0x1000008);
}
END_TEST

START_TEST(bounds)
{
    static const struct {
        uint16_t from, to, len;
        int status;
    } t[] = {
        {0, 0, 4096, GNTST_okay},           {4095, 4095, 1, GNTST_okay},
        {4096, 4096, 0, GNTST_okay},        {1, 0, 4096, GNTST_bad_copy_arg},
        {0, 1, 4096, GNTST_bad_copy_arg},   {0, 0, 4097, GNTST_bad_copy_arg},
        {0xffff, 0, 1, GNTST_bad_copy_arg}, {0xffff, 0xffff, 0xffff, GNTST_bad_copy_arg},
        {4097, 0, 0, GNTST_bad_copy_arg},
    };

    begin();
    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        struct gnttab_copy c = op(FROM);

        c.source.offset = t[i].from;
        c.dest.offset = t[i].to;
        c.len = t[i].len;
        ck_assert_int_eq(copy(c), t[i].status);
    }
}
END_TEST

START_TEST(refusals)
{
    struct gnttab_copy c;

    begin();
    c = op(0);
    c.source.domid = 1; /* another's frame without a grant */
    c.source.u.gmfn = theirs.n;
    ck_assert_int_eq(copy(c), GNTST_permission_denied);
    c = op(FROM);
    c.dest.domid = 2; /* frames are one's own by DOMID_SELF only */
    ck_assert_int_eq(copy(c), GNTST_permission_denied);
    c = op(FROM);
    c.source.domid = 55;
    ck_assert_int_eq(copy(c), GNTST_bad_domain);
    c = op(FROM);
    c.source.u.ref = 512;
    ck_assert_int_eq(copy(c), GNTST_bad_gntref);
    c = op(FROM);
    c.dest.u.gmfn = fake_page(d2, PAGE_L1).n;
    ck_assert_int_eq(copy(c), GNTST_bad_page);
    said("L1 page table");
    c.dest.u.gmfn = ~0ull;
    ck_assert_int_eq(copy(c), GNTST_bad_page);
    c.dest.u.gmfn = fake_ram;
    ck_assert_int_eq(copy(c), GNTST_bad_page);
    c.dest.u.gmfn = theirs.n;
    ck_assert_int_eq(copy(c), GNTST_bad_page);
    give(d1, REF, d2, data(d0, 0), 0); /* not the granter's to give */
    ck_assert_int_eq(copy(op(FROM)), GNTST_bad_page);
    give(d1, REF, d2, mfn(0xffffffff), 0);
    ck_assert_int_eq(copy(op(FROM)), GNTST_bad_page);
    give(d1, REF, d2, theirs, 0);
    d1->dying = true;
    ck_assert_int_eq(copy(op(FROM)), GNTST_bad_domain);
}
END_TEST

static uint64_t sum(const struct gnttab_copy *c, unsigned n)
{
    uint64_t s = 0;

    for (unsigned i = 0; i < n; i++)
        s += (uint64_t)c[i].status & 0xff;
    return s;
}

/* Neighbours that name the same share a pin; whatever changes, and whatever fails, all is given
 * back at the end. */
START_TEST(batches_share_what_is_the_same)
{
    static struct gnttab_copy c[80];
    uint64_t preempts = fake_preempts;

    begin();
    give(d1, REF + 1, d2, data(d1, 1), 0);
    give(d0, REF, d2, data(d0, 0), 0);
    for (unsigned i = 0; i < 80; i++) {
        c[i] = op(FROM);
        c[i].source.offset = (uint16_t)(i * 8);
        c[i].dest.offset = (uint16_t)(i * 8);
        c[i].len = 8;
    }
    c[10].source.u.ref = REF + 1; /* another grant, */
    c[20].source.domid = 0;       /* another granter, */
    c[30].dest.u.gmfn = data(d2, 1).n;
    c[40].flags = 0; /* a frame of that number */
    c[40].source.domid = DOMID_SELF;
    c[40].source.u.gmfn = REF;
    c[50].source.u.ref = 500; /* and one that fails */
    ck_assert_int_eq(call_grant(GNTTABOP_copy, c, sizeof(c[0]), 80), 0);
    ck_assert_uint_eq(fake_preempts, preempts + 2);
    ck_assert_int_eq(c[40].status, GNTST_bad_page);
    ck_assert_int_eq(c[50].status, GNTST_general_error);
    ck_assert_uint_eq(sum(c, 80), (GNTST_bad_page & 0xff) + (GNTST_general_error & 0xff));
    ck_assert_uint_eq(fake_words(ours)[49], 0x1000000 + 49);
    ck_assert_uint_eq(fake_words(ours)[50], 0x2000000 + 50);
    ck_assert_uint_eq(fake_words(ours)[51], 0x1000000 + 51);
    ck_assert_uint_eq(words(), words0);
    unused(d1, REF);
    unused(d1, REF + 1);
    unused(d0, REF);
}
END_TEST

/* A grant that is mapped is copied by what was granted then. */
START_TEST(copies_of_a_mapped_grant)
{
    struct gnttab_copy c;
    uint32_t h;

    begin();
    h = mapped(d1, REF, VA(0), GNTMAP_host_map | GNTMAP_readonly);
    entry(d1, REF)->frame = (uint32_t)data(d1, 3).n;
    c = op(FROM);
    ck_assert_int_eq(call_grant(GNTTABOP_copy, &c, sizeof(c), 1), 0);
    ck_assert_int_eq(c.status, GNTST_okay);
    ck_assert_uint_eq(fake_words(ours)[0], 0x1000000);
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, GTF_reading);
    c = op(TO);
    ck_assert_int_eq(call_grant(GNTTABOP_copy, &c, sizeof(c), 1), 0);
    ck_assert_uint_eq(entry(d1, REF)->flags & BUSY, GTF_reading);
    ck_assert_int_eq(unmap(h, VA(0), 0), GNTST_okay);
    ck_assert_uint_eq(words(), words0);
    unused(d1, REF);
}
END_TEST

int main(void)
{
    RUN_TESTS("grant copies", from_a_grant, to_a_grant, between_grants_and_between_own_frames,
              within_one_frame, bounds, refusals, batches_share_what_is_the_same,
              copies_of_a_mapped_grant);
}
