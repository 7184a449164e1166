/* SPDX-License-Identifier: MIT */
/* Decoder of privileged instructions, which #GP in ring 3; see decode.h. */
#include "decode_cursor.h"

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
    if (opcode == 0x00) {
        out->op = group6[sub];
    } else if (c->mod != 3) {
        out->op = group7_mem[sub];
    } else if (sub == 6) {
        out->op = INSN_LMSW;
    } else {
        switch (c->b[c->pos - 1]) {
        case 0xc8:
            out->op = INSN_MONITOR;
            break;
        case 0xc9:
            out->op = INSN_MWAIT;
            break;
        case 0xd1:
            if (!(c->flags & PF_OP16))
                out->op = INSN_XSETBV;
            break;
        case 0xf8:
            out->op = INSN_SWAPGS;
            break;
        case 0xf9:
            out->op = INSN_RDTSCP;
            break;
        }
    }
    return out->op != INSN_NONE;
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
    unsigned opcode;

    if (!have(c, 1))
        return false;
    opcode = c->b[c->pos++];
    /* With these prefixes most of the map means something else; WBNOINVD may be done as WBINVD. */
    if ((c->flags & PF_ANY_REP) && opcode != 0x09)
        return false;
    switch (opcode) {
    case 0x00:
    case 0x01:
        return decode_system_group(c, opcode, out);
    case 0x06:
        out->op = INSN_CLTS;
        return true;
    case 0x07:
        out->op = INSN_SYSRET;
        return true;
    case 0x08:
        out->op = INSN_INVD;
        return true;
    case 0x09:
        out->op = INSN_WBINVD;
        return true;
    case 0x20 ... 0x23:
        return decode_mov_creg(c, opcode, out);
    case 0x30:
        out->op = INSN_WRMSR;
        return true;
    case 0x31:
        out->op = INSN_RDTSC;
        return true;
    case 0x32:
        out->op = INSN_RDMSR;
        return true;
    case 0x33:
        out->op = INSN_RDPMC;
        return true;
    case 0x35:
        out->op = INSN_SYSEXIT;
        return true;
    case 0xa2:
        out->op = INSN_CPUID;
        return true;
    default:
        return false;
    }
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
        out->op = INSN_CLI;
        return true;
    case 0xfb:
        out->op = INSN_STI;
        return true;
    case 0xf4:
        out->op = INSN_HLT;
        return true;
    case 0xcf:
        out->op = INSN_IRET;
        out->size = c->rex & REX_W ? 8 : c->flags & PF_OP16 ? 2 : 4;
        return true;
    case 0xcc:
        out->op = INSN_INT;
        out->creg = 3;
        return true;
    case 0xf1:
        out->op = INSN_INT;
        out->creg = 1;
        return true;
    case 0xcd:
        if (!have(c, 1))
            return false;
        out->op = INSN_INT;
        out->creg = c->b[c->pos++];
        return true;
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
        [INSN_NONE] = "(unknown)",
        [INSN_CLI] = "cli",
        [INSN_STI] = "sti",
        [INSN_HLT] = "hlt",
        [INSN_IN] = "in",
        [INSN_OUT] = "out",
        [INSN_INS] = "ins",
        [INSN_OUTS] = "outs",
        [INSN_RDMSR] = "rdmsr",
        [INSN_WRMSR] = "wrmsr",
        [INSN_RDTSC] = "rdtsc",
        [INSN_RDTSCP] = "rdtscp",
        [INSN_RDPMC] = "rdpmc",
        [INSN_CPUID] = "cpuid",
        [INSN_XSETBV] = "xsetbv",
        [INSN_CLTS] = "clts",
        [INSN_WBINVD] = "wbinvd",
        [INSN_INVD] = "invd",
        [INSN_MOV_FROM_CR] = "mov CR,r",
        [INSN_MOV_TO_CR] = "mov r,CR",
        [INSN_MOV_FROM_DR] = "mov DR,r",
        [INSN_MOV_TO_DR] = "mov r,DR",
        [INSN_INVLPG] = "invlpg",
        [INSN_LMSW] = "lmsw",
        [INSN_SWAPGS] = "swapgs",
        [INSN_IRET] = "iret",
        [INSN_SYSRET] = "sysret",
        [INSN_SYSEXIT] = "sysexit",
        [INSN_LGDT] = "lgdt",
        [INSN_LIDT] = "lidt",
        [INSN_LLDT] = "lldt",
        [INSN_LTR] = "ltr",
        [INSN_MONITOR] = "monitor",
        [INSN_MWAIT] = "mwait",
        [INSN_INT] = "int",
    };

    return (unsigned)op < ARRAY_SIZE(names) ? names[op] : names[INSN_NONE];
}
