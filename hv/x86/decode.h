/* SPDX-License-Identifier: MIT */
/*
 * The closed decoder of trapped guest instructions: privileged ones (#GP in ring 3) and the few
 * forms with which kernels write a page-table entry (#PF on a read-only L1). Everything else is
 * "not recognised" and goes back to the guest as the exception it was.
 *
 * Pure logic over bytes the caller fetched once; no memory access of its own. 64-bit code segments
 * only.
 */
#ifndef HV_X86_DECODE_H
#define HV_X86_DECODE_H

#include <hv/regs.h>

#define INSN_MAX_LEN 15

/* The bytes at RIP, INSN_MAX_LEN or as many as can be read. (mm/ptwr.c, which is in the greatest hurry) */
unsigned fetch_instruction(const struct guest_regs *r, uint64_t bytes[2]);

enum insn_seg { SEG_FLAT, SEG_FS, SEG_GS };

enum insn_op {
    INSN_NONE,
    INSN_CLI,
    INSN_STI,
    INSN_HLT,
    INSN_IN,   /* size, port; to AL, AX, EAX */
    INSN_OUT,  /* size, port; from AL, AX, EAX */
    INSN_INS,  /* size, port, rep, addr32; memory at ea, always flat */
    INSN_OUTS, /* size, port, rep, addr32; memory at ea + base of seg */
    INSN_RDMSR,
    INSN_WRMSR,
    INSN_RDTSC,
    INSN_RDTSCP,
    INSN_RDPMC,
    INSN_CPUID,
    INSN_XSETBV,
    INSN_CLTS,
    INSN_WBINVD,
    INSN_INVD,
    INSN_MOV_FROM_CR, /* creg -> gpr[reg], 64 bits */
    INSN_MOV_TO_CR,
    INSN_MOV_FROM_DR,
    INSN_MOV_TO_DR,
    INSN_INVLPG, /* ea */
    INSN_LMSW,   /* is_mem: two bytes at ea; else gpr[reg] */
    INSN_SWAPGS,
    INSN_IRET,
    INSN_SYSRET,
    INSN_SYSEXIT,
    INSN_LGDT, /* ea */
    INSN_LIDT, /* ea */
    INSN_LLDT, /* as LMSW */
    INSN_LTR,  /* as LMSW */
    INSN_MONITOR,
    INSN_MWAIT,
    INSN_INT, /* creg: vector; int3 and int1 are 3 and 1 */
};

struct insn {
    uint8_t op;   /* enum insn_op */
    uint8_t len;  /* bytes of the instruction */
    uint8_t size; /* of the data operand: 1, 2, 4, 8 */
    uint8_t reg;  /* general register, ModRM numbering */
    uint8_t creg; /* control or debug register, interrupt vector */
    uint8_t seg;  /* enum insn_seg: base the caller adds to ea */
    bool rep;     /* INS, OUTS: RCX (ECX if addr32) times */
    bool addr32;  /* counters and pointers are 32 bits wide */
    bool is_mem;  /* the operand is at ea */
    uint16_t port;
    uint64_t ea; /* without segment base */
};

/* Both decoders make gpr[4] hold RSP, so that operands can be read as gpr[n]. A result for register
 * 4 goes to rsp: insn_set_reg() does that. False: not recognised, or the bytes end too early. */
bool insn_decode(const uint8_t *bytes, unsigned len, struct guest_regs *r, struct insn *out);

/* Name for messages: "mov to CR". */
const char *insn_name(enum insn_op op);

/* "ud2; .ascii "xen"; cpuid", the guest's way to ask for the hypervisor's CPUID; 7 bytes long. */
#define FORCED_CPUID_LEN 7
static inline bool insn_is_forced_cpuid(const uint8_t *b, unsigned len)
{
    return len >= FORCED_CPUID_LEN && b[0] == 0x0f && b[1] == 0x0b && b[2] == 'x' && b[3] == 'e' &&
           b[4] == 'n' && b[5] == 0x0f && b[6] == 0xa2;
}

/* Writes the low `size` bytes as the CPU does: 32-bit results clear the upper half, smaller ones
 * keep it. */
static inline void insn_set_reg(struct guest_regs *r, unsigned reg, unsigned size, uint64_t value)
{
    uint64_t *p = reg == 4 ? &r->rsp : &r->gpr[reg];

    if (size == 8)
        *p = value;
    else if (size == 4)
        *p = (uint32_t)value;
    else if (size == 2)
        *p = (*p & ~0xffffull) | (uint16_t)value;
    else
        *p = (*p & ~0xffull) | (uint8_t)value;
}

enum pte_op {
    PTE_OP_MOV,
    PTE_OP_STOS,
    PTE_OP_XCHG,
    PTE_OP_CMPXCHG,
    PTE_OP_AND,
    PTE_OP_OR,
    PTE_OP_XOR,
    PTE_OP_BTS, /* value: bit number within the operand */
    PTE_OP_BTR,
    PTE_OP_BTC,
};

#define PTE_REG_HIGH 0x10 /* reg is AH, CH, DH or BH of register reg & 3 */

struct pte_insn {
    uint8_t op;     /* enum pte_op */
    uint8_t len;    /* bytes of the instruction */
    uint8_t size;   /* operand bytes: 1, 2, 4, 8 */
    uint8_t reg;    /* XCHG: register that receives the old value; STOS: RDI */
    uint8_t seg;    /* enum insn_seg: the caller adds its base to ea before pte_apply() */
    bool addr32;    /* STOS: only EDI moves */
    uint64_t ea;    /* address of the operand */
    uint64_t value; /* source operand, zero-extended */
};

struct pte_result {
    uint64_t
        entry; /* the whole aligned entry after the write; CMPXCHG that fails leaves it as it was */
    uint64_t reg; /* XCHG, CMPXCHG: what goes to the register */
    uint64_t rflags;
    bool set_reg;
};

bool pte_decode(const uint8_t *bytes, unsigned len, struct guest_regs *r, struct pte_insn *out);

bool pte_apply_general(const struct pte_insn *in, const struct guest_regs *r, uint64_t old,
                       struct pte_result *res);
void pte_commit_general(const struct pte_insn *in, const struct pte_result *res,
                        struct guest_regs *r);

/* Computes the entry that the instruction makes of `old`. Nothing is changed, so it can be repeated
 * when the entry changed meanwhile. False: the write crosses the aligned 8-byte entry. */
static inline bool pte_apply(const struct pte_insn *in, const struct guest_regs *r, uint64_t old,
                             struct pte_result *res)
{
    if (in->op > PTE_OP_XCHG || in->size != 8 || (in->ea & 7))
        return pte_apply_general(in, r, old, res);
    res->entry = in->value;
    res->reg = old;
    res->rflags = r->rflags;
    res->set_reg = in->op == PTE_OP_XCHG;
    return true;
}

/* The entry was written: registers, flags and RIP follow. A single-stepped guest's #DB (RFLAGS.TF)
 * is the caller's. */
static inline void pte_commit(const struct pte_insn *in, const struct pte_result *res,
                              struct guest_regs *r)
{
    if (res->set_reg || in->op == PTE_OP_STOS)
        pte_commit_general(in, res, r);
    /* The fault set RF so that the instruction could be restarted; a completed one has it clear. */
    r->rflags = res->rflags & ~(uint64_t)X86_EFLAGS_RF;
    r->rip += in->len;
}

#endif
