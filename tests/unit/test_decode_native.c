/* SPDX-License-Identifier: MIT */
/* Page-table writes against this very CPU: random encodings are decoded and applied, then executed
 * on the same operands; memory, registers and flags must agree. Links with hv/x86/decode.c and
 * decode_pte.c. */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decode_util.h"

/* Runs the code at native_code with native_regs loaded (RSP too: nothing uses the stack meanwhile).
 */
uint64_t native_gpr[16], native_flags, native_code, native_rsp;
void native_run(void);
void native_return(void);
__asm__(".pushsection .text\n"
        ".globl native_run, native_return\n"
        "native_run:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, native_rsp(%rip)\n"
        "    push native_flags(%rip); popfq\n"
        "    mov native_gpr+0(%rip), %rax; mov native_gpr+8(%rip), %rcx\n"
        "    mov native_gpr+16(%rip), %rdx; mov native_gpr+24(%rip), %rbx\n"
        "    mov native_gpr+32(%rip), %rsp; mov native_gpr+40(%rip), %rbp\n"
        "    mov native_gpr+48(%rip), %rsi; mov native_gpr+56(%rip), %rdi\n"
        "    mov native_gpr+64(%rip), %r8; mov native_gpr+72(%rip), %r9\n"
        "    mov native_gpr+80(%rip), %r10; mov native_gpr+88(%rip), %r11\n"
        "    mov native_gpr+96(%rip), %r12; mov native_gpr+104(%rip), %r13\n"
        "    mov native_gpr+112(%rip), %r14; mov native_gpr+120(%rip), %r15\n"
        "    jmp *native_code(%rip)\n"
        "native_return:\n"
        "    mov %rax, native_gpr+0(%rip); mov %rcx, native_gpr+8(%rip)\n"
        "    mov %rdx, native_gpr+16(%rip); mov %rbx, native_gpr+24(%rip)\n"
        "    mov %rsp, native_gpr+32(%rip); mov %rbp, native_gpr+40(%rip)\n"
        "    mov %rsi, native_gpr+48(%rip); mov %rdi, native_gpr+56(%rip)\n"
        "    mov %r8, native_gpr+64(%rip); mov %r9, native_gpr+72(%rip)\n"
        "    mov %r10, native_gpr+80(%rip); mov %r11, native_gpr+88(%rip)\n"
        "    mov %r12, native_gpr+96(%rip); mov %r13, native_gpr+104(%rip)\n"
        "    mov %r14, native_gpr+112(%rip); mov %r15, native_gpr+120(%rip)\n"
        "    mov native_rsp(%rip), %rsp\n"
        "    pushfq; pop native_flags(%rip); cld\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        ".popsection");

#define ARENA_SIZE 128
#define ARITH      0x8d5u

static uint8_t *code_page, *arena; /* below 4 GiB, so that 32-bit addresses reach them */
static uint64_t fs_base, gs_base;

static void map_native(void)
{
    code_page = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    ck_assert_ptr_ne(code_page, MAP_FAILED);
    arena = code_page + 4096;
    syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base);
    syscall(SYS_arch_prctl, ARCH_GET_GS, &gs_base);
}

struct form {
    uint8_t opcode[2];
    uint8_t n;    /* opcode bytes */
    uint8_t imm;  /* 0, 1: imm8, 4: imm16/32 */
    int8_t group; /* ModRM.reg, -1: a register */
    bool byte, lock, string, no66;
};

static const struct form forms[] = {
    {{0x88}, 1, 0, -1, true, false, false, false},
    {{0x89}, 1, 0, -1, false, false, false, false},
    {{0xc6}, 1, 1, 0, true, false, false, false},
    {{0xc7}, 1, 4, 0, false, false, false, false},
    {{0x86}, 1, 0, -1, true, true, false, false},
    {{0x87}, 1, 0, -1, false, true, false, false},
    {{0x0f, 0xb0}, 2, 0, -1, true, true, false, false},
    {{0x0f, 0xb1}, 2, 0, -1, false, true, false, false},
    {{0x20}, 1, 0, -1, true, true, false, false},
    {{0x21}, 1, 0, -1, false, true, false, false},
    {{0x08}, 1, 0, -1, true, true, false, false},
    {{0x09}, 1, 0, -1, false, true, false, false},
    {{0x30}, 1, 0, -1, true, true, false, false},
    {{0x31}, 1, 0, -1, false, true, false, false},
    {{0x80}, 1, 1, 4, true, true, false, false},
    {{0x81}, 1, 4, 4, false, true, false, false},
    {{0x83}, 1, 1, 4, false, true, false, false},
    {{0x80}, 1, 1, 1, true, true, false, false},
    {{0x81}, 1, 4, 1, false, true, false, false},
    {{0x83}, 1, 1, 1, false, true, false, false},
    {{0x80}, 1, 1, 6, true, true, false, false},
    {{0x81}, 1, 4, 6, false, true, false, false},
    {{0x83}, 1, 1, 6, false, true, false, false},
    {{0x0f, 0xab}, 2, 0, -1, false, true, false, false},
    {{0x0f, 0xb3}, 2, 0, -1, false, true, false, false},
    {{0x0f, 0xbb}, 2, 0, -1, false, true, false, false},
    {{0x0f, 0xba}, 2, 1, 5, false, true, false, false},
    {{0x0f, 0xba}, 2, 1, 6, false, true, false, false},
    {{0x0f, 0xba}, 2, 1, 7, false, true, false, false},
    {{0x0f, 0xc3}, 2, 0, -1, false, false, false, true},
    {{0xaa}, 1, 0, -1, true, false, true, false},
    {{0xab}, 1, 0, -1, false, false, true, false},
};

