/* SPDX-License-Identifier: MIT */
/* What becomes of instructions in ring 3 on Paravane (and on Xen, of whose interface this is). Not
 * listed are those that do the same there, RDTSC and INT among them, and SYSCALL, which is how a PV
 * kernel makes hypercalls. */
#include <string.h>
#include "pvscan.h"

#define UD  "invalid opcode (#UD) outside ring 0"
#define VMX UD ", and there is no hardware virtualization for guests"

enum {
    CLI,
    HLT,
    PORT,
    MSR_READ,
    MSR_WRITE,
    CR0_READ,
    CR2,
    CR3_READ,
    CR3_WRITE,
    CR4_READ,
    CR0_WRITE,
    CR4_WRITE,
    CR8,
    DR,
    CLTS,
    LMSW,
    SMSW,
    INVLPG,
    INVPCID,
    WBINVD,
    INVD,
    XSETBV,
    XSAVES,
    PUSHF,
    POPF,
    IRET,
    SYSRET,
    FAR,
    LOAD_CS_SS,
    LOAD_SELECTOR,
    STORE_CS_SS,
    SWAPGS,
    FSGSBASE,
    LGDT,
    LIDT,
    LLDT,
    LTR,
    STORE_TABLE,
    LAR,
    CPUID,
    RDPMC,
    MONITOR,
    CLAC,
    PKRU,
    VM,
    RSM,
    NEW_SYSTEM,
    RULES,
};

