/* SPDX-License-Identifier: MIT */
/* R26: instruction forms the closed decoder does not know, or knows and must get right, on live
 * page-table entries; and privileged instructions that are nobody's business here. */
#include "attack.h"

static uint64_t *l1;
static uint64_t evil; /* maps a live table writable */

static bool is_table(uint64_t entry)
{
    uint64_t mfn = (entry & PTE_FRAME) >> PAGE_SHIFT;

    return mfn == pv_va_to_mfn(l1) || mfn == (evil & PTE_FRAME) >> PAGE_SHIFT;
}

static bool entries_clean(void)
{
    for (unsigned i = 0; i < 4; i++)
        if ((l1[i] & PTE_P) && (l1[i] & PTE_RW) && is_table(l1[i]))
            return false;
    return true;
}

/* All four map the table they are in, read-only: one more bit would be enough. */
static void reset_entries(void)
{
    for (unsigned i = 0; i < 4; i++)
        holds("entry", !pv_set_entry(&l1[i], pv_pte(pv_va_to_mfn(l1), PTE_KERNEL_RO)));
}

/* A form that stores `evil` whole, or sets RW in place, must fault. A form that computes something
 * else may be carried out, if the entry that results is a legal one. */
#define RUN_FORM(f, what, ...)                                                                     \
    reset_entries();                                                                               \
    PV_TRY(f) __asm__ volatile(__VA_ARGS__);                                                       \
    holds(what, entries_clean())
#define FORM(what, ...)                                                                            \
    do {                                                                                           \
        struct pv_fault f_;                                                                        \
        RUN_FORM(&f_, what, __VA_ARGS__);                                                          \
        stopped(what, f_.vector);                                                                  \
    } while (0)
#define ODD_FORM(what, ...)                                                                        \
    do {                                                                                           \
        struct pv_fault f_;                                                                        \
        RUN_FORM(&f_, what, __VA_ARGS__);                                                          \
    } while (0)

static void entry_writes(void)
{
    volatile uint64_t *e = l1;
    static uint64_t source[4] pv_aligned(16);

    source[0] = source[1] = evil;
    FORM("mov", "mov %1, %0" : "=m"(*e) : "r"(evil));
    FORM("xchg", "mov %1, %%rax; xchg %%rax, %0" : "+m"(*e) : "r"(evil) : "rax");
    FORM("lock cmpxchg", "mov %0, %%rax; lock cmpxchg %1, %0" : "+m"(*e) : "r"(evil) : "rax");
    ODD_FORM("lock xadd", "mov %1, %%rax; lock xadd %%rax, %0" : "+m"(*e) : "r"(evil) : "rax");
    FORM("movnti", "movnti %1, %0" : "=m"(*e) : "r"(evil));
    ODD_FORM("movbe", "mov %1, %%rax; bswap %%rax; movbe %%rax, %0" : "=m"(*e) : "r"(evil) : "rax");
    FORM("stosq", "stosq" ::"a"(evil), "D"(e) : "memory");
    FORM("rep stosq", "mov $2, %%ecx; rep stosq" ::"a"(evil), "D"(e) : "rcx", "memory");
    FORM("movsq", "movsq" ::"S"(source), "D"(e) : "memory");
    FORM("rep movsq", "mov $2, %%ecx; rep movsq" ::"S"(source), "D"(e) : "rcx", "memory");
    FORM("rep movsb", "mov $8, %%ecx; rep movsb" ::"S"(source), "D"(e) : "rcx", "memory");
    FORM("pop", "push %1; popq %0" : "=m"(*e) : "r"(evil));
    FORM("movq mm0", "movq %1, %%mm0; movq %%mm0, %0; emms" : "=m"(*e) : "r"(evil));
    FORM("movups", "movups %1, %%xmm0; movups %%xmm0, %0" : "=m"(*e) : "m"(source[0]));
    FORM("cmpxchg16b",
         "mov %1, %%rbx; mov %1, %%rcx; mov %2, %%rax; mov 8%2, %%rdx; lock cmpxchg16b %0"
         : "+m"(*e) : "r"(evil), "m"(*e) : "rax", "rbx", "rcx", "rdx");
    ODD_FORM("cmpxchg8b", "mov %k1, %%ebx; xor %%ecx, %%ecx; mov %2, %%eax; lock cmpxchg8b %0"
         : "+m"(*e) : "r"(evil), "m"(*(volatile uint32_t *)e) : "rax", "rbx", "rcx", "rdx");
    FORM("orb", "orb $2, %0" : "+m"(*(volatile uint8_t *)e));
    FORM("btsl in register form", "mov $1, %%ecx; btsl %%ecx, %0" : "+m"(*(volatile uint32_t *)e)
         :: "rcx");
    ODD_FORM("bts far beyond its operand", "btsq %1, (%0)" ::"r"(e - 512), "r"(512l * 64 + 1)
         : "memory");
    ODD_FORM("incq", "incq %0" : "+m"(*(volatile uint8_t *)e));
    ODD_FORM("notq", "notq %0" : "+m"(*e));
    ODD_FORM("setc", "stc; setc %0" : "=m"(*(volatile uint8_t *)e));
    ODD_FORM("shld", "shldq $12, %1, %0" : "+m"(*e) : "r"(evil));
}

