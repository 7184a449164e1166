/* SPDX-License-Identifier: MIT */
/* memory_op, exchange above all, on the real frame allocator and reference counts: what was given and what was
 * taken agree, and a failure changes nothing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/access.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/init.h>
#include <hv/mm.h>
#include <hv/print.h>
#include <pvabi/memory.h>

#include "hv/dom/memory.h"
#include "hv/dom/pages.h"

#define FRAMES 4096u
#define FIRST  256u
#define OWNED  64u

struct frame *frame_table;
uint64_t frame_max = FRAMES, tlb_epoch = 5;
struct vcpu *host_current;
static uint8_t *ram;
static uint64_t m2p[FRAMES];
static struct domain dom0, other;
struct domain dom_io;
struct boot_info boot_info;
static struct vcpu vcpu;
static unsigned refusals;
static uint64_t owned[OWNED], list[OWNED], out[OWNED];

void *host_frame_va(uint64_t n)
{
    return ram + n * PAGE_SIZE;
}
uint64_t host_va_frame(const void *va)
{
    return (uint64_t)((const uint8_t *)va - ram) / PAGE_SIZE;
}
void tlb_flush_older(uint64_t stamp)
{
    (void)stamp;
}
void cache_flush_frame(mfn_t m)
{
    (void)m;
}
void m2p_set(mfn_t m, uint64_t pfn)
{
    m2p[m.n] = pfn;
}
long memory_acquire_resource(uint64_t arg)
{
    (void)arg;
    return -XEN_ENOSYS;
}

void preempt_point(void)
{
}
struct domain *domain_by_id(domid_t id)
{
    return id == other.id ? &other : NULL;
}
int copy_from_guest(void *dst, uint64_t src, uint64_t len)
{
    if (src < PAGE_SIZE)
        return -XEN_EFAULT;
    memcpy(dst, (const void *)src, len);
    return 0;
}
int copy_to_guest(uint64_t dst, const void *src, uint64_t len)
{
    if (dst < PAGE_SIZE)
        return -XEN_EFAULT;
    memcpy((void *)dst, src, len);
    return 0;
}
bool guest_load64(uint64_t *dst, uint64_t src)
{
    return !copy_from_guest(dst, src, sizeof(*dst));
}
bool guest_store64(uint64_t dst, uint64_t v)
{
    return !copy_to_guest(dst, &v, sizeof(v));
}

void guest_log(const struct domain *d, enum log_level level, const char *fmt, ...)
{
    (void)d;
    (void)level;
    (void)fmt;
}

int refuse(int err, const char *fmt, ...)
{
    (void)fmt;
    refusals++;
    return err;
}
void lock_contended(struct spinlock *l)
{
    (void)l;
    abort();
}
void host_lock_taken(struct spinlock *l)
{
    (void)l;
}
void host_lock_dropped(struct spinlock *l)
{
    (void)l;
}
void bug_at(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

void heap_add(uint64_t first, uint64_t end); /* mm/boot.h */

/* dom0 owns every second frame of a stretch, so that none are contiguous. */
static void setup(void)
{
    mfn_t m, spare[OWNED];

    ram = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
    frame_table = calloc(FRAMES, sizeof(*frame_table));
    heap_add(FIRST, FRAMES);
    dom0 = (struct domain){.is_hardware = true, .max_pages = OWNED};
    other = (struct domain){.id = 3, .max_pages = OWNED};
    lock_init(&dom0.pages_lock, RANK_PAGES);
    lock_init(&other.pages_lock, RANK_PAGES);
    vcpu.domain = &dom0;
    host_current = &vcpu;
    refusals = 0;
    for (unsigned i = 0; i < OWNED; i++) {
        ck_assert_int_eq(domain_alloc_frames(&dom0, 0, HEAP_ANY_BITS, &m), 0);
        owned[i] = m.n;
        spare[i] = heap_alloc(0, HEAP_ANY_BITS);
        m2p[m.n] = 0x1000 + i;
    }
    for (unsigned i = 0; i < OWNED; i++)
        heap_free(spare[i], 0);
}

static void teardown(void)
{
    free(ram);
    free(frame_table);
}

static struct xen_memory_exchange request(unsigned in_count, unsigned in_order, unsigned out_count,
                                          unsigned out_order)
{
    memcpy(list, owned, sizeof(list));
    for (unsigned i = 0; i < OWNED; i++)
        out[i] = 0x1000 + (i << out_order);
    return (struct xen_memory_exchange){
        .in = {.extent_start = (uint64_t)list,
               .nr_extents = in_count,
               .extent_order = in_order,
               .domid = DOMID_SELF},
        .out = {.extent_start = (uint64_t)out,
                .nr_extents = out_count,
                .extent_order = out_order,
                .domid = DOMID_SELF},
    };
}

