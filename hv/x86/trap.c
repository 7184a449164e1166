/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts once they are in C: a guest's by the table below, the hypervisor's own by hv_trap(); and the slow
 * part of the way out. */
#include <string.h>

#include <hv/access.h>
#include <hv/irq.h>
#include <hv/mm.h>
#include <hv/print.h>
#include "context.h"
#include "decode.h"
#include "trap.h"

extern trap_fn *const trap_table[32];
extern const char exit_iretq[], fast_iretq[], guarded_iretq[], syscall_stub[], syscall_stub_end[];
extern const int32_t __extable_start[][2], __extable_end[][2];

void guest_interrupt(struct guest_regs *r, struct vcpu *v);
struct guest_regs *hv_trap(struct guest_regs *r);
void exit_work(struct guest_regs *r, struct vcpu *v);

void finish_emulated(struct guest_regs *r, struct vcpu *v, unsigned length)
{
    r->rip += length;
    r->rflags &= ~(uint64_t)X86_EFLAGS_RF;
    if (unlikely(r->rflags & X86_EFLAGS_TF)) {
        v->dr[6] |= DR6_STEP;
        bounce_trap(r, v, VEC_DB, 0);
    }
}

/* ---- A guest's exceptions. ---- */

static void trap_simple(struct guest_regs *r, struct vcpu *v)
{
    bounce_trap(r, v, r->vector, r->error_code);
}

/* The processor itself, for a selector that the guest loads, met a hole in its window: in the LDT, since the GDT has none. The
 * guest hears of it as if its LDT were where it has put it. */
static void trap_descriptor_fault(struct guest_regs *r, struct vcpu *v, uint64_t va)
{
    uint64_t offset;

    if (ldt_fault(v, va))
        return;
    offset = va - v->stack_top + VWIN_STACK_TOP - VWIN_LDT;
    if (offset < v->ldt_entries * 8ull)
        bounce_page_fault(r, v, v->ldt_base + offset);
    else
        bounce_trap(r, v, VEC_GP, (uint32_t)(offset & 0xfff8) | 4);
}

static void trap_page_fault(struct guest_regs *r, struct vcpu *v)
{
    uint64_t va = read_cr2();

    if ((r->error_code & (PF_PRESENT | PF_WRITE | PF_RSVD)) == (PF_PRESENT | PF_WRITE) && v->kernel_mode &&
        ptwr_fault(v, r, va))
        return;
    if (unlikely(va >= HV_VIRT_START && va < HV_VIRT_END) && !(r->error_code & PF_USER)) {
        trap_descriptor_fault(r, v, va);
        return;
    }
    bounce_page_fault(r, v, va);
}

/* INT n whose gate is not open to ring 3: the guest's own table says whether it is. */
static bool software_interrupt(struct guest_regs *r, struct vcpu *v)
{
    uint64_t bytes[2];
    struct insn in;
    unsigned n = fetch_instruction(r, bytes);

    if (!n || !insn_decode((const uint8_t *)bytes, n, r, &in) || in.op != INSN_INT || !v->trap[in.creg].address ||
        (v->trap[in.creg].flags & 3) < (v->kernel_mode ? 1 : 3))
        return false;
    r->rip += in.len;
    bounce_interrupt(r, v, in.creg);
    return true;
}

static void trap_general_protection(struct guest_regs *r, struct vcpu *v)
{
    if (r->error_code & 2 ? software_interrupt(r, v) : !r->error_code && emulate_privileged(r, v))
        return;
    bounce_trap(r, v, VEC_GP, r->error_code);
}

static void trap_invalid_opcode(struct guest_regs *r, struct vcpu *v)
{
    if (!emulate_forced_cpuid(r, v))
        bounce_trap(r, v, VEC_UD, 0);
}

static void trap_device_not_available(struct guest_regs *r, struct vcpu *v)
{
    __asm__ volatile("clts");
    v->cr0_ts = false;
    bounce_trap(r, v, VEC_NM, 0);
}

/* What struck, once: the processor itself never clears it. */
static uint64_t take_dr6(void)
{
    uint64_t dr6;

    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    __asm__ volatile("mov %0, %%dr6" ::"r"(0xffff0ff0ull));
    return dr6;
}

static void trap_debug(struct guest_regs *r, struct vcpu *v)
{
    v->dr[6] = (v->dr[6] & ~DR6_BREAKPOINTS) | take_dr6(); /* the other bits stay until the guest clears them */
    bounce_trap(r, v, VEC_DB, 0);
}

/* Says nothing: it may have come while the log's lock was held. */
static void trap_nmi(struct guest_regs *r, struct vcpu *v)
{
    if (hardware_domain && hardware_domain->vcpu[0])
        vcpu_set_work(hardware_domain->vcpu[0], WORK_NMI);
}