struct encoded {
    uint8_t b[24]; /* what is over 15 bytes is thrown away later */
    unsigned n;
    int base;         /* register to aim with, -1: none */
    unsigned disp_at; /* RIP-relative displacement, 0: none */
    int seg;
};

static void put(struct encoded *e, uint64_t v, unsigned n)
{
    for (; n; n--, v >>= 8)
        e->b[e->n++] = (uint8_t)v;
}

static void encode_memory(struct encoded *e, unsigned reg, unsigned rex)
{
    unsigned mod = below(3), rm = below(8);

    put(e, mod << 6 | (reg & 7) << 3 | rm, 1);
    e->base = (int)(rm | (rex & 1) << 3);
    if (rm == 4) {
        unsigned sib = below(256);

        put(e, sib, 1);
        e->base = (int)((sib & 7) | (rex & 1) << 3);
        if ((sib & 7) == 5 && mod == 0) {
            e->base = -1;
            put(e, rnd(), 4);
        }
    } else if (rm == 5 && mod == 0) {
        e->base = -1;
        e->disp_at = e->n;
        put(e, 0, 4);
    }
    if (mod == 1)
        put(e, rnd(), 1);
    else if (mod == 2)
        put(e, rnd(), 4);
}

/* A random encoding of a form. */
static struct encoded encode(const struct form *f)
{
    struct encoded e = {.base = -1};
    bool op16 = !f->no66 && !below(4), has_rex = below(4);
    unsigned rex = has_rex ? 0x40 | below(16) : 0,
             reg = f->group >= 0 ? (unsigned)f->group : below(8);

    if (!below(4)) {
        if (below(2))
            put(&e, 0x40 | below(16), 1); /* a REX that the prefix behind it cancels */
        put(&e, 0x3e, 1);
    }
    if (!below(6)) {
        e.seg = below(2) ? SEG_FS : SEG_GS;
        put(&e, e.seg == SEG_FS ? 0x64 : 0x65, 1);
    }
    if (op16)
        put(&e, 0x66, 1);
    if (!below(8))
        put(&e, 0x67, 1);
    if (f->lock && below(2))
        put(&e, 0xf0, 1);
    if (rex)
        put(&e, rex, 1);
    put(&e, f->opcode[0], 1);
    if (f->n == 2)
        put(&e, f->opcode[1], 1);
    if (f->string) {
        e.base = 7;
        e.seg = SEG_FLAT;
    } else {
        encode_memory(&e, reg, rex);
    }
    if (f->imm)
        put(&e, rnd(), f->imm == 1 ? 1 : op16 && !(rex & 8) ? 2 : 4);
    return e;
}

static uint64_t seg_base(int seg)
{
    return seg == SEG_FS ? fs_base : seg == SEG_GS ? gs_base : 0;
}

/* Chooses registers so that the operand lies in the arena. False: this encoding cannot be aimed. */
static bool aim(struct encoded *e, struct guest_regs *r, struct pte_insn *in)
{
    uint64_t target = (uint64_t)(uintptr_t)arena + 32 + below(64);
    bool ok = false;

    for (unsigned i = 0; i < 16; i++)
        r->gpr[i] = below(3) ? rnd() : rnd() >> (32 + below(32));
    r->rsp = r->gpr[4];
    r->rip = (uint64_t)(uintptr_t)code_page;
    r->rflags = 2 | (rnd() & ARITH) | (below(2) ? X86_EFLAGS_DF : 0);
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        uint64_t delta;

        ok = pte_decode(e->b, e->n, r, in);
        MUST(ok, "opcode %02x%02x%02x not recognised", e->b[0], e->b[1], e->b[2]);
        MUST(in->seg == e->seg, "segment");
        in->ea += seg_base(in->seg);
        delta = target - in->ea;
        if (!delta)
            return true;
        if (e->disp_at) {
            uint32_t d;

            memcpy(&d, e->b + e->disp_at, 4);
            d += (uint32_t)delta;
            memcpy(e->b + e->disp_at, &d, 4);
        } else if (e->base >= 0) {
            r->gpr[e->base] += delta;
            r->rsp = r->gpr[4];
        }
    }
    return false;
}

