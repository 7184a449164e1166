/* SPDX-License-Identifier: MIT */
/* Page-table writes: decoding their few forms, and what they make of the old entry, the registers
 * and the flags. */
#include "decode_cursor.h"

/* What an opcode means here: the low four bits are the enum pte_op. 0 means: not one of ours. */
#define T_KNOWN  0x0010u
#define T_BYTE   0x0020u /* one-byte operand */
#define T_IMM8   0x0040u
#define T_IMMZ   0x0080u /* 2 or 4 bytes, sign-extended */
#define T_LOCK   0x0100u /* LOCK is allowed */
#define T_LOGIC  0x0200u /* ModRM.reg chooses among OR, AND, XOR */
#define T_BIT    0x0400u /* ModRM.reg chooses among BTS, BTR, BTC */
#define T_REG0   0x0800u /* ModRM.reg must be 0 */
#define T_STRING 0x1000u /* no ModRM; at RDI */
#define T_NO66   0x2000u

#define RMW(op) (T_KNOWN | T_LOCK | (op))

static const uint16_t one_byte_map[256] = {
    [0x08] = RMW(PTE_OP_OR) | T_BYTE,
    [0x09] = RMW(PTE_OP_OR),
    [0x20] = RMW(PTE_OP_AND) | T_BYTE,
    [0x21] = RMW(PTE_OP_AND),
    [0x30] = RMW(PTE_OP_XOR) | T_BYTE,
    [0x31] = RMW(PTE_OP_XOR),
    [0x80] = RMW(0) | T_LOGIC | T_BYTE | T_IMM8,
    [0x81] = RMW(0) | T_LOGIC | T_IMMZ,
    [0x83] = RMW(0) | T_LOGIC | T_IMM8,
    [0x86] = RMW(PTE_OP_XCHG) | T_BYTE,
    [0x87] = RMW(PTE_OP_XCHG),
    [0x88] = T_KNOWN | PTE_OP_MOV | T_BYTE,
    [0x89] = T_KNOWN | PTE_OP_MOV,
    [0xaa] = T_KNOWN | PTE_OP_STOS | T_STRING | T_BYTE,
    [0xab] = T_KNOWN | PTE_OP_STOS | T_STRING,
    [0xc6] = T_KNOWN | PTE_OP_MOV | T_REG0 | T_BYTE | T_IMM8,
    [0xc7] = T_KNOWN | PTE_OP_MOV | T_REG0 | T_IMMZ,
};

/* After 0x0f. */
static inline unsigned two_byte_kind(unsigned opcode)
{
    static const uint16_t map[] = {
        [0xab - 0xab] = RMW(PTE_OP_BTS),
        [0xb0 - 0xab] = RMW(PTE_OP_CMPXCHG) | T_BYTE,
        [0xb1 - 0xab] = RMW(PTE_OP_CMPXCHG),
        [0xb3 - 0xab] = RMW(PTE_OP_BTR),
        [0xba - 0xab] = RMW(0) | T_BIT | T_IMM8,
        [0xbb - 0xab] = RMW(PTE_OP_BTC),
        [0xc3 - 0xab] = T_KNOWN | PTE_OP_MOV | T_NO66, /* MOVNTI */
    };

    return opcode - 0xab < ARRAY_SIZE(map) ? map[opcode - 0xab] : 0;
}

/* The operation; of a group's opcode ModRM.reg chooses it. -1: not one of ours. */
static inline int choose_op(unsigned kind, unsigned reg)
{
    static const int8_t logic_ops[8] = {-1, PTE_OP_OR, -1, -1, PTE_OP_AND, -1, PTE_OP_XOR, -1};
    static const int8_t bit_ops[8] = {-1, -1, -1, -1, -1, PTE_OP_BTS, PTE_OP_BTR, PTE_OP_BTC};

    if (kind & T_LOGIC)
        return logic_ops[reg & 7];
    if (kind & T_BIT)
        return bit_ops[reg & 7];
    if ((kind & T_REG0) && (reg & 7))
        return -1;
    return kind & 15;
}

/* Without a REX prefix, byte registers 4-7 are AH, CH, DH and BH. */
static inline unsigned byte_reg(unsigned reg, unsigned rex)
{
    return !rex && reg >= 4 ? (reg & 3) | PTE_REG_HIGH : reg;
}