static void trap_fatal(struct guest_regs *r, struct vcpu *v)
{
    panic_trap(r, 0);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
trap_fn *const trap_table[32] = {
    [0 ... 31] = trap_simple,
    [VEC_DB] = trap_debug,
    [VEC_NMI] = trap_nmi,
    [VEC_UD] = trap_invalid_opcode,
    [VEC_NM] = trap_device_not_available,
    [VEC_DF] = trap_fatal,
    [VEC_GP] = trap_general_protection,
    [VEC_PF] = trap_page_fault,
    [VEC_MC] = trap_fatal,
};
#pragma GCC diagnostic pop

void guest_interrupt(struct guest_regs *r, struct vcpu *v)
{
    if (r->vector != VEC_INT80) {
        irq_handle(r->vector);
    } else if (v->trap[VEC_INT80].address && (v->kernel_mode || (v->trap[VEC_INT80].flags & 3) == 3)) {
        bounce_trap(r, v, VEC_INT80, 0);
    } else {
        r->rip -= 2;
        bounce_trap(r, v, VEC_GP, VEC_INT80 << 3 | 2);
    }
}

/* ---- The hypervisor's own. ---- */

static uint64_t extable_lookup(uint64_t rip)
{
    for (const int32_t(*e)[2] = __extable_start; e < __extable_end; e++)
        if ((uint64_t)&(*e)[0] + (uint64_t)(int64_t)(*e)[0] == rip)
            return (uint64_t)&(*e)[1] + (uint64_t)(int64_t)(*e)[1];
    return 0;
}

/* IRET to the guest faulted: its frame still lies at the top of the stack, the registers are in ours, which lies
 * across the place where they belong. */
static struct guest_regs *iret_faulted(const struct guest_regs *r)
{
    struct vcpu *v = current;
    struct guest_regs *g = vcpu_regs(v);
    uint64_t gpr[16];

    memcpy(gpr, r->gpr, sizeof(gpr));
    memcpy(g->gpr, gpr, sizeof(gpr));
    vcpu_set_work(v, WORK_FAILSAFE);
    return g;
}

/* Returns where the guest's registers are if the guest must be entered anew, else NULL: go on where it happened. */
struct guest_regs *hv_trap(struct guest_regs *r)
{
    uint64_t fixup;

    if (r->vector >= 32) {
        irq_handle(r->vector);
        return NULL;
    }
    if (r->vector == VEC_NMI) {
        trap_nmi(r, NULL);
        return NULL;
    }
    /* A guest's watchpoint strikes here too: on its data, which we read or write for it, or on the operand of a MOV SS,
     * which counts only after the SYSCALL or INT that follows. It watches its own code, so nobody is told. */
    if (r->vector == VEC_DB) {
        take_dr6();
        return NULL;
    }
    if (r->vector != VEC_DF && r->vector != VEC_MC) {
        if (r->vector == VEC_PF && ldt_fault(current, read_cr2()))
            return NULL;
        if (r->rip == (uint64_t)exit_iretq || r->rip == (uint64_t)fast_iretq || r->rip == (uint64_t)guarded_iretq)
            return iret_faulted(r);
        fixup = extable_lookup(r->rip);
        if (fixup) {
            r->rip = fixup;
            return NULL;
        }
    }
    panic_trap(r, r->vector == VEC_PF ? read_cr2() : 0);
}

/* ---- The slow way out. ---- */

/* The guest's failsafe callback finds by the selectors which of the two it was: they differ from what is loaded if one of
 * them is bad. A bad target of IRET it will find once more when it has seen to that. */
static void load_failed(struct guest_regs *r, struct vcpu *v, uint32_t work)
{
    if (work & WORK_SEGMENTS) {
        if (segments_reload(v))
            return;
    } else {
        selectors_save(v);
    }
    __atomic_fetch_and(&v->work, ~WORK_FAILSAFE, __ATOMIC_SEQ_CST);
    bounce_failsafe(r, v);
}

static void deliver_nmi(struct guest_regs *r, struct vcpu *v)
{
    __atomic_fetch_and(&v->work, ~WORK_NMI, __ATOMIC_SEQ_CST);
    if (!v->trap[VEC_NMI].address)
        return;
    v->nmi_masked = 1;
    bounce_trap(r, v, VEC_NMI, 0);
}

/* Until nothing stands in the guest's way. Each pass takes up what the one before may have brought. */
void exit_work(struct guest_regs *r, struct vcpu *v)
{
    for (;;) {
        uint32_t work = __atomic_load_n(&v->work, __ATOMIC_ACQUIRE);

        if (work & (WORK_STOP | WORK_RESCHED | WORK_QUIET)) {
            schedule();
        } else if (work & WORK_RUNSTATE) {
            __atomic_fetch_and(&v->work, ~WORK_RUNSTATE, __ATOMIC_SEQ_CST);
            runstate_publish(v);
        } else if (work & (WORK_SEGMENTS | WORK_FAILSAFE)) {
            load_failed(r, v, work);
        } else if ((work & WORK_NMI) && !v->nmi_masked) {
            deliver_nmi(r, v);
        } else if (event_deliverable(v)) {
            bounce_event(r, v);
        } else {
            if (work & WORK_REGS)
                __atomic_fetch_and(&v->work, ~WORK_REGS, __ATOMIC_SEQ_CST);
            return;
        }
    }
}
