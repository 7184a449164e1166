/* SPDX-License-Identifier: MIT */
/* Writable page tables: stores of the guest's kernel to its live L1, which it sees read-only at
 * address 0. */
#include "mm_fixture.h"

#include "../../hv/x86/decode.h"

#define SLOT      100
#define SLOT_VA_  (VA(PAGE_L1) + SLOT * 8)
#define CODE(...) ((const uint8_t[]){__VA_ARGS__})

static struct guest_regs r;

static uint64_t *slot(void)
{
    return &fake_words(fake_page(d1, PAGE_L1))[SLOT];
}

/* The instruction (with its operand at RDI) faults on the entry. */
static bool fault_at(const uint8_t *code, size_t len, uint64_t rip, uint64_t va)
{
    bool dealt;

    memset(fake_guest, 0x90, 64);
    memcpy(fake_guest, code, len);
    r.rip = rip;
    r.rdi = va;
    dealt = ptwr_fault(d1->vcpu[0], &r, va);
    fake_no_locks("the end of a fault");
    fake_audit();
    return dealt;
}
#define FAULT(...) fault_at(CODE(__VA_ARGS__), sizeof(CODE(__VA_ARGS__)), FAKE_GUEST, SLOT_VA_)
#define MOV_RAX    0x48, 0x89, 0x07
#define XCHG_RAX   0x48, 0x87, 0x07

START_TEST(a_store_is_carried_out)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    r.rax = fake_pte(m, PTE_P | PTE_RW | PTE_G);
    ck_assert(FAULT(MOV_RAX));
    ck_assert_uint_eq(*slot(), fake_pte(m, PTE_P | PTE_RW | PTE_U));
    ck_assert_uint_eq(uses_of(m), 2);
    ck_assert_uint_eq(r.rip, FAKE_GUEST + 3);
    r.rax = fake_pte(m, PTE_P | PTE_RW | PTE_A); /* as it was */
    ck_assert(FAULT(MOV_RAX));
    ck_assert_uint_eq(uses_of(m), 2);
    r.rax = 0x1000;
    ck_assert(FAULT(MOV_RAX));
    ck_assert_uint_eq(*slot(), 0x1000);
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert(FAULT(0x48, 0xc7, 0x07, 0x54, 0, 0, 0)); /* movq $0x54 */
    ck_assert_int_eq(fake_exceptions, 0);
}
END_TEST

START_TEST(an_exchange_gives_the_old_entry)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    ck_assert_int_eq(update(fake_page(d1, PAGE_L1), SLOT, fake_pte(m, RW)), 0);
    r.rax = 0;
    ck_assert(FAULT(XCHG_RAX));
    ck_assert_uint_eq(r.rax, fake_pte(m, RW));
    ck_assert_uint_eq(*slot(), 0);
    ck_assert_uint_eq(uses_of(m), 1);
}
END_TEST

START_TEST(bits_are_cleared)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    ck_assert_int_eq(update(fake_page(d1, PAGE_L1), SLOT, fake_pte(m, RW)), 0);
    ck_assert(FAULT(0xf0, 0x80, 0x27, 0xfd)); /* lock andb $~RW */
    ck_assert_uint_eq(*slot(), fake_pte(m, RO | PTE_D));
    ck_assert_uint_eq(uses_of(m), 1);
    ck_assert_uint_eq(refs_of(m), 3);
    ck_assert(FAULT(0xf0, 0x48, 0x0f, 0xba, 0x37, 0x06)); /* lock btrq $6: D */
    ck_assert_uint_eq(*slot(), fake_pte(m, RO));
    ck_assert(r.rflags & X86_EFLAGS_CF);
}
END_TEST

START_TEST(compare_and_exchange)
{
    mfn_t m = fake_page(d1, PAGE_DATA);

    r.rax = 5; /* expected, but it is 0 */
    r.rcx = fake_pte(m, RO);
    ck_assert(FAULT(0xf0, 0x48, 0x0f, 0xb1, 0x0f));
    ck_assert_uint_eq(r.rax, 0);
    ck_assert_uint_eq(*slot(), 0);
    ck_assert(FAULT(0xf0, 0x48, 0x0f, 0xb1, 0x0f));
    ck_assert_uint_eq(*slot(), fake_pte(m, RO));
    ck_assert(r.rflags & X86_EFLAGS_ZF);
    ck_assert(FAULT(0xf0, 0x48, 0x0f, 0xb1,
                    0x0f)); /* fails again: the entry stays, with its references */
    ck_assert_uint_eq(refs_of(m), 3);
}
END_TEST