static inline uint64_t size_mask(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

static inline uint64_t operand_reg(const struct guest_regs *r, unsigned reg, unsigned size)
{
    if (reg & PTE_REG_HIGH)
        return (r->gpr[reg & 3] >> 8) & 0xff;
    return r->gpr[reg] & size_mask(size);
}

/* BTx: the register form's offset is signed and reaches memory beyond the addressed operand. */
static void decode_bit(struct cursor *c, unsigned kind, unsigned size, struct pte_insn *out)
{
    unsigned bits = 8 * size;

    if (!(kind & T_IMM8)) {
        uint64_t raw = c->r->gpr[c->reg];
        int64_t off = size == 8 ? (int64_t)raw : size == 4 ? (int32_t)raw : (int16_t)raw;

        out->value = (uint64_t)off;
        /* Sign bit kept: arithmetic shift, then back to bytes. */
        c->ea += (uint64_t)(off >> (size == 8 ? 6 : size == 4 ? 5 : 4)) * size;
    }
    out->value &= bits - 1;
}

static bool decode_string(struct cursor *c, unsigned size, struct pte_insn *out)
{
    out->value = c->r->rax & size_mask(size);
    out->reg = 7;
    out->addr32 = c->flags & PF_ADDR32;
    c->flags &= ~(PF_FS | PF_GS); /* always ES */
    c->ea = c->r->rdi;
    return true;
}

static bool decode_operands(struct cursor *c, unsigned kind, unsigned size, struct pte_insn *out)
{
    int op;

    if (kind & T_STRING)
        return decode_string(c, size, out);
    if (!read_modrm(c) || c->mod == 3)
        return false;
    op = choose_op(kind, c->reg);
    if (op < 0)
        return false;
    out->op = (uint8_t)op;
    if (kind & (T_IMM8 | T_IMMZ)) {
        if (!read_signed(c, kind & T_IMM8 ? 1 : size == 2 ? 2 : 4, &out->value))
            return false;
        out->value &= size_mask(size);
    } else {
        out->reg = (uint8_t)(size == 1 ? byte_reg(c->reg, c->rex) : c->reg);
        out->value = operand_reg(c->r, out->reg, size);
    }
    if (op >= PTE_OP_BTS)
        decode_bit(c, kind, size, out);
    return true;
}

/* Apart from pte_decode() so that that one needs no stack frame. */
static noinline bool decode_general(const uint8_t *bytes, unsigned len, struct guest_regs *r,
                                    struct pte_insn *out)
{
    struct cursor c = cursor_start(bytes, len, r);
    unsigned opcode, kind, size;

    if (!read_prefixes(&c))
        return false;
    opcode = bytes[c.pos++];
    if (opcode == 0x0f) {
        if (!have(&c, 1))
            return false;
        kind = two_byte_kind(bytes[c.pos++]);
    } else {
        kind = one_byte_map[opcode];
    }
    /* Repeated stores are no single entry; with the others the prefixes are hints nobody uses. */
    if (!kind || (c.flags & PF_ANY_REP) || ((c.flags & PF_LOCK) && !(kind & T_LOCK)) ||
        ((c.flags & PF_OP16) && (kind & T_NO66)))
        return false;
    size = kind & T_BYTE ? 1 : c.rex & REX_W ? 8 : c.flags & PF_OP16 ? 2 : 4;
    *out = (struct pte_insn){.op = kind & 15, .size = (uint8_t)size};
    if (!decode_operands(&c, kind, size, out))
        return false;
    finish(&c);
    out->seg = (uint8_t)cursor_seg(&c);
    out->len = (uint8_t)c.pos;
    out->ea = c.ea;
    return true;
}

/* "mov" and "xchg" of a 64-bit register with a plain base register, the hottest two forms, of which
 * compilers make set_pte() and its relatives. With all 15 bytes at hand they cannot run over the
 * end. False: look again, thoroughly. */
static inline bool decode_plain(const uint8_t *b, struct guest_regs *r, struct pte_insn *out)
{
    unsigned rex = b[0], m = b[2], len = 3, reg;
    uint64_t ea;

    if ((rex & 0xf8) != 0x48 || (b[1] != 0x89 && b[1] != 0x87) || m >= 0xc0 || (m & 7) == 4 ||
        (m & 0xc7) == 5)
        return false;
    r->gpr[4] = r->rsp;
    ea = r->gpr[(m & 7) | ((rex & REX_B) << 3)];
    reg = ((m >> 3) & 7) | ((rex & REX_R) << 1);
    if (m >= 0x80) {
        int32_t d;
        __builtin_memcpy(&d, b + 3, 4);
        ea += (uint64_t)d;
        len = 7;
    } else if (m >= 0x40) {
        ea += (uint64_t)(int8_t)b[3];
        len = 4;
    }
    *out = (struct pte_insn){
        .op = b[1] == 0x89 ? PTE_OP_MOV : PTE_OP_XCHG,
        .len = (uint8_t)len,
        .size = 8,
        .reg = (uint8_t)reg,
        .ea = ea,
        .value = r->gpr[reg],
    };
    return true;
}

bool pte_decode(const uint8_t *bytes, unsigned len, struct guest_regs *r, struct pte_insn *out)
{
    if (likely(len >= INSN_MAX_LEN) && likely(decode_plain(bytes, r, out)))
        return true;
    return decode_general(bytes, len, r, out);
}

/* ---- Effects ---- */

#define EFLAGS_PF 0x004u
#define EFLAGS_AF 0x010u
#define EFLAGS_SF 0x080u
#define EFLAGS_ARITH                                                                               \
    (X86_EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | X86_EFLAGS_ZF | EFLAGS_SF | X86_EFLAGS_OF)

/* Zero, sign and parity of a result of `bits` bits. */
static uint64_t result_flags(uint64_t v, unsigned bits)
{
    uint64_t f = 0;

    if (!v)
        f |= X86_EFLAGS_ZF;
    if (v >> (bits - 1) & 1)
        f |= EFLAGS_SF;
    /* PF: even number of ones in the low byte; folded to a nibble, looked up in a constant. */
    if (!(0x6996u >> ((v ^ v >> 4) & 15) & 1))
        f |= EFLAGS_PF;
    return f;
}

/* Flags of a - b. */
static uint64_t compare_flags(uint64_t a, uint64_t b, uint64_t mask, unsigned bits)
{
    uint64_t d = (a - b) & mask, f = result_flags(d, bits);

    if (a < b)
        f |= X86_EFLAGS_CF;
    if ((a ^ b ^ d) & 0x10)
        f |= EFLAGS_AF;
    if (((a ^ b) & (a ^ d)) >> (bits - 1) & 1)
        f |= X86_EFLAGS_OF;
    return f;
}

static uint64_t logic(unsigned op, uint64_t a, uint64_t b)
{
    return op == PTE_OP_AND ? a & b : op == PTE_OP_OR ? a | b : a ^ b;
}

static uint64_t bit_op(unsigned op, uint64_t v, unsigned bit)
{
    uint64_t m = 1ull << bit;

    return op == PTE_OP_BTS ? v | m : op == PTE_OP_BTR ? v & ~m : v ^ m;
}

bool pte_apply_general(const struct pte_insn *in, const struct guest_regs *r, uint64_t old,
                       struct pte_result *res)
{
    unsigned bits = 8u * in->size, shift = 8u * (unsigned)(in->ea & 7);
    uint64_t mask = ~0ull >> (64 - bits), was, now, flags = r->rflags;

    if (shift + bits > 64)
        return false;
    was = (old >> shift) & mask;
    res->set_reg = false;
    res->reg = was;
    now = in->value;
    switch ((enum pte_op)in->op) {
    case PTE_OP_MOV:
    case PTE_OP_STOS:
        break;
    case PTE_OP_XCHG:
        res->set_reg = true;
        break;
    case PTE_OP_CMPXCHG:
        flags = (flags & ~(uint64_t)EFLAGS_ARITH) | compare_flags(r->rax & mask, was, mask, bits);
        if (!(flags & X86_EFLAGS_ZF)) {
            now = was;
            res->set_reg = true;
        }
        break;
    case PTE_OP_AND:
    case PTE_OP_OR:
    case PTE_OP_XOR:
        now = logic(in->op, was, in->value);
        flags = (flags & ~(uint64_t)EFLAGS_ARITH) | result_flags(now, bits);
        break;
    case PTE_OP_BTS:
    case PTE_OP_BTR:
    case PTE_OP_BTC:
        now = bit_op(in->op, was, (unsigned)in->value);
        flags = (flags & ~(uint64_t)X86_EFLAGS_CF) | (was >> in->value & 1);
        break;
    }
    res->entry = (old & ~(mask << shift)) | now << shift;
    res->rflags = flags;
    return true;
}

void pte_commit_general(const struct pte_insn *in, const struct pte_result *res,
                        struct guest_regs *r)
{
    if (in->op == PTE_OP_XCHG && in->size == 8) {
        *(in->reg == 4 ? &r->rsp : &r->gpr[in->reg]) = res->reg;
    } else if (in->op == PTE_OP_STOS) {
        uint64_t step = r->rflags & X86_EFLAGS_DF ? -(uint64_t)in->size : in->size;

        insn_set_reg(r, in->reg, in->addr32 ? 4 : 8, r->rdi + step);
    } else if (res->set_reg) {
        unsigned reg = in->op == PTE_OP_CMPXCHG ? 0 : in->reg;

        if (reg & PTE_REG_HIGH) {
            uint64_t *p = &r->gpr[reg & 3];
            *p = (*p & ~0xff00ull) | res->reg << 8;
        } else {
            insn_set_reg(r, reg, in->size, res->reg);
        }
    }
}
