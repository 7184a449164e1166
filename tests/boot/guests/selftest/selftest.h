/* SPDX-License-Identifier: MIT */
/* Functional checks of the guest ABI, one line each. All of them hold on Xen 4.17 as well, unless
 * written CHECK_OURS: the few where our answer differs on purpose, with the reason beside it. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/hypercall.h>
#include <pvguest/mm.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

#define AREA_VA 0x0000100000000000ul

extern bool selftest_on_xen;

void selftest_result(const char *what, bool ok, uint64_t got, uint64_t want);

#define CHECK(what, cond) selftest_result(what, cond, 0, 1)
/* Prints both values when they differ. */
#define CHECK_EQ(what, got, want)                                                                  \
    do {                                                                                           \
        uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);                                 \
        selftest_result(what, got_ == want_, got_, want_);                                         \
    } while (0)
#define CHECK_OK(what, rc) CHECK_EQ(what, rc, 0)
#define CHECK_REFUSED(what, rc)                                                                    \
    do {                                                                                           \
        long rc_ = (rc);                                                                           \
        selftest_result(what, rc_ < 0, rc_, -XEN_EINVAL);                                          \
    } while (0)
#define CHECK_OURS(what, cond)                                                                     \
    do {                                                                                           \
        if (!selftest_on_xen)                                                                      \
            CHECK(what, cond);                                                                     \
    } while (0)

/* Writable pages at AREA_VA: a live L1 and `n` frames of our own mapped by its first entries. */
uint64_t *selftest_area(unsigned n);
uint64_t selftest_area_mfn(unsigned i);

void test_boot(void);
void test_calls(void);
void test_traps(void);
void test_user(void);
void test_mmu(void);
void test_ptwr(void);
void test_memory(void);
void test_descriptors(void);
void test_cpu(void);
void test_events(void);
void test_time(void);
void test_grants(void);
void test_vcpu_info(void);
void test_smp(void);

#endif
