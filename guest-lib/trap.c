/* SPDX-License-Identifier: MIT */
/* Exceptions in C: registration, dispatch, and the recovery that PV_TRY asks for. */
#include <pvguest/console.h>
#include <pvguest/event.h>
#include <pvguest/hypercall.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

#define GATE_MASKS_EVENTS 4 /* trap_info.flags: bit 2, bits 0-1 the DPL */

extern const uint64_t pv_trap_stubs[PV_TRAP_COUNT];
void pv_trap_dispatch(struct pv_regs *regs);

uint64_t pv_failsafe_selectors[4];
struct pv_fault *pv_catch; /* armed by pv_catch_arm */
static pv_trap_handler *handlers[PV_TRAP_COUNT];

static bool user_may_raise(unsigned vector)
{
    return vector == 3 || vector == 4;
}

static long set_callback(unsigned type, unsigned stub, unsigned flags)
{
    struct callback_register cb = {.type = type, .flags = flags, .address = pv_trap_stubs[stub]};

    return pv_callback_op(CALLBACKOP_register, &cb);
}

void pv_trap_init(void)
{
    static struct trap_info table[34];
    unsigned n = 0;

    for (unsigned v = 0; v < 32; v++) {
        table[n].vector = v;
        table[n].flags = GATE_MASKS_EVENTS | (user_may_raise(v) ? 3 : 0);
        table[n].cs = PV_CS64;
        table[n++].address = pv_trap_stubs[v];
    }
    table[n].vector = 0x80;
    table[n].flags = 3; /* a trap gate: leaves the event mask alone */
    table[n].cs = PV_CS64;
    table[n++].address = pv_trap_stubs[PV_TRAP_INT80];
    if (pv_set_trap_table(table) || set_callback(CALLBACKTYPE_event, PV_TRAP_EVENT, 0) ||
        set_callback(CALLBACKTYPE_failsafe, PV_TRAP_FAILSAFE, CALLBACKF_mask_events) ||
        set_callback(CALLBACKTYPE_syscall, PV_TRAP_SYSCALL, CALLBACKF_mask_events))
        pv_printf("pvguest: the hypervisor refused the trap table or a callback\n");
}

void pv_trap_set(unsigned vector, pv_trap_handler *handler)
{
    handlers[vector] = handler;
}

void pv_catch_disarm(void)
{
    pv_catch = NULL;
}

/* Continues where pv_catch_arm returned, with 1. The frame's CS decides the mode: a user-mode fault
 * comes back in kernel mode. */
static void recover(struct pv_fault *f, struct pv_regs *regs)
{
    pv_catch = NULL;
    f->vector = regs->vector;
    f->regs = *regs;
    f->cr2 = pv_vcpu_info->arch.cr2;
    regs->rbx = f->saved[0];
    regs->rbp = f->saved[1];
    regs->r12 = f->saved[2];
    regs->r13 = f->saved[3];
    regs->r14 = f->saved[4];
    regs->r15 = f->saved[5];
    regs->rsp = f->saved[6];
    regs->rip = f->saved[7];
    regs->rax = 1;
    regs->cs = PV_KERNEL_CS;
    regs->ss = PV_SS;
    regs->rflags = (regs->rflags & 0x200) | 2;
}

static void dump(const struct pv_regs *r)
{
    pv_printf("pvguest: unexpected exception %lu, error %lx, cr2 %lx\n", r->vector, r->error,
              pv_vcpu_info->arch.cr2);
    pv_printf(" rip %lx cs %lx rflags %lx rsp %lx ss %lx\n", r->rip, r->cs, r->rflags, r->rsp,
              r->ss);
    pv_printf(" rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx\n", r->rax, r->rbx, r->rcx,
              r->rdx, r->rsi, r->rdi, r->rbp);
    pv_printf(" r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", r->r8, r->r9,
              r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
}

void pv_trap_dispatch(struct pv_regs *regs)
{
    if (handlers[regs->vector]) {
        handlers[regs->vector](regs);
    } else if (regs->vector == PV_TRAP_EVENT) {
        pv_event_dispatch();
    } else if (pv_catch) {
        recover(pv_catch, regs);
    } else {
        dump(regs);
        pv_shutdown(SHUTDOWN_crash);
    }
}

int pv_try_read(uint64_t va, uint64_t *value)
{
    struct pv_fault f;

    PV_TRY(&f) *value = *(volatile uint64_t *)va;
    return f.vector;
}

int pv_try_write(uint64_t va, uint64_t value)
{
    struct pv_fault f;

    PV_TRY(&f) * (volatile uint64_t *)va = value;
    return f.vector;
}

int pv_try_exec(uint64_t va)
{
    struct pv_fault f;

    PV_TRY(&f)
    __asm__ volatile("call *%0" ::"r"(va)
                     : "memory", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
    return f.vector;
}