static void hex(const struct encoded *e, char *s)
{
    for (unsigned i = 0; i < e->n; i++, s += 3) {
        s[0] = "0123456789abcdef"[e->b[i] >> 4];
        s[1] = "0123456789abcdef"[e->b[i] & 15];
        s[2] = ' ';
    }
    *s = 0;
}

static void run_native(const struct encoded *e, const struct guest_regs *r)
{
    uint64_t back = (uint64_t)(uintptr_t)native_return;

    memcpy(code_page, e->b, e->n);
    memcpy(code_page + e->n, "\xff\x25\0\0\0\0", 6); /* jmp *0(%rip) */
    memcpy(code_page + e->n + 6, &back, 8);
    memcpy(native_gpr, r->gpr, sizeof(native_gpr));
    native_flags = r->rflags;
    native_code = (uint64_t)(uintptr_t)code_page;
    native_run();
}

/* Flags the manuals define after the operation. */
static uint64_t defined_flags(unsigned op)
{
    if (op >= PTE_OP_BTS)
        return X86_EFLAGS_CF | X86_EFLAGS_ZF | X86_EFLAGS_DF;
    if (op >= PTE_OP_AND)
        return (ARITH & ~0x10u) | X86_EFLAGS_DF;
    return ARITH | X86_EFLAGS_DF;
}

/* With 15 bytes at hand the decoder takes short cuts; they must come to the same. */
static void check_both_paths(const struct encoded *e, struct guest_regs *r,
                             const struct pte_insn *in)
{
    uint8_t b[INSN_MAX_LEN];
    struct pte_insn full;

    memset(b, 0xcc, sizeof(b));
    memcpy(b, e->b, e->n);
    MUST(decode_exact(true, b, sizeof(b), r, &full), "%02x %02x %02x", b[0], b[1], b[2]);
    full.ea += seg_base(full.seg);
    MUST(same_pte_insn(&full, in), "%02x %02x %02x", b[0], b[1], b[2]);
}

static bool native_case(const struct form *f)
{
    struct encoded e = encode(f);
    struct guest_regs r;
    struct pte_insn in;
    struct pte_result res;
    uint8_t want[ARENA_SIZE];
    uint64_t *entry, was;
    char text[80];

    if (e.n > INSN_MAX_LEN || !aim(&e, &r, &in))
        return false;
    hex(&e, text);
    check_both_paths(&e, &r, &in);
    MUST(in.len == e.n, "%s: length %u", text, in.len);
    for (unsigned i = 0; i < e.n; i++) {
        struct pte_insn cut;
        MUST(!decode_exact(true, e.b, i, &r, &cut), "%s recognised from %u bytes", text, i);
    }
    for (unsigned i = 0; i < ARENA_SIZE; i++)
        arena[i] = (uint8_t)rnd();
    if (in.op == PTE_OP_CMPXCHG && below(2)) /* let it succeed */
        memcpy((void *)(uintptr_t)in.ea, &r.rax, in.size);
    memcpy(want, arena, ARENA_SIZE);
    entry = (uint64_t *)(want + ((in.ea & ~7ull) - (uint64_t)(uintptr_t)arena));
    memcpy(&was, entry, 8);
    if (!pte_apply(&in, &r, was, &res)) {
        MUST((in.ea & 7) + in.size > 8, "%s refused", text);
        return false;
    }
    MUST((in.ea & 7) + in.size <= 8, "%s not refused", text);
    memcpy(entry, &res.entry, 8);
    run_native(&e, &r);
    pte_commit(&in, &res, &r);
    MUST(!memcmp(want, arena, ARENA_SIZE), "%s: memory differs", text);
    r.gpr[4] = r.rsp;
    for (unsigned i = 0; i < 16; i++)
        MUST(r.gpr[i] == native_gpr[i], "%s: register %u is %lx, CPU says %lx", text, i,
             (unsigned long)r.gpr[i], (unsigned long)native_gpr[i]);
    MUST(!((r.rflags ^ native_flags) & defined_flags(in.op)), "%s: flags %lx, CPU says %lx", text,
         (unsigned long)r.rflags, (unsigned long)native_flags);
    MUST(r.rip == (uint64_t)(uintptr_t)code_page + e.n, "%s: RIP", text);
    return true;
}

START_TEST(native)
{
    map_native();
    for (unsigned f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        unsigned done = 0;

        for (unsigned i = 0; i < 20000; i++)
            done += native_case(&forms[f]);
        ck_assert_msg(done > 2000, "form %u ran only %u times", f, done);
    }
    munmap(code_page, 8192);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decode_native");
    TCase *t = tcase_create("decode_native");
    SRunner *run = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    tcase_add_test(t, native);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed != 0;
}