START_TEST(what_may_not_stand_there_faults)
{
    uint64_t rip;

    r.rax = fake_pte(fake_page(d1, PAGE_L1), RW);
    ck_assert(!FAULT(MOV_RAX));
    said("read-only");
    rip = r.rip;
    ck_assert_uint_eq(rip, FAKE_GUEST);
    ck_assert_uint_eq(*slot(), 0);
    r.rax = fake_pte(fake_page(d2, PAGE_DATA), RO);
    ck_assert(!FAULT(XCHG_RAX));
    ck_assert_uint_eq(r.rax, fake_pte(fake_page(d2, PAGE_DATA), RO));
    ck_assert(!fault_at(CODE(MOV_RAX), 3, FAKE_GUEST, SLOT_VA_ + 4)); /* across two entries */
    said("two entries");
}
END_TEST

START_TEST(other_faults_are_not_ours)
{
    ck_assert(!fault_at(CODE(MOV_RAX), 3, FAKE_GUEST, VA(PAGE_L2)));   /* no L1 */
    ck_assert(!fault_at(CODE(MOV_RAX), 3, FAKE_GUEST, VA(PAGE_DATA))); /* writable */
    ck_assert(!fault_at(CODE(MOV_RAX), 3, FAKE_GUEST, VA(400)));       /* not present */
    ck_assert(!fault_at(CODE(MOV_RAX), 3, FAKE_GUEST, 1ull << 39));    /* no table */
    ck_assert(!FAULT(0x48, 0x01, 0x07));                               /* add: no such form */
    ck_assert(!FAULT(0x65, 0x48, 0x89, 0x07));                         /* through GS */
    ck_assert(!fault_at(CODE(MOV_RAX), 3, 0x1000, SLOT_VA_));          /* no code there */
    ck_assert(!fault_at(CODE(MOV_RAX), 3, HV_VIRT_START, SLOT_VA_));
    r.rdi = VA(PAGE_L2);
    memcpy(fake_guest, CODE(MOV_RAX), 3);
    ck_assert(!ptwr_fault(d1->vcpu[0], &r, SLOT_VA_)); /* the operand is elsewhere */
}
END_TEST

START_TEST(an_instruction_may_end_where_memory_does)
{
    uint64_t end = FAKE_GUEST + FAKE_GUEST_SIZE;

    memcpy(fake_guest + FAKE_GUEST_SIZE - 3, CODE(MOV_RAX), 3);
    r.rax = 0x2000;
    r.rip = end - 3;
    r.rdi = SLOT_VA_;
    ck_assert(ptwr_fault(d1->vcpu[0], &r, SLOT_VA_));
    ck_assert_uint_eq(*slot(), 0x2000);
    ck_assert_uint_eq(r.rip, end);
    memcpy(fake_guest + PAGE_SIZE - 2, CODE(MOV_RAX), 3); /* goes on in the next page */
    r.rax = 0x3000;
    r.rip = FAKE_GUEST + PAGE_SIZE - 2;
    ck_assert(ptwr_fault(d1->vcpu[0], &r, SLOT_VA_));
    ck_assert_uint_eq(*slot(), 0x3000);
    memcpy(fake_guest + FAKE_GUEST_SIZE - 2, CODE(MOV_RAX), 2);
    r.rip = end - 2; /* cut off */
    ck_assert(!ptwr_fault(d1->vcpu[0], &r, SLOT_VA_));
}
END_TEST

START_TEST(single_steps_are_reported)
{
    r.rflags = X86_EFLAGS_TF;
    ck_assert(FAULT(MOV_RAX));
    ck_assert_int_eq(fake_exceptions, 1);
    ck_assert_uint_eq(d1->vcpu[0]->dr[6] >> 14 & 1, 1);
}
END_TEST

/* The code turns into another instruction behind its first reading. */
static uint64_t hostile(uint64_t i)
{
    (void)i;
    return 0x0f0b0f0b0f0b0f0b;
}

START_TEST(code_is_read_once)
{
    fake_hostile = hostile;
    r.rax = 0x4000;
    ck_assert(FAULT(MOV_RAX));
    ck_assert_uint_eq(*slot(), 0x4000);
    fake_hostile = NULL;
}
END_TEST

int main(void)
{
    RUN_TESTS("ptwr", a_store_is_carried_out, an_exchange_gives_the_old_entry, bits_are_cleared,
              compare_and_exchange, what_may_not_stand_there_faults, other_faults_are_not_ours,
              an_instruction_may_end_where_memory_does, single_steps_are_reported,
              code_is_read_once);
}
