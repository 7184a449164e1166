/* SPDX-License-Identifier: MIT */
/* Decoder of privileged instructions, which #GP in ring 3; see decode.h. */
#include "decode_cursor.h"

static bool found(struct insn *out, unsigned op)
{
    out->op = (uint8_t)op;
    return op != INSN_NONE;
}

/* IN, OUT: odd opcodes are the wide forms, 0xec and up take the port from DX. */
static bool decode_port(struct cursor *c, unsigned opcode, struct insn *out)
{
    out->op = opcode & 2 ? INSN_OUT : INSN_IN;
    out->size = !(opcode & 1) ? 1 : c->flags & PF_OP16 ? 2 : 4;
    if (opcode & 8) {
        out->port = (uint16_t)c->r->rdx;
        return true;
    }
    if (!have(c, 1))
        return false;
    out->port = c->b[c->pos++];
    return true;
}

static bool decode_port_string(struct cursor *c, unsigned opcode, struct insn *out)
{
    out->op = opcode & 2 ? INSN_OUTS : INSN_INS;
    out->size = !(opcode & 1) ? 1 : c->flags & PF_OP16 ? 2 : 4;
    out->port = (uint16_t)c->r->rdx;
    out->rep = c->flags & PF_ANY_REP;
    out->is_mem = true;
    c->ea = opcode & 2 ? c->r->rsi : c->r->rdi;
    if (opcode & 2)
        out->seg = (uint8_t)cursor_seg(c);
    return true;
}

/* 0f 00 and 0f 01: descriptor tables, and what else was squeezed in there. */
static bool decode_system_group(struct cursor *c, unsigned opcode, struct insn *out)
{
    static const uint8_t group6[8] = {[2] = INSN_LLDT, [3] = INSN_LTR};
    static const uint8_t group7_mem[8] = {
        [2] = INSN_LGDT, [3] = INSN_LIDT, [6] = INSN_LMSW, [7] = INSN_INVLPG};
    unsigned sub;

    if (!read_modrm(c))
        return false;
    sub = c->reg & 7;
    out->size = 2;
    out->reg = (uint8_t)c->rm;
    out->seg = (uint8_t)cursor_seg(c);
    out->is_mem = c->mod != 3;
    if (opcode == 0x00)
        return found(out, group6[sub]);
    if (out->is_mem)
        return found(out, group7_mem[sub]);
    if (sub == 6)
        return found(out, INSN_LMSW);
    switch (c->b[c->pos - 1]) {
    case 0xc8:
        return found(out, INSN_MONITOR);
    case 0xc9:
        return found(out, INSN_MWAIT);
    case 0xd1:
        return found(out, c->flags & PF_OP16 ? INSN_NONE : INSN_XSETBV);
    case 0xf8:
        return found(out, INSN_SWAPGS);
    case 0xf9:
        return found(out, INSN_RDTSCP);
    default:
        return false;
    }
}

/* MOV to and from control (0f 20, 22) and debug registers (0f 21, 23). ModRM.mod is ignored by the
 * CPU. */
static bool decode_mov_creg(struct cursor *c, unsigned opcode, struct insn *out)
{
    static const uint8_t ops[4] = {INSN_MOV_FROM_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_CR,
                                   INSN_MOV_TO_DR};
    unsigned m;

    if (!have(c, 1))
        return false;
    m = c->b[c->pos++];
    out->creg = (uint8_t)(((m >> 3) & 7) | ((c->rex & REX_R) << 1));
    out->reg = (uint8_t)((m & 7) | ((c->rex & REX_B) << 3));
    out->size = 8;
    out->op = ops[opcode & 3];
    if (opcode & 1)
        return out->creg < 8;
    return out->creg == 0 || (out->creg >= 2 && out->creg <= 4) || out->creg == 8;
}

static bool decode_0f(struct cursor *c, struct insn *out)
{
    static const uint8_t plain[256] = {
        [0x06] = INSN_CLTS,    [0x07] = INSN_SYSRET, [0x08] = INSN_INVD,  [0x09] = INSN_WBINVD,
        [0x30] = INSN_WRMSR,   [0x31] = INSN_RDTSC,  [0x32] = INSN_RDMSR, [0x33] = INSN_RDPMC,
        [0x35] = INSN_SYSEXIT, [0xa2] = INSN_CPUID,
    };
    unsigned opcode;

    if (!have(c, 1))
        return false;
    opcode = c->b[c->pos++];
    /* With these prefixes most of the map means something else; WBNOINVD may be done as WBINVD. */
    if ((c->flags & PF_ANY_REP) && opcode != 0x09)
        return false;
    if (opcode <= 0x01)
        return decode_system_group(c, opcode, out);
    if (opcode >= 0x20 && opcode <= 0x23)
        return decode_mov_creg(c, opcode, out);
    return found(out, plain[opcode]);
}

static bool decode_int(unsigned vector, struct insn *out)
{
    out->creg = (uint8_t)vector;
    return found(out, INSN_INT);
}

static bool decode_opcode(struct cursor *c, struct insn *out)
{
    unsigned opcode = c->b[c->pos++];

    switch (opcode) {
    case 0x0f:
        return decode_0f(c, out);
    case 0x6c ... 0x6f:
        return decode_port_string(c, opcode, out);
    case 0xe4 ... 0xe7:
    case 0xec ... 0xef:
        return decode_port(c, opcode, out);
    case 0xfa:
        return found(out, INSN_CLI);
    case 0xfb:
        return found(out, INSN_STI);
    case 0xf4:
        return found(out, INSN_HLT);
    case 0xcf:
        out->size = c->rex & REX_W ? 8 : c->flags & PF_OP16 ? 2 : 4;
        return found(out, INSN_IRET);
    case 0xcc:
        return decode_int(3, out);
    case 0xf1:
        return decode_int(1, out);
    case 0xcd:
        return have(c, 1) && decode_int(c->b[c->pos++], out);
    default:
        return false;
    }
}

bool insn_decode(const uint8_t *bytes, unsigned len, struct guest_regs *r, struct insn *out)
{
    struct cursor c = cursor_start(bytes, len, r);

    *out = (struct insn){.op = INSN_NONE};
    /* LOCK makes each of these an invalid opcode. */
    if (!read_prefixes(&c) || (c.flags & PF_LOCK) || !decode_opcode(&c, out)) {
        out->op = INSN_NONE;
        return false;
    }
    finish(&c);
    out->addr32 = c.flags & PF_ADDR32;
    out->len = (uint8_t)c.pos;
    out->ea = out->is_mem ? c.ea : 0;
    return true;
}

const char *insn_name(enum insn_op op)
{
    static const char names[][12] = {
        "(unknown)", "cli",    "sti",    "hlt",    "in",       "out",      "ins",
        "outs",      "rdmsr",  "wrmsr",  "rdtsc",  "rdtscp",   "rdpmc",    "cpuid",
        "xsetbv",    "clts",   "wbinvd", "invd",   "mov CR,r", "mov r,CR", "mov DR,r",
        "mov r,DR",  "invlpg", "lmsw",   "swapgs", "iret",     "sysret",   "sysexit",
        "lgdt",      "lidt",   "lldt",   "ltr",    "monitor",  "mwait",    "int",
    };

    _Static_assert(ARRAY_SIZE(names) == INSN_INT + 1, "in the order of enum insn_op");
    return names[(unsigned)op < ARRAY_SIZE(names) ? op : INSN_NONE];
}