/* The instruction lies across a page end with nothing behind it, or is encoded at full length. */
static void odd_encodings(void)
{
    static const uint8_t longest[] = {0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67, 0x67,
                                      0x67, 0x67, 0x67, 0x67, 0x48, 0x89, 0x07, 0xc3};
    uint8_t *page = pv_page_alloc();
    uint64_t code = AREA_VA + 64 * PAGE_SIZE;
    struct pv_fault f;

    holds("code page", !pv_update_va_mapping(code, pv_pte(pv_va_to_mfn(page), PTE_KERNEL), 0));
    memcpy(page + PAGE_SIZE - 2, "\x48\x89", 2);
    PV_TRY(&f) __asm__ volatile("call *%0" ::"r"(code + PAGE_SIZE - 2), "a"(evil), "D"(l1)
                                : "memory");
    stopped("instruction cut off by its page", f.vector);
    memcpy(page, longest, sizeof(longest));
    PV_TRY(&f) __asm__ volatile("call *%0" ::"r"(code), "a"(evil), "D"(l1) : "memory");
    stopped("fifteen bytes", f.vector);
    memset(page, 0x66, 64);
    PV_TRY(&f) __asm__ volatile("call *%0" ::"r"(code), "a"(evil), "D"(l1) : "memory");
    stopped("nothing but prefixes", f.vector);
    memcpy(page, "\x65\x48\x89\x07\xc3", 5); /* GS override: base 0 here */
    PV_TRY(&f) __asm__ volatile("call *%0" ::"r"(code), "a"(evil), "D"(l1) : "memory");
    stopped("segment override", f.vector);
    holds("entries", entries_clean());
}

static void privileged(void)
{
    static uint64_t m[4];
    struct pv_fault f;

#define PRIVILEGED(insn, ...)                                                                      \
    PV_TRY(&f) __asm__ volatile(insn ::__VA_ARGS__ : "memory", "rax", "rcx", "rdx");               \
    stopped(insn, f.vector)

    PRIVILEGED("lgdt %0", "m"(m));
    PRIVILEGED("lidt %0", "m"(m));
    PRIVILEGED("lldt %w0", "r"(0));
    PRIVILEGED("ltr %w0", "r"(0xe040));
    PRIVILEGED("swapgs", "m"(m));
    PRIVILEGED("sysretq", "m"(m));
    PRIVILEGED("sysexitl", "m"(m));
    PRIVILEGED("rsm", "m"(m));
    PRIVILEGED(".byte 0x0f,0x01,0xc1", "m"(m)); /* vmcall */
    PRIVILEGED(".byte 0x0f,0x01,0xd9", "m"(m)); /* vmmcall */
    PRIVILEGED(".byte 0x0f,0x01,0xd8", "m"(m)); /* vmrun */
    PRIVILEGED(".byte 0x0f,0x01,0xdd", "m"(m)); /* clgi */
    PRIVILEGED("invd", "m"(m));
    PRIVILEGED(".byte 0x0f,0x01,0xc8", "m"(m)); /* monitor */
    PRIVILEGED("invpcid %0, %%rax", "m"(m));
    PRIVILEGED("ud2; .ascii \"xem\"; cpuid", "m"(m));
}

static void forms(void)
{
    uint64_t *victim = pv_table(AREA_VA, 4);

    l1 = pv_make_l1(AREA_VA);
    evil = pv_pte(pv_va_to_mfn(victim), PTE_KERNEL);
    entry_writes();
    reset_entries();
    odd_encodings();
    privileged();
}

const struct attack form_attacks[] = {
    {"r26", "instruction forms on page tables, privileged ones", forms, ATTACK_SURVIVES},
    {.name = NULL},
};
