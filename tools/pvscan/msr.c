/* SPDX-License-Identifier: MIT */
/* Model-specific registers one by one: their number usually is put into ECX shortly before. */
#include "pvscan.h"

enum { READ = 1, WRITE = 2 };

static const struct msr {
    uint32_t first, last;
    unsigned ways;
    struct rule rule;
} known[] = {
    {0xc0000080,
     0xc0000080,
     READ,
     {"rdmsr of EFER", EMULATED, "emulated: what the hypervisor has set", NULL}},
    {0xc0000080,
     0xc0000080,
     WRITE,
     {"wrmsr of EFER", TRAPS, "#GP, unless it writes back what it read: it is set", NULL}},
    {0xc0000081,
     0xc0000084,
     WRITE,
     {"wrmsr of STAR, LSTAR, CSTAR, SFMASK", SILENT, "ignored: system calls do not come there",
      "pv_trap_set(PV_TRAP_SYSCALL)"}},
    {0x174,
     0x176,
     WRITE,
     {"wrmsr of SYSENTER_CS, ESP, EIP", SILENT, "ignored: system calls do not come there",
      "pv_callback_op"}},
    {0xc0000100,
     0xc0000100,
     READ | WRITE,
     {"MSR FS_BASE", EMULATED, "emulated", "pv_set_segment_base(SEGBASE_FS)"}},
    {0xc0000101,
     0xc0000101,
     READ | WRITE,
     {"MSR GS_BASE", EMULATED, "emulated", "pv_set_segment_base(SEGBASE_GS_KERNEL)"}},
    {0xc0000102,
     0xc0000102,
     READ | WRITE,
     {"MSR KERNEL_GS_BASE", EMULATED, "emulated: in the kernel it holds the program's base",
      "pv_set_segment_base(SEGBASE_GS_USER)"}},
    {0x1b,
     0x1b,
     READ,
     {"rdmsr of APIC_BASE", EMULATED, "emulated, but there is no local APIC to reach",
      "pv_timer_init"}},
    {0x277, 0x277, READ, {"rdmsr of PAT", EMULATED, "emulated: the hypervisor's", NULL}},
    {0x8b,
     0x8b,
     READ | WRITE,
     {"MSR UCODE_REV", EMULATED, "emulated: the microcode's revision", NULL}},
    {0x179, 0x179, READ, {"rdmsr of MCG_CAP", EMULATED, "emulated: there are no banks", NULL}},
    {0x1a0,
     0x1a0,
     READ,
     {"rdmsr of MISC_ENABLE", EMULATED, "emulated on Intel's processors", NULL}},
    {0xc0000103, 0xc0000103, READ | WRITE, {"MSR TSC_AUX", EMULATED, "emulated", NULL}},
};

static const struct rule others[2] = {
    {"rdmsr of another register", TRAPS, "#GP: guests have no such register", NULL},
    {"wrmsr of another register", TRAPS, "#GP: guests have no such register", NULL},
};

/* Does the instruction set ECX? To what, if that is plain? */
static bool sets_ecx(csh h, const cs_insn *in, bool *plain, uint32_t *value)
{
    const cs_x86 *x = &in->detail->x86;
    cs_regs read, written;
    uint8_t reads, writes;
    bool sets = false;

    if (cs_regs_access(h, in, read, &reads, written, &writes))
        return false;
    for (unsigned i = 0; i < writes; i++)
        sets |= written[i] == X86_REG_ECX || written[i] == X86_REG_RCX ||
                written[i] == X86_REG_CX || written[i] == X86_REG_CL;
    *plain = true;
    if ((in->id == X86_INS_MOV || in->id == X86_INS_MOVABS) && x->op_count == 2 &&
        x->operands[1].type == X86_OP_IMM)
        *value = (uint32_t)x->operands[1].imm;
    else if (in->id == X86_INS_XOR && x->op_count == 2 && x->operands[0].reg == x->operands[1].reg)
        *value = 0;
    else
        *plain = false;
    return sets;
}

static bool leaves(const cs_insn *in)
{
    for (unsigned i = 0; i < in->detail->groups_count; i++)
        if (in->detail->groups[i] == CS_GRP_JUMP || in->detail->groups[i] == CS_GRP_CALL ||
            in->detail->groups[i] == CS_GRP_RET)
            return true;
    return false;
}

/* Goes back over the instructions before; a branch among them leaves it open where control came
 * from. */
static bool number(csh h, const struct section *s, const uint64_t *before, unsigned count,
                   uint32_t *index)
{
    bool found = false, plain = false, open = false;
    cs_insn *in;

    while (count-- && !found && !open) {
        const uint8_t *bytes = s->bytes + (before[count] - s->addr);

        if (!cs_disasm(h, bytes, s->size - (before[count] - s->addr), before[count], 1, &in))
            break;
        open = leaves(in);
        found = !open && sets_ecx(h, in, &plain, index);
        cs_free(in, 1);
    }
    return found && plain;
}

const struct rule *msr_rule(csh h, const struct section *s, const uint64_t *before, unsigned count,
                            const cs_insn *in, uint32_t *index)
{
    unsigned way = in->id == X86_INS_RDMSR ? READ : WRITE;

    if (!number(h, s, before, count, index))
        return NULL;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (*index >= known[i].first && *index <= known[i].last && (known[i].ways & way))
            return &known[i].rule;
    return &others[way == WRITE];
}

const struct rule *msr_list(size_t i)
{
    size_t n = sizeof(known) / sizeof(known[0]);

    return i < n ? &known[i].rule : i < n + 2 ? &others[i - n] : NULL;
}
