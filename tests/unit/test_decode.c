/* SPDX-License-Identifier: MIT */
/* The decoder: instructions as the assembler encodes them, what must be refused, random bytes.
 * Links with hv/x86/decode.c and decode_pte.c. */
#include "decode_util.h"

/* clang-format off */
#define PRIVILEGED(X)                                                                              \
    X(cli, "cli", .op = INSN_CLI)                                                                  \
    X(sti, "sti", .op = INSN_STI)                                                                  \
    X(hlt, "hlt", .op = INSN_HLT)                                                                  \
    X(in8, "in $0x60, %al", .op = INSN_IN, .size = 1, .port = 0x60)                                \
    X(in16, "in $0x60, %ax", .op = INSN_IN, .size = 2, .port = 0x60)                               \
    X(in32, "in $0xff, %eax", .op = INSN_IN, .size = 4, .port = 0xff)                              \
    X(in8d, "in %dx, %al", .op = INSN_IN, .size = 1, .port = 0x2222)                               \
    X(in16d, "in %dx, %ax", .op = INSN_IN, .size = 2, .port = 0x2222)                              \
    X(in32d, "in %dx, %eax", .op = INSN_IN, .size = 4, .port = 0x2222)                             \
    X(in32w, ".byte 0x48; in %dx, %eax", .op = INSN_IN, .size = 4, .port = 0x2222)                 \
    X(out8, "out %al, $0x80", .op = INSN_OUT, .size = 1, .port = 0x80)                             \
    X(out16, "out %ax, $0x80", .op = INSN_OUT, .size = 2, .port = 0x80)                            \
    X(out32, "out %eax, $0x80", .op = INSN_OUT, .size = 4, .port = 0x80)                           \
    X(out8d, "out %al, %dx", .op = INSN_OUT, .size = 1, .port = 0x2222)                            \
    X(out16d, "out %ax, %dx", .op = INSN_OUT, .size = 2, .port = 0x2222)                           \
    X(out32d, "out %eax, %dx", .op = INSN_OUT, .size = 4, .port = 0x2222)                          \
    X(insb, "insb", .op = INSN_INS, .size = 1, .port = 0x2222, .is_mem = true, .ea = 0x7777777700000007)  \
    X(repinsw, "rep insw", .op = INSN_INS, .size = 2, .port = 0x2222, .is_mem = true, .rep = true,        \
      .ea = 0x7777777700000007)                                                                    \
    X(insl32, "rep insl (%dx), %es:(%edi)", .op = INSN_INS, .size = 4, .port = 0x2222, .is_mem = true,    \
      .rep = true, .addr32 = true, .ea = 7)                                                        \
    X(outsb, "outsb", .op = INSN_OUTS, .size = 1, .port = 0x2222, .is_mem = true, .ea = 0x6666666600000006) \
    X(outsl, "rep outsl %gs:(%rsi), (%dx)", .op = INSN_OUTS, .size = 4, .port = 0x2222, .is_mem = true,   \
      .rep = true, .seg = SEG_GS, .ea = 0x6666666600000006)                                        \
    X(rdmsr, "rdmsr", .op = INSN_RDMSR)                                                            \
    X(wrmsr, "wrmsr", .op = INSN_WRMSR)                                                            \
    X(rdtsc, "rdtsc", .op = INSN_RDTSC)                                                            \
    X(rdtscp, "rdtscp", .op = INSN_RDTSCP, .size = 2, .reg = 1)                                    \
    X(rdpmc, "rdpmc", .op = INSN_RDPMC)                                                            \
    X(cpuid, "cpuid", .op = INSN_CPUID)                                                            \
    X(xsetbv, "xsetbv", .op = INSN_XSETBV, .size = 2, .reg = 1)                                    \
    X(clts, "clts", .op = INSN_CLTS)                                                               \
    X(wbinvd, "wbinvd", .op = INSN_WBINVD)                                                         \
    X(wbnoinvd, "wbnoinvd", .op = INSN_WBINVD)                                                     \
    X(invd, "invd", .op = INSN_INVD)                                                               \
    X(cr0r, "mov %cr0, %rax", .op = INSN_MOV_FROM_CR, .size = 8, .reg = 0, .creg = 0)              \
    X(cr2r, "mov %cr2, %r12", .op = INSN_MOV_FROM_CR, .size = 8, .reg = 12, .creg = 2)             \
    X(cr3r, "mov %cr3, %rsp", .op = INSN_MOV_FROM_CR, .size = 8, .reg = 4, .creg = 3)              \
    X(cr4r, "mov %cr4, %rdi", .op = INSN_MOV_FROM_CR, .size = 8, .reg = 7, .creg = 4)              \
    X(cr8r, "mov %cr8, %rdx", .op = INSN_MOV_FROM_CR, .size = 8, .reg = 2, .creg = 8)              \
    X(cr0w, "mov %rcx, %cr0", .op = INSN_MOV_TO_CR, .size = 8, .reg = 1, .creg = 0)                \
    X(cr4w, "mov %r15, %cr4", .op = INSN_MOV_TO_CR, .size = 8, .reg = 15, .creg = 4)               \
    X(cr8w, "mov %r8, %cr8", .op = INSN_MOV_TO_CR, .size = 8, .reg = 8, .creg = 8)                 \
    X(dr7r, "mov %dr7, %r9", .op = INSN_MOV_FROM_DR, .size = 8, .reg = 9, .creg = 7)               \
    X(dr6w, "mov %rbx, %dr6", .op = INSN_MOV_TO_DR, .size = 8, .reg = 3, .creg = 6)                \
    X(invlpg, "invlpg 0x10(%rbx,%rcx,4)", .op = INSN_INVLPG, .size = 2, .reg = 4, .is_mem = true,  \
      .ea = 0x7777777700000017)                                                              \
    X(invlpgs, "invlpg %fs:(%rsi)", .op = INSN_INVLPG, .size = 2, .reg = 6, .is_mem = true, .seg = SEG_FS, \
      .ea = 0x6666666600000006)                                                                    \
    X(lmswr, "lmsw %ax", .op = INSN_LMSW, .size = 2, .reg = 0)                                     \
    X(lmswm, "lmsw (%rdi)", .op = INSN_LMSW, .size = 2, .reg = 7, .is_mem = true, .ea = 0x7777777700000007) \
    X(lgdt, "lgdt 2(%rdi)", .op = INSN_LGDT, .size = 2, .reg = 7, .is_mem = true, .ea = 0x7777777700000009) \
    X(lidt, "lidt (%edi)", .op = INSN_LIDT, .size = 2, .reg = 7, .is_mem = true, .addr32 = true, .ea = 7)   \
    X(lldt, "lldt %cx", .op = INSN_LLDT, .size = 2, .reg = 1)                                      \
    X(ltr, "ltr %r9w", .op = INSN_LTR, .size = 2, .reg = 9)                                        \
    X(lgdtrip, "lgdt 0x100(%rip)", .op = INSN_LGDT, .size = 2, .reg = 5, .is_mem = true, .ea = 0x1107)      \
    X(swapgs, "swapgs", .op = INSN_SWAPGS, .size = 2, .reg = 0)                                    \
    X(iretq, "iretq", .op = INSN_IRET, .size = 8)                                                  \
    X(iretd, "iretl", .op = INSN_IRET, .size = 4)                                                   \
    X(sysretq, "sysretq", .op = INSN_SYSRET)                                                       \
    X(sysexit, "sysexitl", .op = INSN_SYSEXIT)                                                      \
    X(monitor, "monitor", .op = INSN_MONITOR, .size = 2, .reg = 0)                                 \
    X(mwait, "mwait", .op = INSN_MWAIT, .size = 2, .reg = 1)                                       \
    X(int80, "int $0x80", .op = INSN_INT, .creg = 0x80)                                            \
    X(int3, "int3", .op = INSN_INT, .creg = 3)                                                     \
    X(padded, ".byte 0x2e, 0x66, 0x48; cli", .op = INSN_CLI)

