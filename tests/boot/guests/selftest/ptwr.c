/* SPDX-License-Identifier: MIT */
/* Direct writes to entries of a live L1, which trap and are carried out: every form that kernels
 * use, with its result, its flags and the effect on the mapping. */
#include "selftest.h"

#define CF 0x01
#define ZF 0x40

static uint64_t *l1;
static uint64_t va, pte[2];

static void reset(void)
{
    pv_set_entry(&l1[8], pte[0]);
    pv_ext_va(MMUEXT_INVLPG_LOCAL, va);
}

/* Runs one form; `in` goes in by RAX, what RAX and the flags were afterwards comes out. */
#define FORM(insn, in)                                                                             \
    do {                                                                                           \
        struct pv_fault f_;                                                                        \
        reset();                                                                                   \
        fault = -1;                                                                                \
        PV_TRY(&f_)                                                                                \
        {                                                                                          \
            uint64_t a_ = (in), fl_;                                                               \
            __asm__ volatile(insn "; pushfq; pop %1"                                               \
                             : "+a"(a_), "=&r"(fl_)                                                \
                             : "D"(&l1[8]), "d"(pte[1])                                            \
                             : "rcx", "memory", "cc");                                             \
            rax = a_;                                                                              \
            flags = fl_;                                                                           \
        }                                                                                          \
        fault = f_.vector;                                                                         \
    } while (0)

static volatile uint64_t rax, flags;
static volatile int fault;

/* Without the bits that the CPU or the hypervisor may add. */
#define PLAIN(p) ((p) & ~(PTE_A | PTE_D | PTE_G))
#define ENTRY()  PLAIN(l1[8])