static const struct rule rules[RULES] = {
    [CLI] = {"cli, sti", SILENT, "traps and is then ignored: events stay on or off as they were",
             "pv_events_off, pv_events_on"},
    [HLT] = {"hlt", TRAPS, "general protection fault (#GP)", "pv_idle"},
    [PORT] = {"in, out", TRAPS,
              "#GP, unless the domain was given the ports (PHYSDEVOP_set_iopl): then emulated",
              "pv_blk_open, pv_net_open, pv_write; for devices of its own pv_physdev_op"},
    [MSR_READ] =
        {"rdmsr", EMULATED,
         "emulated for some registers (FS and GS base, EFER, PAT, APIC base), #GP for others",
         NULL},
    [MSR_WRITE] = {"wrmsr", EMULATED,
                   "emulated for FS and GS base, ignored for SYSCALL's and SYSENTER's registers, "
                   "#GP for others",
                   "pv_set_segment_base, pv_trap_set"},
    [CR0_READ] = {"mov from cr0", EMULATED, "emulated: a fixed value, and TS", NULL},
    [CR2] = {"mov cr2", EMULATED, "emulated: the value lies in memory", "pv_vcpu_info->arch.cr2"},
    [CR3_READ] = {"mov from cr3", EMULATED, "emulated: the kernel's root, a machine address", NULL},
    [CR3_WRITE] = {"mov to cr3", TRAPS, "#GP",
                   "pv_ext_mfn(MMUEXT_NEW_BASEPTR); to flush, pv_ext_va(MMUEXT_TLB_FLUSH_LOCAL)"},
    [CR4_READ] = {"mov from cr4", EMULATED, "emulated: what was written last", NULL},
    [CR0_WRITE] = {"mov to cr0", EMULATED, "emulated for a change of TS alone, else #GP",
                   "pv_fpu_taskswitch"},
    [CR4_WRITE] = {"mov to cr4", SILENT, "traps and is remembered, but turns nothing on or off",
                   NULL},
    [CR8] = {"mov cr8", TRAPS, "#GP", "pv_event_mask, pv_event_unmask"},
    [DR] = {"mov dr", EMULATED, "emulated, for addresses of the guest",
            "pv_set_debugreg, pv_get_debugreg"},
    [CLTS] = {"clts", EMULATED, "emulated", "pv_fpu_taskswitch"},
    [LMSW] = {"lmsw", TRAPS, "#GP", "pv_fpu_taskswitch"},
    [SMSW] = {"smsw", SILENT, "reads the hypervisor's CR0, not the guest's", NULL},
    [INVLPG] = {"invlpg", EMULATED, "emulated", "pv_ext_va(MMUEXT_INVLPG_LOCAL)"},
    [INVPCID] = {"invpcid", TRAPS, "#GP",
                 "pv_ext_va(MMUEXT_INVLPG_LOCAL), pv_ext_va(MMUEXT_TLB_FLUSH_LOCAL)"},
    [WBINVD] = {"wbinvd", SILENT, "traps and is then ignored: no cache is written back", NULL},
    [INVD] = {"invd", TRAPS, "#GP", NULL},
    [XSETBV] = {"xsetbv", EMULATED, "emulated, for features that CPUID shows", NULL},
    [XSAVES] = {"xsaves, xrstors", TRAPS, "#GP; CPUID does not show them: use XSAVE and XRSTOR",
                NULL},
    [PUSHF] = {"pushf", SILENT,
               "the interrupt flag it shows is always set, the I/O privilege level always 0",
               "pv_vcpu_info->evtchn_upcall_mask"},
    [POPF] = {"popf", SILENT, "the interrupt flag and the I/O privilege level stay as they are",
              "pv_events_on, pv_events_off"},
    [IRET] = {"iret", SILENT,
              "stays within ring 3 and the kernel's page tables, which the hypervisor does not "
              "notice; #GP for "
              "a selector of ring 0",
              "pv_resume"},
    [SYSRET] = {"sysret, sysexit", TRAPS, "#GP", "pv_resume"},
    [FAR] = {"far jump, call, return", TRAPS,
             "#GP for a selector of ring 0; the hypervisor's code selector is PV_CS64", NULL},
    [LOAD_CS_SS] = {"mov to ss", TRAPS, "#GP for a selector of ring 0; the hypervisor's is PV_SS",
                    NULL},
    [LOAD_SELECTOR] =
        {"mov to ds, es, fs, gs", TRAPS,
         "#GP for a selector whose descriptor is of ring 0, or not in the table; 0 is fine",
         "pv_set_gdt, pv_set_segment_base"},
    [STORE_CS_SS] = {"mov from cs, ss", SILENT, "shows ring 3 in the kernel, too", NULL},
    [SWAPGS] = {"swapgs", TRAPS, "#GP; the hypervisor exchanges the bases on its way in and out",
                "pv_set_segment_base"},
    [FSGSBASE] = {"rdfsbase, wrgsbase, ...", TRAPS, "#UD: CR4.FSGSBASE is off",
                  "pv_set_segment_base"},
    [LGDT] = {"lgdt", TRAPS, "#GP", "pv_set_gdt"},
    [LIDT] = {"lidt", TRAPS, "#GP", "pv_trap_set"},
    [LLDT] = {"lldt", TRAPS, "#GP", "pv_mmuext_op(MMUEXT_SET_LDT)"},
    [LTR] = {"ltr", TRAPS, "#GP", "pv_stack_switch"},
    [STORE_TABLE] = {"sgdt, sidt, sldt, str", SILENT, "shows the hypervisor's tables", NULL},
    [LAR] = {"lar, lsl, verr, verw", SILENT,
             "judges the selector as ring 3 may use it (VERW clears buffers as ever)", NULL},
    [CPUID] = {"cpuid", SILENT,
               "shows the processor's own features where the hypervisor cannot make it trap",
               "\"ud2; .ascii \\\"xen\\\"; cpuid\", which always asks the hypervisor"},
    [RDPMC] = {"rdpmc", TRAPS, "#GP", NULL},
    [MONITOR] = {"monitor, mwait", TRAPS, UD, "pv_idle"},
    [CLAC] = {"clac, stac", TRAPS, UD "; CPUID shows no SMAP", NULL},
    [PKRU] = {"rdpkru, wrpkru", TRAPS, "#UD: CR4.PKE is off", NULL},
    [VM] = {"vmx, svm", TRAPS, VMX, NULL},
    [RSM] = {"rsm, getsec, encls", TRAPS, UD, NULL},
    [NEW_SYSTEM] = {"pconfig, wrmsrns, psmash, ...", TRAPS, "#GP or #UD: CPUID does not show them",
                    NULL},
};