static void check_unchanged(uint64_t free_before)
{
    ck_assert_uint_eq(dom0.tot_pages, OWNED);
    ck_assert_uint_eq(heap_free_frames(), free_before);
    for (unsigned i = 0; i < OWNED; i++) {
        ck_assert_ptr_eq(frame_table[owned[i]].owner, &dom0);
        ck_assert_uint_eq(frame_table[owned[i]].word >> FW_REF_SHIFT, 1);
        ck_assert_uint_eq(m2p[owned[i]], 0x1000 + i);
    }
}

static unsigned list_length(const struct domain *d)
{
    unsigned n = 0;

    for (uint32_t f = d->pages_first; f; f = frame_table[f].next)
        n++;
    return n;
}

START_TEST(singles_for_an_extent_and_back)
{
    struct xen_memory_exchange x = request(16, 0, 1, 4);
    uint64_t before = heap_free_frames(), extent;

    x.out.mem_flags = XENMEMF_address_bits(23); /* below frame 2048 */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), 0);
    ck_assert_uint_eq(x.nr_exchanged, 16);
    extent = out[0];
    ck_assert_uint_eq(extent % 16, 0);
    ck_assert_uint_lt(extent, 2048);
    ck_assert_uint_eq(dom0.tot_pages, OWNED);
    ck_assert_uint_eq(list_length(&dom0), OWNED);
    ck_assert_uint_eq(heap_free_frames(), before);
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_ptr_eq(frame_table[extent + i].owner, &dom0);
        ck_assert_uint_eq(m2p[extent + i], 0x1000 + i);
        ck_assert_ptr_ne(frame_table[owned[i]].owner, &dom0);
        ck_assert_uint_eq(m2p[owned[i]], INVALID_P2M);
    }

    x = request(1, 4, 16, 0);
    list[0] = extent;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), 0);
    ck_assert_uint_eq(x.nr_exchanged, 1);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(m2p[out[i]], 0x1000 + i);
    ck_assert_uint_eq(list_length(&dom0), OWNED);
    ck_assert_uint_eq(refusals, 0);
}
END_TEST

START_TEST(contiguous_ones_stay)
{
    struct xen_memory_exchange x = request(16, 0, 1, 4);
    uint64_t extent;

    ck_assert_int_eq(memory_exchange((uint64_t)&x), 0);
    extent = out[0];
    x = request(16, 0, 1, 4);
    for (unsigned i = 0; i < 16; i++)
        list[i] = extent + i;
    out[0] = 0x7000;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), 0);
    ck_assert_uint_eq(out[0], extent);
    ck_assert_uint_eq(m2p[extent + 5], 0x7005);
    ck_assert_uint_eq(frame_table[extent + 5].word >> FW_REF_SHIFT, 1);
    x = request(16, 0, 1, 4);
    for (unsigned i = 0; i < 16; i++)
        list[i] = extent + i;
    x.out.mem_flags = XENMEMF_address_bits(21); /* below frame 512: not there */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), 0);
    ck_assert_uint_lt(out[0], 512);
}
END_TEST

START_TEST(failures_change_nothing)
{
    struct xen_memory_exchange x = request(16, 0, 1, 4);
    uint64_t before = heap_free_frames();

    list[9] = FRAMES + 77; /* no frame */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    check_unchanged(before);

    x = request(16, 0, 1, 4);
    list[15] = list[3]; /* twice */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    check_unchanged(before);

    x = request(16, 0, 1, 4);
    ck_assert_int_eq(frame_get_writable(&frame_table[owned[7]], &dom0), 0); /* mapped */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    frame_put_writable(&frame_table[owned[7]]);
    check_unchanged(before);

    x = request(16, 0, 1, 4);
    x.out.mem_flags = XENMEMF_address_bits(13); /* below frame 2 */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_ENOMEM);
    ck_assert_uint_eq(x.nr_exchanged, 0);
    check_unchanged(before);

    x = request(16, 0, 1, 4);
    x.in.extent_start = 8;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EFAULT);
    check_unchanged(before);
}
END_TEST

START_TEST(stops_at_the_chunk_that_fails)
{
    struct xen_memory_exchange x = request(48, 0, 3, 4);

    list[40] = 1; /* in the third chunk */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    ck_assert_uint_eq(x.nr_exchanged, 32);
    ck_assert_uint_eq(m2p[out[1] + 3], 0x1000 + 16 + 3);
    ck_assert_uint_eq(out[2], 0x1000 + 32);
    ck_assert_uint_eq(dom0.tot_pages, OWNED);
    ck_assert_uint_eq(list_length(&dom0), OWNED);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    struct xen_memory_exchange x = request(16, 0, 2, 4);
    uint64_t before = heap_free_frames();

    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL); /* sizes */
    x = request(16, 0, 1, 4);
    x.nr_exchanged = 1;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    x = request(1, 30, 1, 30);
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EPERM);
    x = request(16, 0, 1, 4);
    x.out.domid = 3;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EINVAL);
    x = request(8, 0, 8, 0);
    x.in.domid = x.out.domid = 3; /* frames are dom0's, not its */
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EPERM);
    x = request(8, 1, 4, 2);
    x.in.nr_extents = 1ull << 60;
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EFAULT);
    check_unchanged(before);
    vcpu.domain = &other;
    x = request(16, 0, 1, 4);
    ck_assert_int_eq(memory_exchange((uint64_t)&x), -XEN_EPERM);
    check_unchanged(before);
}
END_TEST