static void check_moves(void)
{
    volatile uint64_t *page = (uint64_t *)va;

    FORM("mov %%rdx, (%%rdi)", 0);
    CHECK_EQ("mov", ENTRY(), PLAIN(pte[1]));
    pv_ext_va(MMUEXT_INVLPG_LOCAL, va);
    CHECK_EQ("mapping follows", page[0], 0x2222);
    FORM("mov %%rax, (%%rdi)", 0);
    CHECK_EQ("mov of zero", l1[8], 0);
    CHECK_EQ("write unmaps", (pv_ext_va(MMUEXT_INVLPG_LOCAL, va), pv_try_write(va, 0)), 14);
    FORM("movq $0, (%%rdi)", 0);
    CHECK_EQ("mov of an immediate", l1[8], 0);
    FORM("movl %%eax, (%%rdi)", (uint32_t)(pte[0] & ~PTE_RW));
    CHECK_EQ("mov of the low half", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    FORM("xchg %%rax, (%%rdi)", 0);
    CHECK_EQ("xchg: entry", l1[8], 0);
    CHECK_EQ("xchg: register", PLAIN(rax), PLAIN(pte[0]));
    FORM("lock cmpxchg %%rdx, (%%rdi)", l1[8]);
    CHECK_EQ("cmpxchg that succeeds: entry", ENTRY(), PLAIN(pte[1]));
    CHECK_EQ("cmpxchg that succeeds: ZF", flags & ZF, ZF);
    FORM("lock cmpxchg %%rdx, (%%rdi)", 0x123);
    CHECK_EQ("cmpxchg that fails: entry", ENTRY(), PLAIN(pte[0]));
    CHECK_EQ("cmpxchg that fails: ZF", flags & ZF, 0);
    CHECK_EQ("cmpxchg that fails: register", PLAIN(rax), PLAIN(pte[0]));
    FORM("stosq; sub $8, %%rdi", pte[1]);
    CHECK_EQ("stos", ENTRY(), PLAIN(pte[1]));
}

static void check_logic(void)
{
    FORM("lock andq $~2, (%%rdi)", 0);
    CHECK_EQ("lock and", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    FORM("lock andb $~2, (%%rdi)", 0);
    CHECK_EQ("lock and of a byte", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    CHECK_EQ("its ZF", flags & ZF, 0);
    FORM("lock orq %%rax, (%%rdi)", 0x200);
    CHECK_EQ("lock or", ENTRY(), PLAIN(pte[0] | 0x200));
    FORM("lock orb $4, 1(%%rdi)", 0);
    CHECK_EQ("lock or of byte 1", ENTRY(), PLAIN(pte[0] | 0x400));
    FORM("lock xorq %%rax, (%%rdi)", 0x800);
    CHECK_EQ("lock xor", ENTRY(), PLAIN(pte[0] | 0x800));
    FORM("movb %%al, (%%rdi)", (uint8_t)(pte[0] & ~PTE_RW));
    CHECK_EQ("mov of a byte", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    FORM("movw %%ax, (%%rdi)", (uint16_t)(pte[0] | 0x200));
    CHECK_EQ("mov of 16 bits", ENTRY(), PLAIN(pte[0] | 0x200));
    CHECK_EQ("and nothing faulted", fault, -1);
}

static void check_bits(void)
{
    FORM("lock btrq $1, (%%rdi)", 0);
    CHECK_EQ("btr: entry", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    CHECK_EQ("btr: CF is the old bit", flags & CF, CF);
    FORM("lock btsq $9, (%%rdi)", 0);
    CHECK_EQ("bts: entry", ENTRY(), PLAIN(pte[0] | 0x200));
    CHECK_EQ("bts: CF is the old bit", flags & CF, 0);
    FORM("lock btcq $10, (%%rdi)", 0);
    CHECK_EQ("btc: entry", ENTRY(), PLAIN(pte[0] | 0x400));
    FORM("lock btrq %%rax, (%%rdi)", 1);
    CHECK_EQ("btr by register: entry", ENTRY(), PLAIN(pte[0] & ~PTE_RW));
    FORM("lock btrl $6, (%%rdi)", 0);
    CHECK_EQ("btr of the low half: dirty bit", l1[8] & PTE_D, 0);
}

static void check_refusals(void)
{
    FORM("mov %%rax, (%%rdi)", pv_pte(pv_va_to_mfn(l1), PTE_KERNEL));
    CHECK_EQ("bad entry faults", fault, 14);
    CHECK_EQ("and changes nothing", ENTRY(), PLAIN(pte[0]));
    CHECK_EQ("write to a read-only page that is no table", ({
                 pv_update_va_mapping(AREA_VA, pv_pte(selftest_area_mfn(2), PTE_KERNEL_RO),
                                      UVMF_INVLPG);
                 pv_try_write(AREA_VA, 1);
             }), 14);
    CHECK_EQ("write to a live L2 faults",
             pv_try_write((uint64_t)&pv_table(AREA_VA, 2)[pv_index(AREA_VA, 2)], 0), 14);
}

/* Before it is a table a page is written freely, and after it ceased to be one. */
static void check_free_tables(void)
{
    uint64_t *page = pv_page_alloc();

    page[5] = pte[0];
    pv_set_readonly(page, true);
    CHECK_OK("hooked in", pv_set_entry(&pv_table(AREA_VA, 2)[pv_index(AREA_VA, 2) + 3],
                                       pv_pte(pv_va_to_mfn(page), PTE_TABLE)));
    CHECK_EQ("entry at work", *(volatile uint64_t *)(AREA_VA + (3ul << 21) + 5 * PAGE_SIZE),
             0x1111);
    CHECK_EQ("write while live", pv_try_write((uint64_t)&page[6], pte[1]), -1);
    CHECK_EQ("at work", *(volatile uint64_t *)(AREA_VA + (3ul << 21) + 6 * PAGE_SIZE), 0x2222);
    CHECK_OK("unhooked", pv_set_entry(&pv_table(AREA_VA, 2)[pv_index(AREA_VA, 2) + 3], 0));
    CHECK_OK("writable", pv_set_readonly(page, false));
    page[5] = 0;
}

void test_ptwr(void)
{
    l1 = selftest_area(3);
    va = AREA_VA + 8 * PAGE_SIZE;
    for (unsigned i = 0; i < 2; i++) {
        pte[i] = pv_pte(selftest_area_mfn(i), PTE_KERNEL);
        *(volatile uint64_t *)(AREA_VA + i * PAGE_SIZE) = i ? 0x2222 : 0x1111;
    }
    check_moves();
    check_logic();
    check_bits();
    check_refusals();
    check_free_tables();
}
