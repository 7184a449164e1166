/* SPDX-License-Identifier: MIT */
/*
 * Bounce frames: how an exception, event or system call reaches the guest kernel.
 *
 * On the kernel's stack (its current one, or the one of stack_switch when user code ran), aligned to 16, low to high:
 *
 *   rcx, r11, [ds, es, fs, gs if failsafe], [error code], rip, cs | mask << 32, rflags, rsp, ss
 *
 * CS has RPL 0 when kernel code was interrupted; IF in rflags tells the event mask. The kernel goes back by the iret
 * hypercall, never by an instruction.
 */
#include <hv/access.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "trap.h"

#define FLAGS_CLEARED (X86_EFLAGS_TF | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_VM)

void enter_kernel_mode(struct vcpu *v)
{
    v->kernel_mode = 1;
    __asm__ volatile("swapgs" ::: "memory");
    write_cr3(v->kernel_cr3);
}

void enter_user_mode(struct vcpu *v)
{
    v->kernel_mode = 0;
    __asm__ volatile("swapgs" ::: "memory");
    write_cr3(v->user_cr3);
}

enum frame_kind { FRAME_PLAIN, FRAME_ERROR, FRAME_FAILSAFE };

/* The frame's words above rcx and r11 depend on its kind. */
static always_inline bool write_frame(uint64_t sp, const struct guest_regs *r, const struct vcpu *v, enum frame_kind kind,
                                      uint32_t error, uint64_t cs, uint64_t rflags)
{
    if (!guest_store64(sp, r->rcx) || !guest_store64(sp + 8, r->r11))
        return false;
    sp += 16;
    if (kind == FRAME_ERROR) {
        if (!guest_store64(sp, error))
            return false;
        sp += 8;
    } else if (kind == FRAME_FAILSAFE) {
        if (!guest_store64(sp, v->ds) || !guest_store64(sp + 8, v->es) || !guest_store64(sp + 16, v->fs) ||
            !guest_store64(sp + 24, v->gs))
            return false;
        sp += 32;
    }
    return guest_store64(sp, r->rip) && guest_store64(sp + 8, cs) && guest_store64(sp + 16, rflags) &&
           guest_store64(sp + 24, r->rsp) && guest_store64(sp + 32, r->ss);
}

/* `entry` was found canonical when it was registered. */
static always_inline void bounce(struct guest_regs *r, struct vcpu *v, enum frame_kind kind, uint32_t error,
                                 uint64_t entry, bool mask_events)
{
    struct vcpu_info *info = v->info;
    uint64_t size = (kind == FRAME_PLAIN ? 7 : kind == FRAME_ERROR ? 8 : 11) * 8;
    uint64_t sp, cs = (uint16_t)r->cs;
    uint8_t mask = READ_ONCE(info->evtchn_upcall_mask);

    if (v->kernel_mode) {
        sp = r->rsp;
        cs &= ~3ull;
    } else {
        enter_kernel_mode(v);
        sp = v->kernel_sp;
    }
    sp = (sp & ~15ull) - size;
    cs |= (uint64_t)mask << 32;
    if (unlikely(!guest_range_ok(sp, size) ||
                 !write_frame(sp, r, v, kind, error, cs,
                              (r->rflags & ~(uint64_t)(X86_EFLAGS_IF | X86_EFLAGS_IOPL)) |
                                  (mask ? 0 : X86_EFLAGS_IF)))) {
        domain_crash(v->domain,
                     "no room for a bounce frame: the %lu bytes at %#lx of its kernel stack are not writable; map the "
                     "stack read-write, and name a valid one in stack_switch",
                     size, sp);
        return;
    }
    if (mask_events)
        WRITE_ONCE(info->evtchn_upcall_mask, 1);
    r->rip = entry;
    r->cs = SEL_GUEST_CS64;
    r->ss = SEL_GUEST_SS;
    r->rsp = sp;
    r->rflags = (r->rflags & ~(uint64_t)FLAGS_CLEARED) | X86_EFLAGS_IF;
}

static bool has_error_code(unsigned vector)
{
    return vector < 32 && (0x00027d00u >> vector & 1);
}

static cold void no_handler(struct vcpu *v, const struct guest_regs *r, unsigned vector, uint32_t error)
{
    domain_crash(v->domain,
                 "exception %u (error code %#x) in %s code and no handler for it: none is registered by "
                 "set_trap_table; RSP %#lx",
                 vector, error, v->kernel_mode ? "kernel" : "user", r->rsp);
}

void bounce_trap(struct guest_regs *r, struct vcpu *v, unsigned vector, uint32_t error)
{
    const struct trap_info *t = &v->trap[vector];

    if (unlikely(!t->address))
        no_handler(v, r, vector, error);
    else if (has_error_code(vector))
        bounce(r, v, FRAME_ERROR, error, t->address, t->flags & 4);
    else
        bounce(r, v, FRAME_PLAIN, 0, t->address, t->flags & 4);
}

void bounce_interrupt(struct guest_regs *r, struct vcpu *v, unsigned vector)
{
    const struct trap_info *t = &v->trap[vector];

    bounce(r, v, FRAME_PLAIN, 0, t->address, t->flags & 4);
}