/* clang-format on */

#define DECLARE(id, text, ...) GAS(id, text);
PRIVILEGED(DECLARE)

static struct guest_regs plain_regs(void)
{
    struct guest_regs r = {0};

    for (unsigned i = 0; i < 16; i++)
        r.gpr[i] = i * 0x1111111100000000ull + i;
    r.rsp = r.gpr[4];
    r.rdx = 0x11112222;
    r.rip = 0x1000;
    return r;
}

static void check_privileged(const char *text, const uint8_t *start, const uint8_t *end,
                             struct insn want)
{
    struct guest_regs r = plain_regs();
    struct insn got;
    unsigned n = (unsigned)(end - start);

    ck_assert_msg(decode_exact(false, start, n, &r, &got), "%s: not recognised", text);
    ck_assert_msg(
        got.op == want.op && got.len == n && got.size == want.size && got.reg == want.reg &&
            got.creg == want.creg && got.seg == want.seg && got.rep == want.rep &&
            got.addr32 == want.addr32 && got.is_mem == want.is_mem && got.port == want.port &&
            got.ea == want.ea,
        "%s: op %s len %u size %u reg %u creg %u seg %u rep %d addr32 %d mem %d port %x ea %lx",
        text, insn_name(got.op), got.len, got.size, got.reg, got.creg, got.seg, got.rep, got.addr32,
        got.is_mem, got.port, (unsigned long)got.ea);
    for (unsigned i = 0; i < n; i++)
        ck_assert_msg(!decode_exact(false, start, i, &r, &got), "%s recognised from %u bytes", text,
                      i);
}

