/* SPDX-License-Identifier: MIT */
/* The hypervisor's auditor accepts what is right, and finds each thing that is not. */
#include <setjmp.h>
#include <stdio.h>

#include "mm_fixture.h"

static jmp_buf out;

static void jump(void)
{
    longjmp(out, 1);
}

/* Does audit() panic? */
static bool finds_fault(void)
{
    static bool found;

    found = true;
    fake_on_fatal = jump;
    if (!setjmp(out)) {
        audit();
        found = false;
    }
    fake_on_fatal = NULL;
    fake_lock_reset();
    return found;
}

/* Puts a value somewhere for the length of an audit. */
#define SPOILED(place, value)                                                                      \
    ({                                                                                             \
        __typeof__(place) *at_ = &(place), kept_ = *at_;                                           \
        bool found_;                                                                               \
        *at_ = (value);                                                                            \
        found_ = finds_fault();                                                                    \
        *at_ = kept_;                                                                              \
        found_;                                                                                    \
    })

#define WORD(d, n)     (mfn_frame(fake_page(d, n))->word)
#define ENTRY(d, n, i) (fake_words(fake_page(d, n))[i])

START_TEST(the_truth_passes)
{
    ck_assert(!finds_fault());
    ck_assert_int_eq(ext(MMUEXT_NEW_USER_BASEPTR, fake_page(d1, PAGE_L4)), 0);
    ck_assert_int_eq(pin(FT_L1, fake_page(d1, PAGE_L1)), 0);
    ck_assert_int_eq(pin(FT_L1, spare(PAGE_DATA)), 0);
    run_as(d0);
    ck_assert_int_eq(update(fake_page(d0, PAGE_L1), 100, fake_pte(mfn(fake_ram), RW)), 0);
    ck_assert_int_eq(update_for(fake_page(d0, PAGE_L1), 101, fake_pte(fake_page(d2, 9), RO), 2), 0);
    ck_assert(!finds_fault());
    d1->walk_busy = true; /* half done: for another time */
    ck_assert(!SPOILED(WORD(d1, 4), WORD(d1, 4) + FW_COUNT_ONE));
    d1->walk_busy = false;
    fake_alloc_fails = 1; /* no memory: the same */
    ck_assert(!finds_fault());
}
END_TEST

START_TEST(counts_that_are_not_true)
{
    for (unsigned n = 0; n < 6; n++) {
        ck_assert(SPOILED(WORD(d1, n), WORD(d1, n) + FW_COUNT_ONE));
        ck_assert(SPOILED(WORD(d1, n), WORD(d1, n) + FW_REF_ONE));
        ck_assert(SPOILED(WORD(d1, n), WORD(d1, n) - FW_REF_ONE));
    }
    ck_assert(SPOILED(d1->vcpu[1]->kernel_cr3, 0));
    ck_assert(SPOILED(d1->vcpu[1]->user_cr3, fake_page(d1, PAGE_L4).n << PAGE_SHIFT));
    ck_assert(SPOILED(d1->vcpu[1]->user_cr3, fake_page(d1, PAGE_L3).n << PAGE_SHIFT));
    ck_assert(SPOILED(d1->vcpu[1]->gdt_frame[0], fake_page(d1, PAGE_DATA).n));
    ck_assert(SPOILED(d1->vcpu[1]->ldt_frame[3], 1ull << 50));
    ck_assert(SPOILED(d1->vcpu[1]->info_mfn.n, fake_page(d1, PAGE_DATA).n));
}
END_TEST

START_TEST(words_that_are_not_legal)
{
    uint64_t w = WORD(d1, PAGE_DATA);

    ck_assert(SPOILED(WORD(d1, PAGE_DATA), w | FW_BUSY));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), w & ~FW_COUNT_MASK));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), w & ~FW_TYPE_MASK));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), w | FW_PIN));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), 0));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), FW_REF_ONE | FW_PIN));
    ck_assert(SPOILED(WORD(d1, PAGE_DATA), FW_REF_ONE | FW_TYPE(FT_WR) | 2));
    ck_assert(
        SPOILED(frame_table[2].owner, d1)); /* a free frame, inside or at the start of a block */
    ck_assert(SPOILED(frame_table[3].word, FW_COUNT_ONE));
}
END_TEST

START_TEST(entries_that_may_not_stand_there)
{
    mfn_t data = fake_page(d1, PAGE_DATA);

    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, PAGE_DATA), fake_pte(data, RW) & ~PTE_U));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, PAGE_DATA), fake_pte(data, RW | PTE_PCD)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, PAGE_DATA), fake_pte(data, RW | 1ull << 60)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, 100), fake_pte(mfn(fake_ram), RO)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, 100), fake_pte(mfn(1ull << 30), RO)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, 100), fake_pte(mfn(1), RO)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, 100), fake_pte(fake_page(d2, 9), RO)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L1, 0), fake_pte(fake_page(d1, PAGE_L1), RW)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L2, 0), fake_pte(fake_page(d1, PAGE_L1), TABLE | PTE_PSE)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L2, 0), fake_pte(fake_page(d1, PAGE_L1), TABLE) & ~PTE_U));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L2, 0), fake_pte(fake_page(d2, PAGE_L1), TABLE)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L2, 0), fake_pte(mfn(1ull << 30), TABLE)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L3, 0), fake_pte(fake_page(d1, PAGE_L1), TABLE)));
    ck_assert(SPOILED(ENTRY(d1, PAGE_L4, 260), 0));
    ck_assert(SPOILED(d1->shared_mfn.n, fake_page(d1, PAGE_L1).n));
}
END_TEST

START_TEST(the_dying_lack_a_reference)
{
    mfn_t m = spare(PAGE_DATA);

    mfn_frame(m)->word -= FW_REF_ONE;
    ck_assert(finds_fault());
    d1->dying = true;
    ck_assert(!finds_fault());
    mfn_frame(m)->word += FW_REF_ONE;
}
END_TEST

int main(void)
{
    RUN_TESTS("audit", the_truth_passes, counts_that_are_not_true, words_that_are_not_legal,
              entries_that_may_not_stand_there, the_dying_lack_a_reference);
}
