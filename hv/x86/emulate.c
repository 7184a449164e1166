/* SPDX-License-Identifier: MIT */
/* Privileged instructions that guests execute all the same: a closed list. What is not on it goes back to the guest as the
 * exception it was, with a sentence for whoever ports a kernel. */
#include <hv/access.h>
#include <hv/dev.h>
#include <hv/hypercall.h>
#include <hv/mm.h>
#include <hv/print.h>
#include "context.h"
#include "cpu_policy.h"
#include "decode.h"
#include "msr_policy.h"
#include "trap.h"

#define GUEST_CR0 (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)
#define STRING_CHUNK 512

/* ---- CPUID and MSRs. ---- */

static void emulate_cpuid(struct guest_regs *r, struct vcpu *v)
{
    struct cpuid_regs out;

    vcpu_cpuid(v, (uint32_t)r->rax, (uint32_t)r->rcx, &out);
    r->rax = out.a;
    r->rbx = out.b;
    r->rcx = out.c;
    r->rdx = out.d;
}

bool emulate_forced_cpuid(struct guest_regs *r, struct vcpu *v)
{
    uint64_t bytes[2];
    unsigned n = fetch_instruction(r, bytes);

    if (!insn_is_forced_cpuid((const uint8_t *)bytes, n))
        return false;
    emulate_cpuid(r, v);
    finish_emulated(r, v, FORCED_CPUID_LEN);
    return true;
}

static bool emulate_rdmsr(struct guest_regs *r, struct vcpu *v)
{
    uint64_t value = 0;

    switch (msr_read(&msr_host, v->id, (uint32_t)r->rcx, &value)) {
    case MSR_DENY:
        guest_log(v->domain, LOG_DEBUG, "read of MSR %#x at RIP %#lx denied", (uint32_t)r->rcx, r->rip);
        return false;
    case MSR_DONE:
        break;
    case MSR_DO_BASE:
        value = rdmsr((uint32_t)r->rcx);
        break;
    case MSR_DO_TSC_AUX:
        value = v->tsc_aux;
        break;
    }
    r->rax = (uint32_t)value;
    r->rdx = value >> 32;
    return true;
}

static bool emulate_wrmsr(struct guest_regs *r, struct vcpu *v)
{
    uint64_t value = (uint32_t)r->rax | r->rdx << 32;

    switch (msr_write(&msr_host, v->id, (uint32_t)r->rcx, value)) {
    case MSR_DENY:
        guest_log(v->domain, LOG_DEBUG, "write of %#lx to MSR %#x at RIP %#lx denied", value, (uint32_t)r->rcx, r->rip);
        return false;
    case MSR_DONE:
        break;
    case MSR_DO_BASE:
        wrmsr((uint32_t)r->rcx, value);
        break;
    case MSR_DO_TSC_AUX:
        v->tsc_aux = (uint32_t)value;
        wrmsr_safe(MSR_TSC_AUX, value);
        break;
    }
    return true;
}

/* ---- Control and debug registers. ---- */

static bool emulate_cr(struct guest_regs *r, struct vcpu *v, const struct insn *in)
{
    uint64_t value = 0;

    if (in->op == INSN_MOV_FROM_CR) {
        switch (in->creg) {
        case 0:
            value = GUEST_CR0 | (v->cr0_ts ? CR0_TS : 0);
            break;
        case 2:
            value = READ_ONCE(v->info->arch.cr2);
            break;
        case 3:
            value = v->kernel_cr3;
            break;
        case 4:
            value = v->cr4_shadow;
            break;
        default:
            return false;
        }
        insn_set_reg(r, in->reg, 8, value);
        return true;
    }
    value = r->gpr[in->reg];
    switch (in->creg) {
    case 0: /* TS alone can be changed */
        if ((value ^ GUEST_CR0) & ~CR0_TS)
            return false;
        do_fpu_taskswitch(value & CR0_TS);
        return true;
    case 2:
        WRITE_ONCE(v->info->arch.cr2, value);
        return true;
    case 4: /* what is on is on; the guest may believe what it likes */
        v->cr4_shadow = value;
        return true;
    default:
        return false;
    }
}

static bool emulate_dr(struct guest_regs *r, struct vcpu *v, const struct insn *in)
{
    if (in->op == INSN_MOV_TO_DR)
        return in->creg < 8 && !debugreg_set(v, in->creg, r->gpr[in->reg]);
    if (in->creg >= 8)
        return false;
    insn_set_reg(r, in->reg, 8, debugreg_get(v, in->creg));
    return true;
}

/* ---- Ports. ---- */

/* The virtual IOPL lets kernel code in from 1 on, user code at 3; else the bitmap of set_iobitmap decides. */
static bool io_allowed(const struct vcpu *v, unsigned port, unsigned size)
{
    uint8_t bits[2] = {0xff, 0xff};

    if (v->iopl >= (v->kernel_mode ? 1 : 3))
        return true;
    if (!v->iobmp_va || port + size > v->iobmp_bits || copy_from_guest(bits, v->iobmp_va + port / 8, 1))
        return false;
    if (port % 8 + size > 8 && copy_from_guest(bits + 1, v->iobmp_va + port / 8 + 1, 1))
        return false;
    return !((bits[0] | bits[1] << 8) >> (port % 8) & ((1u << size) - 1));
}

