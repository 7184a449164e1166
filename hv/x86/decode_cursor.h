/* SPDX-License-Identifier: MIT */
/* How both decoders walk over an instruction's bytes: prefixes, immediates, ModRM. Private to
 * decode*.c. */
#ifndef HV_X86_DECODE_CURSOR_H
#define HV_X86_DECODE_CURSOR_H

#include "decode.h"

/* Prefixes seen. */
#define PF_OP16   0x01u
#define PF_ADDR32 0x02u
#define PF_LOCK   0x04u
#define PF_REPNE  0x08u
#define PF_REP    0x10u
#define PF_FS     0x20u
#define PF_GS     0x40u
#define PF_NULL   0x80u /* CS, DS, ES, SS overrides: no effect in 64-bit code */

#define PF_ANY_REP (PF_REPNE | PF_REP)

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u
#define REX_W 8u

struct cursor {
    const uint8_t *b;
    const struct guest_regs *r;
    unsigned len, pos;
    unsigned flags;
    unsigned rex; /* the whole REX byte, 0: none */
    unsigned mod, reg, rm;
    bool rip_relative;
    uint64_t ea;
};

static inline bool have(const struct cursor *c, unsigned n)
{
    return c->len - c->pos >= n;
}

static inline unsigned prefix_flag(unsigned b)
{
    switch (b) {
    case 0x66:
        return PF_OP16;
    case 0x67:
        return PF_ADDR32;
    case 0xf0:
        return PF_LOCK;
    case 0xf2:
        return PF_REPNE;
    case 0xf3:
        return PF_REP;
    case 0x64:
        return PF_FS;
    case 0x65:
        return PF_GS;
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        return PF_NULL;
    default:
        return 0;
    }
}

/* Leaves pos at the opcode. A REX byte counts only directly before it. */
static inline bool read_prefixes(struct cursor *c)
{
    for (; c->pos < c->len; c->pos++) {
        unsigned b = c->b[c->pos], f;

        if ((b & 0xf0) == 0x40) {
            c->rex = b;
            continue;
        }
        f = prefix_flag(b);
        if (!f)
            return true;
        c->rex = 0;
        if (f & (PF_FS | PF_GS))
            c->flags &= ~(PF_FS | PF_GS);
        c->flags |= f;
    }
    return false;
}

/* An immediate or displacement of 1, 2 or 4 bytes, sign-extended. */
static inline bool read_signed(struct cursor *c, unsigned size, uint64_t *v)
{
    const uint8_t *p = c->b + c->pos;

    if (!have(c, size))
        return false;
    c->pos += size;
    if (size == 1) {
        *v = (uint64_t)(int8_t)*p;
    } else if (size == 2) {
        int16_t w;
        __builtin_memcpy(&w, p, 2);
        *v = (uint64_t)w;
    } else {
        int32_t d;
        __builtin_memcpy(&d, p, 4);
        *v = (uint64_t)d;
    }
    return true;
}

/* ModRM, SIB and displacement. The address is complete only after finish(), which knows the
 * instruction's end. */
static inline bool read_modrm(struct cursor *c)
{
    unsigned m, base, disp;
    uint64_t d;

    if (!have(c, 1))
        return false;
    m = c->b[c->pos++];
    c->mod = m >> 6;
    c->reg = ((m >> 3) & 7) | ((c->rex & REX_R) << 1);
    base = (m & 7) | ((c->rex & REX_B) << 3);
    c->rm = base;
    if (c->mod == 3)
        return true;

    disp = c->mod == 0 ? 0 : c->mod == 1 ? 1 : 4;
    c->ea = 0;
    if ((m & 7) == 4) {
        unsigned sib, index;

        if (!have(c, 1))
            return false;
        sib = c->b[c->pos++];
        index = ((sib >> 3) & 7) | ((c->rex & REX_X) << 2);
        if (index != 4)
            c->ea = c->r->gpr[index] << (sib >> 6);
        if ((sib & 7) == 5 && c->mod == 0)
            disp = 4;
        else
            c->ea += c->r->gpr[(sib & 7) | ((c->rex & REX_B) << 3)];
    } else if ((m & 7) == 5 && c->mod == 0) {
        disp = 4;
        c->rip_relative = true;
    } else {
        c->ea = c->r->gpr[base];
    }
    if (disp) {
        if (!read_signed(c, disp, &d))
            return false;
        c->ea += d;
    }
    return true;
}

static inline void finish(struct cursor *c)
{
    if (c->rip_relative)
        c->ea += c->r->rip + c->pos;
    if (c->flags & PF_ADDR32)
        c->ea = (uint32_t)c->ea;
}

static inline unsigned cursor_seg(const struct cursor *c)
{
    return c->flags & PF_FS ? SEG_FS : c->flags & PF_GS ? SEG_GS : SEG_FLAT;
}

static inline struct cursor cursor_start(const uint8_t *bytes, unsigned len, struct guest_regs *r)
{
    r->gpr[4] = r->rsp;
    return (struct cursor){.b = bytes, .r = r, .len = len > INSN_MAX_LEN ? INSN_MAX_LEN : len};
}

#endif