START_TEST(privileged)
{
#define CHECK_ONE(id, text, ...)                                                                   \
    check_privileged(text, gas_##id, gas_##id##_end, (struct insn){__VA_ARGS__});
    PRIVILEGED(CHECK_ONE)
}
END_TEST

GAS(no_lock_cli, ".byte 0xf0; cli");
GAS(no_cr1, ".byte 0x0f, 0x20, 0xc8");
GAS(no_dr8, ".byte 0x44, 0x0f, 0x21, 0xc0");
GAS(no_cr15, ".byte 0x44, 0x0f, 0x22, 0xf8");
GAS(no_rep_rdmsr, ".byte 0xf2; rdmsr");
GAS(no_sgdt, "sgdt (%rdi)");
GAS(no_sldt, "sldt %ax");
GAS(no_smsw, "smsw %ax");
GAS(no_vmcall, "vmcall");
GAS(no_syscall, "syscall");
GAS(no_mov, "mov %rax, %rbx");
GAS(no_xsetbv66, ".byte 0x66; xsetbv");

START_TEST(privileged_refused)
{
#define REFUSED(id)                                                                                \
    ck_assert_msg(                                                                                 \
        !decode_exact(false, gas_##id, (unsigned)(gas_##id##_end - gas_##id), &r, &got) &&         \
            got.op == INSN_NONE,                                                                   \
        #id)
    struct guest_regs r = plain_regs();
    struct insn got;

    REFUSED(no_lock_cli);
    REFUSED(no_cr1);
    REFUSED(no_dr8);
    REFUSED(no_cr15);
    REFUSED(no_rep_rdmsr);
    REFUSED(no_sgdt);
    REFUSED(no_sldt);
    REFUSED(no_smsw);
    REFUSED(no_vmcall);
    REFUSED(no_syscall);
    REFUSED(no_mov);
    REFUSED(no_xsetbv66);
}
END_TEST

START_TEST(names)
{
    for (unsigned op = INSN_CLI; op <= INSN_INT; op++)
        ck_assert_msg(insn_name(op)[0] && strlen(insn_name(op)) < 12, "op %u has no name", op);
    ck_assert_str_eq(insn_name(255), "(unknown)");
}
END_TEST

START_TEST(forced_cpuid)
{
    static const uint8_t b[] = {0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2};

    ck_assert(insn_is_forced_cpuid(b, sizeof(b)));
    for (unsigned i = 0; i < sizeof(b); i++) {
        uint8_t x[sizeof(b)];

        ck_assert(!insn_is_forced_cpuid(b, i));
        memcpy(x, b, sizeof(b));
        x[i] ^= 1;
        ck_assert(!insn_is_forced_cpuid(x, sizeof(b)));
    }
}
END_TEST

GAS(no_rep_stos, "rep stosq");
GAS(no_movs, "movsq");
GAS(no_add, "add %rax, (%rdi)");
GAS(no_add_imm, "addb $1, (%rdi)");
GAS(no_cmp_imm, "cmpb $1, (%rdi)");
GAS(no_load, "mov (%rdi), %rax");
GAS(no_reg_form, "mov %rax, %rdi");
GAS(no_bt, "btl $3, (%rdi)");
GAS(no_bt_reg, "bt %rax, (%rdi)");
GAS(no_xadd, "lock xadd %rax, (%rdi)");
GAS(no_cx16, "lock cmpxchg16b (%rdi)");
GAS(no_lock_mov, ".byte 0xf0; mov %rax, (%rdi)");
GAS(no_hle, "xrelease movq $0, (%rdi)");
GAS(no_c7_1, ".byte 0xc7, 0x0f, 0, 0, 0, 0");
GAS(no_movnti16, ".byte 0x66; movnti %eax, (%rdi)");
GAS(no_sse, "movaps %xmm0, (%rdi)");
GAS(no_vex, ".byte 0xc5, 0xf8, 0x29, 0x07");
GAS(no_push, "push %rax");

START_TEST(pte_refused)
{
    struct guest_regs r = plain_regs();
    struct pte_insn got;

#define NOT_PTE(id)                                                                                \
    ck_assert_msg(!decode_exact(true, gas_##id, (unsigned)(gas_##id##_end - gas_##id), &r, &got),  \
                  #id)
    NOT_PTE(no_rep_stos);
    NOT_PTE(no_movs);
    NOT_PTE(no_add);
    NOT_PTE(no_add_imm);
    NOT_PTE(no_cmp_imm);
    NOT_PTE(no_load);
    NOT_PTE(no_reg_form);
    NOT_PTE(no_bt);
    NOT_PTE(no_bt_reg);
    NOT_PTE(no_xadd);
    NOT_PTE(no_cx16);
    NOT_PTE(no_lock_mov);
    NOT_PTE(no_hle);
    NOT_PTE(no_c7_1);
    NOT_PTE(no_movnti16);
    NOT_PTE(no_sse);
    NOT_PTE(no_vex);
    NOT_PTE(no_push);
}
END_TEST

/* Bytes with a bias towards prefixes and the opcodes we know. */
static uint8_t fuzz_byte(void)
{
    static const uint8_t likely_bytes[] = {0x0f, 0x48, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x64,
                                           0x65, 0x89, 0x87, 0x80, 0x81, 0x83, 0xba, 0xb1,
                                           0xc7, 0xab, 0x01, 0x20, 0x04, 0x05};

    return below(2) ? likely_bytes[below(sizeof(likely_bytes))] : (uint8_t)rnd();
}

START_TEST(fuzz)
{
    for (unsigned i = 0; i < 1000000; i++) {
        struct guest_regs r = plain_regs();
        uint8_t b[INSN_MAX_LEN];
        unsigned n = below(2) ? INSN_MAX_LEN : below(INSN_MAX_LEN + 1);
        struct pte_insn exact;
        struct pte_insn p;
        struct pte_result res;
        struct insn in;

        for (unsigned k = 0; k < n; k++)
            b[k] = fuzz_byte();
        if (decode_exact(false, b, n, &r, &in))
            MUST(in.len && in.len <= n && in.op != INSN_NONE && in.reg < 16, "insn_decode");
        if (decode_exact(true, b, n, &r, &p)) {
            MUST(p.len && p.len <= n && p.op <= PTE_OP_BTC, "pte_decode");
            MUST(p.size == 1 || p.size == 2 || p.size == 4 || p.size == 8, "size");
            MUST(decode_exact(true, b, p.len, &r, &exact) && same_pte_insn(&p, &exact),
                 "short cut");
            if (pte_apply(&p, &r, rnd(), &res))
                pte_commit(&p, &res, &r);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("decode");
    SRunner *run = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    tcase_add_test(t, privileged);
    tcase_add_test(t, privileged_refused);
    tcase_add_test(t, names);
    tcase_add_test(t, forced_cpuid);
    tcase_add_test(t, pte_refused);
    tcase_add_test(t, fuzz);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