/* Index into rules, plus one. */
#define R(rule) ((rule) + 1)
static const uint8_t by_id[X86_INS_ENDING] = {
    [X86_INS_CLI] = R(CLI),           [X86_INS_STI] = R(CLI),
    [X86_INS_HLT] = R(HLT),           [X86_INS_IN] = R(PORT),
    [X86_INS_OUT] = R(PORT),          [X86_INS_INSB] = R(PORT),
    [X86_INS_INSW] = R(PORT),         [X86_INS_INSD] = R(PORT),
    [X86_INS_OUTSB] = R(PORT),        [X86_INS_OUTSW] = R(PORT),
    [X86_INS_OUTSD] = R(PORT),        [X86_INS_RDMSR] = R(MSR_READ),
    [X86_INS_WRMSR] = R(MSR_WRITE),   [X86_INS_CLTS] = R(CLTS),
    [X86_INS_LMSW] = R(LMSW),         [X86_INS_SMSW] = R(SMSW),
    [X86_INS_INVLPG] = R(INVLPG),     [X86_INS_INVPCID] = R(INVPCID),
    [X86_INS_WBINVD] = R(WBINVD),     [X86_INS_INVD] = R(INVD),
    [X86_INS_XSETBV] = R(XSETBV),     [X86_INS_XSAVES] = R(XSAVES),
    [X86_INS_XSAVES64] = R(XSAVES),   [X86_INS_XRSTORS] = R(XSAVES),
    [X86_INS_XRSTORS64] = R(XSAVES),  [X86_INS_PUSHF] = R(PUSHF),
    [X86_INS_PUSHFD] = R(PUSHF),      [X86_INS_PUSHFQ] = R(PUSHF),
    [X86_INS_POPF] = R(POPF),         [X86_INS_POPFD] = R(POPF),
    [X86_INS_POPFQ] = R(POPF),        [X86_INS_IRET] = R(IRET),
    [X86_INS_IRETD] = R(IRET),        [X86_INS_IRETQ] = R(IRET),
    [X86_INS_SYSRET] = R(SYSRET),     [X86_INS_SYSEXIT] = R(SYSRET),
    [X86_INS_LJMP] = R(FAR),          [X86_INS_LCALL] = R(FAR),
    [X86_INS_RETF] = R(FAR),          [X86_INS_RETFQ] = R(FAR),
    [X86_INS_LSS] = R(LOAD_CS_SS),    [X86_INS_LDS] = R(LOAD_SELECTOR),
    [X86_INS_LES] = R(LOAD_SELECTOR), [X86_INS_LFS] = R(LOAD_SELECTOR),
    [X86_INS_LGS] = R(LOAD_SELECTOR), [X86_INS_SWAPGS] = R(SWAPGS),
    [X86_INS_RDFSBASE] = R(FSGSBASE), [X86_INS_RDGSBASE] = R(FSGSBASE),
    [X86_INS_WRFSBASE] = R(FSGSBASE), [X86_INS_WRGSBASE] = R(FSGSBASE),
    [X86_INS_LGDT] = R(LGDT),         [X86_INS_LIDT] = R(LIDT),
    [X86_INS_LLDT] = R(LLDT),         [X86_INS_LTR] = R(LTR),
    [X86_INS_SGDT] = R(STORE_TABLE),  [X86_INS_SIDT] = R(STORE_TABLE),
    [X86_INS_SLDT] = R(STORE_TABLE),  [X86_INS_STR] = R(STORE_TABLE),
    [X86_INS_LAR] = R(LAR),           [X86_INS_LSL] = R(LAR),
    [X86_INS_VERR] = R(LAR),          [X86_INS_VERW] = R(LAR),
    [X86_INS_CPUID] = R(CPUID),       [X86_INS_RDPMC] = R(RDPMC),
    [X86_INS_MONITOR] = R(MONITOR),   [X86_INS_MWAIT] = R(MONITOR),
    [X86_INS_CLAC] = R(CLAC),         [X86_INS_STAC] = R(CLAC),
    [X86_INS_VMCALL] = R(VM),         [X86_INS_VMCLEAR] = R(VM),
    [X86_INS_VMFUNC] = R(VM),         [X86_INS_VMLAUNCH] = R(VM),
    [X86_INS_VMRESUME] = R(VM),       [X86_INS_VMPTRLD] = R(VM),
    [X86_INS_VMPTRST] = R(VM),        [X86_INS_VMREAD] = R(VM),
    [X86_INS_VMWRITE] = R(VM),        [X86_INS_VMXON] = R(VM),
    [X86_INS_VMXOFF] = R(VM),         [X86_INS_INVEPT] = R(VM),
    [X86_INS_INVVPID] = R(VM),        [X86_INS_VMRUN] = R(VM),
    [X86_INS_VMLOAD] = R(VM),         [X86_INS_VMSAVE] = R(VM),
    [X86_INS_VMMCALL] = R(VM),        [X86_INS_STGI] = R(VM),
    [X86_INS_CLGI] = R(VM),           [X86_INS_SKINIT] = R(VM),
    [X86_INS_INVLPGA] = R(VM),        [X86_INS_RSM] = R(RSM),
    [X86_INS_GETSEC] = R(RSM),        [X86_INS_ENCLS] = R(RSM),
};