void bounce_page_fault(struct guest_regs *r, struct vcpu *v, uint64_t va)
{
    const struct trap_info *t = &v->trap[VEC_PF];
    uint32_t error = r->error_code;

    /* The processor says "user" of all that happens in ring 3; the guest means its own modes. */
    if (v->kernel_mode)
        error &= ~PF_USER;
    WRITE_ONCE(v->info->arch.cr2, va);
    if (likely(t->address))
        bounce(r, v, FRAME_ERROR, error, t->address, t->flags & 4);
    else
        domain_crash(v->domain,
                     "page fault at %#lx (error code %#x) in %s code and no handler for it: none is registered "
                     "by set_trap_table",
                     va, error, v->kernel_mode ? "kernel" : "user");
}

void bounce_event(struct guest_regs *r, struct vcpu *v)
{
    if (likely(v->event_entry))
        bounce(r, v, FRAME_PLAIN, 0, v->event_entry, true);
    else
        domain_crash(v->domain, "an event is pending and unmasked, and no event callback is registered: use callback_op "
                     "or set_callbacks before unmasking events");
}

void bounce_failsafe(struct guest_regs *r, struct vcpu *v)
{
    if (v->failsafe_entry)
        bounce(r, v, FRAME_FAILSAFE, 0, v->failsafe_entry, v->failsafe_masks);
    else
        domain_crash(v->domain,
                     "a segment register or the target of iret (CS %#lx, RIP %#lx, SS %#lx) could not be loaded, "
                     "and no failsafe callback is registered",
                     r->cs, r->rip, r->ss);
}

void guest_exception(struct vcpu *v, unsigned vector, uint32_t error)
{
    vcpu_set_work(v, WORK_REGS);
    bounce_trap(vcpu_regs(v), v, vector, error);
}

/* The straight ways of fast.S found a guest stack that cannot be used. */
void guest_stack_lost(uint64_t sp, struct vcpu *v);
void guest_stack_lost(uint64_t sp, struct vcpu *v)
{
    domain_crash(v->domain,
                 "a bounce frame or the frame of the iret hypercall, at %#lx: that part of the kernel stack is not "
                 "mapped, or not writable",
                 sp);
}

void iret_without_user_root(const struct guest_regs *r, struct vcpu *v);
void iret_without_user_root(const struct guest_regs *r, struct vcpu *v)
{
    domain_crash(v->domain,
                 "iret hypercall to user mode (RIP %#lx) without a user root: set one by "
                 "MMUEXT_NEW_USER_BASEPTR",
                 r->rip);
}

/* SYSCALL by user code. */
void guest_syscall(struct guest_regs *r, struct vcpu *v);
void guest_syscall(struct guest_regs *r, struct vcpu *v)
{
    if (unlikely(!v->syscall_entry)) {
        domain_crash(v->domain, "SYSCALL by user code, and no syscall callback is registered");
        return;
    }
    bounce(r, v, FRAME_PLAIN, 0, v->syscall_entry, v->syscall_masks);
    r->rflags &= ~(uint64_t)X86_EFLAGS_DF;
}

/* SYSCALL in compatibility mode. There is no such hypercall. */
void guest_syscall32(struct guest_regs *r, struct vcpu *v);
void guest_syscall32(struct guest_regs *r, struct vcpu *v)
{
    r->rip = (uint32_t)r->rip;
    if (v->kernel_mode || !v->syscall32_entry) {
        r->rip -= 2;
        bounce_trap(r, v, VEC_UD, 0);
        return;
    }
    bounce(r, v, FRAME_PLAIN, 0, v->syscall32_entry, v->syscall32_masks);
    r->rflags &= ~(uint64_t)X86_EFLAGS_DF;
}

struct iret_frame {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

static always_inline bool read_iret_frame(struct iret_frame *f, uint64_t sp)
{
    return guest_load64(&f->rax, sp) && guest_load64(&f->r11, sp + 8) && guest_load64(&f->rcx, sp + 16) &&
           guest_load64(&f->rip, sp + 32) && guest_load64(&f->cs, sp + 40) && guest_load64(&f->rflags, sp + 48) &&
           guest_load64(&f->rsp, sp + 56) && guest_load64(&f->ss, sp + 64);
}

/* The iret hypercall. What it asks for is made harmless, not checked: bad selectors and addresses fault in the IRET
 * instruction and become a failsafe callback. */
void guest_iret(struct guest_regs *r, struct vcpu *v);
void guest_iret(struct guest_regs *r, struct vcpu *v)
{
    struct iret_frame f;

    if (unlikely(!guest_range_ok(r->rsp, sizeof(f)) || !read_iret_frame(&f, r->rsp))) {
        domain_crash(v->domain, "iret hypercall: its frame of %lu bytes at %#lx cannot be read", sizeof(f), r->rsp);
        return;
    }
    if ((f.cs & 3) == 3) {
        if (unlikely(!v->user_cr3)) {
            iret_without_user_root(r, v);
            return;
        }
        enter_user_mode(v);
    }
    r->rax = f.rax;
    r->r11 = f.r11;
    r->rcx = f.rcx;
    r->rip = f.rip;
    r->cs = (uint16_t)f.cs | 3;
    r->rflags = (f.rflags & ~(uint64_t)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) | X86_EFLAGS_IF | 2;
    r->rsp = f.rsp;
    r->ss = (uint16_t)f.ss | 3;
    v->nmi_masked = 0;
    WRITE_ONCE(v->info->evtchn_upcall_mask, !(f.rflags & X86_EFLAGS_IF));
}