START_TEST(quota_and_claims)
{
    struct frame *f = &frame_table[owned[0]];
    mfn_t m;

    ck_assert_int_eq(domain_alloc_frames(&dom0, 0, HEAP_ANY_BITS, &m), -XEN_ENOMEM);
    ck_assert(frame_get_ref(f, &dom0));
    ck_assert_int_eq(domain_claim_frame(&dom0, owned[0]), -XEN_EINVAL); /* somebody holds it */
    frame_put_ref(f);
    ck_assert_int_eq(domain_claim_frame(&dom0, owned[0]), 0);
    ck_assert(!frame_get_ref(f, &dom0));
    ck_assert_int_ne(frame_get_writable(f, &dom0), 0);
    frame_unclaim(f);
    ck_assert_int_eq(domain_claim_frame(&dom0, owned[0]), 0);
    frame_release_claimed(f);
    ck_assert_uint_eq(dom0.tot_pages, OWNED - 1);
    ck_assert_uint_eq(list_length(&dom0), OWNED - 1);
    ck_assert_int_eq(domain_alloc_frames(&dom0, 0, HEAP_ANY_BITS, &m), 0);
    dom0.max_pages = ~0ull;
    dom0.dying = true;
    ck_assert_int_eq(domain_alloc_frames(&dom0, 0, HEAP_ANY_BITS, &m), -XEN_ENOMEM);
}
END_TEST

START_TEST(decrease_and_populate)
{
    struct xen_memory_exchange x = request(8, 0, 0, 0);

    ck_assert_int_eq(do_memory_op(XENMEM_decrease_reservation, (uint64_t)&x.in), 8);
    ck_assert_uint_eq(dom0.tot_pages, OWNED - 8);
    ck_assert_int_eq(do_memory_op(XENMEM_decrease_reservation, (uint64_t)&x.in), 0);
    ck_assert_uint_eq(refusals, 1);
    for (unsigned i = 0; i < 8; i++)
        list[i] = 0x5000 + i;
    x.in.nr_extents = 10; /* two more than the quota has room for */
    list[8] = list[9] = 0x6000;
    ck_assert_int_eq(do_memory_op(XENMEM_populate_physmap, (uint64_t)&x.in), 8);
    ck_assert_uint_eq(dom0.tot_pages, OWNED);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(m2p[list[i]], 0x5000 + i);
    ck_assert_uint_eq(list[8], 0x6000);
}
END_TEST

START_TEST(map_with_reserved_registers)
{
    static struct e820_entry map[8];
    struct xen_memory_map op = {.nr_entries = 8, .buffer = (uint64_t)map};

    boot_info.e820_count = 1;
    boot_info.e820[0] = (struct e820_entry){0, 0x1000000, E820_RAM};
    dom0.mmio_forbidden_count = 1;
    dom0.mmio_forbidden[0][0] = dom0.mmio_forbidden[0][1] = 0xfee00;
    ck_assert_int_eq(do_memory_op(XENMEM_machine_memory_map, (uint64_t)&op), 0);
    ck_assert_uint_eq(op.nr_entries, 2);
    ck_assert_uint_eq(map[1].addr, 0xfee00000);
    ck_assert_uint_eq(map[1].size, PAGE_SIZE);
    ck_assert_uint_eq(map[1].type, E820_RESERVED);
    op.nr_entries = 1;
    ck_assert_int_eq(do_memory_op(XENMEM_machine_memory_map, (uint64_t)&op), 0);
    ck_assert_uint_eq(op.nr_entries, 1);
    vcpu.domain = &other;
    ck_assert_int_eq(do_memory_op(XENMEM_machine_memory_map, (uint64_t)&op), -XEN_EPERM);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("memory_op");
    TCase *t = tcase_create("memory_op");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, singles_for_an_extent_and_back);
    tcase_add_test(t, contiguous_ones_stay);
    tcase_add_test(t, failures_change_nothing);
    tcase_add_test(t, stops_at_the_chunk_that_fails);
    tcase_add_test(t, nonsense_is_refused);
    tcase_add_test(t, quota_and_claims);
    tcase_add_test(t, decrease_and_populate);
    tcase_add_test(t, map_with_reserved_registers);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