static unsigned move_control(unsigned reg, bool to)
{
    switch (reg) {
    case 0:
        return to ? R(CR0_WRITE) : R(CR0_READ);
    case 2:
        return R(CR2);
    case 3:
        return to ? R(CR3_WRITE) : R(CR3_READ);
    case 4:
        return to ? R(CR4_WRITE) : R(CR4_READ);
    default:
        return R(CR8);
    }
}

/* MOV is every third instruction: its bytes tell without a search of the text. */
static unsigned move(const cs_insn *in)
{
    unsigned at = 0, rex = 0, reg;

    while (at < in->size &&
           (in->bytes[at] == 0x66 || in->bytes[at] == 0x67 || in->bytes[at] == 0xf0 ||
            in->bytes[at] == 0xf2 || in->bytes[at] == 0xf3 || (in->bytes[at] & 0xe7) == 0x26 ||
            (in->bytes[at] & 0xfe) == 0x64))
        at++;
    if (at < in->size && (in->bytes[at] & 0xf0) == 0x40)
        rex = in->bytes[at++];
    if (at + 1 >= in->size)
        return 0;
    reg = in->bytes[at + 1] >> 3 & 7;
    switch (in->bytes[at]) {
    case 0x8c:
        return reg == 1 || reg == 2 ? R(STORE_CS_SS) : 0;
    case 0x8e:
        return reg == 2 ? R(LOAD_CS_SS) : R(LOAD_SELECTOR);
    case 0x0f:
        break;
    default:
        return 0;
    }
    if (at + 2 >= in->size || (in->bytes[at + 1] & 0xfc) != 0x20)
        return 0;
    if (in->bytes[at + 1] & 1)
        return R(DR);
    return move_control((in->bytes[at + 2] >> 3 & 7) | (rex & 4) << 1, in->bytes[at + 1] & 2);
}

static unsigned pop(const cs_insn *in)
{
    const char *reg = in->op_str; /* "%fs" */

    if (strlen(reg) != 3 || reg[2] != 's')
        return 0;
    return reg[1] == 's' ? R(LOAD_CS_SS) : R(LOAD_SELECTOR);
}

const struct rule *rule_for(const cs_insn *in)
{
    unsigned r = in->id < X86_INS_ENDING ? by_id[in->id] : 0;

    if (in->id == X86_INS_MOV)
        r = move(in);
    else if (in->id == X86_INS_POP)
        r = pop(in);
    return r ? &rules[r - 1] : NULL;
}

const struct rule *rule_for_young(enum young_kind kind)
{
    return kind == YOUNG_PKRU ? &rules[PKRU] : kind == YOUNG_SYSTEM ? &rules[NEW_SYSTEM] : NULL;
}

const struct rule *rule_list(size_t i)
{
    return i < RULES ? &rules[i] : NULL;
}
