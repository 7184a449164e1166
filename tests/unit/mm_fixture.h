/* SPDX-License-Identifier: MIT */
/* What the tests of page tables share. The machine: in every domain pages 0-3 are L1 to L4, and the
 * L1 maps page n at address n << 12: tables read-only, others writable. */
#ifndef TESTS_MM_FIXTURE_H
#define TESTS_MM_FIXTURE_H

#include "fake_test.h"

#define RO    (PTE_P | PTE_U | PTE_A)
#define RW    (RO | PTE_RW | PTE_D)
#define TABLE (PTE_P | PTE_U | PTE_RW | PTE_A)
#define VA(n) ((uint64_t)(n) << PAGE_SHIFT)
#define DONE  (FAKE_GUEST + 0x8000)

static unsigned done; /* of the last batch */

static inline enum frame_type type_of(mfn_t m)
{
    return word_type(mfn_frame(m)->word);
}
static inline unsigned uses_of(mfn_t m)
{
    return (unsigned)(mfn_frame(m)->word & FW_COUNT_MASK);
}
static inline unsigned refs_of(mfn_t m)
{
    return (unsigned)(mfn_frame(m)->word >> FW_REF_SHIFT);
}

static inline long call_batch(unsigned nr, const void *list, size_t size, unsigned n,
                              uint64_t domid)
{
    long rc;

    *(unsigned *)(fake_guest + 0x8000) = 77;
    put_in_guest(list, n * size);
    rc = call(nr, FAKE_GUEST, n, DONE, domid);
    done = *(unsigned *)(fake_guest + 0x8000);
    return rc;
}
static inline long updates(const struct mmu_update *u, unsigned n)
{
    return call_batch(__HYPERVISOR_mmu_update, u, sizeof(*u), n, DOMID_SELF);
}
static inline long update_for(mfn_t table, unsigned slot, uint64_t val, uint64_t domid)
{
    struct mmu_update u = {fake_maddr(table, slot), val};

    return call_batch(__HYPERVISOR_mmu_update, &u, sizeof(u), 1, domid);
}
static inline long update(mfn_t table, unsigned slot, uint64_t val)
{
    return update_for(table, slot, val, DOMID_SELF);
}
static inline long ext_for(unsigned cmd, uint64_t arg1, uint64_t arg2, uint64_t domid)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2};

    return call_batch(__HYPERVISOR_mmuext_op, &op, sizeof(op), 1, domid);
}
static inline long ext(unsigned cmd, mfn_t m)
{
    return ext_for(cmd, m.n, 0, DOMID_SELF);
}
static inline long pin(enum frame_type t, mfn_t m)
{
    return ext(MMUEXT_PIN_L1_TABLE + t - FT_L1, m);
}
static inline long unpin(mfn_t m)
{
    return ext(MMUEXT_UNPIN_TABLE, m);
}
static inline long map_va(uint64_t va, uint64_t pte)
{
    return call(__HYPERVISOR_update_va_mapping, va, pte, UVMF_NONE, 0);
}
/* Page n of the caller read-only or writable, at its own address. */
static inline void protect(unsigned n, bool writable)
{
    mfn_t m = fake_page(host_current->domain, n);

    ck_assert_int_eq(map_va(VA(n), fake_pte(m, writable ? RW : RO)), 0);
}
/* A page that may become a table: empty and mapped read-only only. */
static inline mfn_t spare(unsigned n)
{
    protect(n, false);
    return fake_page(host_current->domain, n);
}

#endif