static uint64_t masked(uint64_t v, bool addr32)
{
    return addr32 ? (uint32_t)v : v;
}

/* One chunk of INS or OUTS. Registers say how far it came; the instruction is executed again for the rest. True: done. */
static bool string_io(struct guest_regs *r, struct vcpu *v, const struct insn *in, bool *fault)
{
    uint8_t buf[STRING_CHUNK];
    uint64_t count = in->rep ? masked(r->rcx, in->addr32) : 1, va = in->ea;
    uint64_t n = MIN(count, STRING_CHUNK / in->size), bytes = n * in->size;
    bool down = r->rflags & X86_EFLAGS_DF, input = in->op == INSN_INS;
    uint64_t *pointer = input ? &r->rdi : &r->rsi;

    if (down) { /* one element each time: rare enough */
        n = MIN(n, 1);
        bytes = n * in->size;
    }
    if (in->seg != SEG_FLAT && !input)
        va += rdmsr(in->seg == SEG_FS ? MSR_FS_BASE : MSR_GS_BASE);
    *fault = !input && copy_from_guest(buf, va, bytes);
    for (uint64_t i = 0; !*fault && i < bytes; i += in->size) {
        uint32_t value = 0;

        if (input)
            value = guest_port_read(v->domain, in->port, in->size);
        else
            __builtin_memcpy(&value, buf + i, in->size);
        if (input)
            __builtin_memcpy(buf + i, &value, in->size);
        else
            guest_port_write(v->domain, in->port, in->size, value);
    }
    if (input && !*fault)
        *fault = copy_to_guest(va, buf, bytes);
    if (*fault)
        return false;
    *pointer = masked(down ? *pointer - bytes : *pointer + bytes, in->addr32);
    if (in->rep)
        r->rcx = masked(r->rcx - n, in->addr32);
    return n == count;
}

static bool emulate_io(struct guest_regs *r, struct vcpu *v, const struct insn *in, bool *again)
{
    bool fault = false;

    if (!io_allowed(v, in->port, in->size))
        return false;
    switch (in->op) {
    case INSN_IN:
        insn_set_reg(r, 0, in->size, guest_port_read(v->domain, in->port, in->size));
        return true;
    case INSN_OUT:
        guest_port_write(v->domain, in->port, in->size, (uint32_t)r->rax);
        return true;
    default:
        *again = !string_io(r, v, in, &fault);
        return !fault;
    }
}

/* ---- The list. ---- */

static bool emulate_kernel(struct guest_regs *r, struct vcpu *v, const struct insn *in)
{
    switch (in->op) {
    case INSN_CLI: /* POPF cannot be trapped, so CLI must not mask events: nothing would unmask them */
    case INSN_STI:
    case INSN_WBINVD:
        return true;
    case INSN_RDMSR:
        return emulate_rdmsr(r, v);
    case INSN_WRMSR:
        return emulate_wrmsr(r, v);
    case INSN_MOV_FROM_CR:
    case INSN_MOV_TO_CR:
        return emulate_cr(r, v, in);
    case INSN_MOV_FROM_DR:
    case INSN_MOV_TO_DR:
        return emulate_dr(r, v, in);
    case INSN_CLTS:
        do_fpu_taskswitch(0);
        return true;
    case INSN_INVLPG:
        if (guest_range_ok(in->ea, 1))
            tlb_flush_page_local(in->ea);
        return true;
    case INSN_XSETBV:
        return !(uint32_t)r->rcx && fpu_set_xcr0(v, (uint32_t)r->rax | r->rdx << 32);
    default:
        return false;
    }
}

static const char *instead(enum insn_op op)
{
    switch (op) {
    case INSN_HLT:
        return "; use SCHEDOP_block";
    case INSN_MOV_TO_CR:
        return "; roots are changed by MMUEXT_NEW_BASEPTR, TS by fpu_taskswitch";
    case INSN_SWAPGS:
        return "; the hypervisor swaps GS, its base is set by set_segment_base";
    case INSN_IRET:
    case INSN_SYSRET:
    case INSN_SYSEXIT:
        return "; use the iret hypercall";
    case INSN_LGDT:
        return "; use set_gdt";
    case INSN_LIDT:
        return "; use set_trap_table";
    case INSN_LLDT:
        return "; use MMUEXT_SET_LDT";
    default:
        return "";
    }
}

bool emulate_privileged(struct guest_regs *r, struct vcpu *v)
{
    uint64_t bytes[2];
    struct insn in;
    unsigned n = fetch_instruction(r, bytes);
    bool done, again = false;

    if (!n || !insn_decode((const uint8_t *)bytes, n, r, &in))
        return false;
    if (in.op == INSN_CPUID)
        emulate_cpuid(r, v), done = true;
    else if (in.op >= INSN_IN && in.op <= INSN_OUTS)
        done = emulate_io(r, v, &in, &again);
    else
        done = v->kernel_mode && emulate_kernel(r, v, &in);
    if (done && !again)
        finish_emulated(r, v, in.len);
    if (!done && v->kernel_mode && in.op != INSN_RDMSR && in.op != INSN_WRMSR)
        guest_log(v->domain, LOG_WARN, "%s at RIP %#lx gets a #GP%s", insn_name(in.op), r->rip, instead(in.op));
    return done;
}
