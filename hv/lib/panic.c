/* SPDX-License-Identifier: MIT */
/* The end by a bug of the hypervisor's own: what happened, registers, back trace with names, then
 * the machine's end. */
#include <hv/cpu.h>
#include <hv/init.h>
#include <hv/print.h>
#include <hv/x86.h>
#include "panic.h"

extern char boot_stack[], boot_stack_top[];

bool panicking;

/* Where the stack that holds sp ends; 0: sp is on none of ours. */
static uint64_t stack_end(uint64_t sp)
{
    static const uint32_t ends[] = {CPUWIN_NMI_TOP, CPUWIN_DF_TOP, CPUWIN_MC_TOP, CPUWIN_DB_TOP};
    uint64_t window = sp & -(uint64_t)WINDOW_SIZE;

    if (sp >= (uint64_t)boot_stack && sp < (uint64_t)boot_stack_top)
        return (uint64_t)boot_stack_top;
    if (sp < WINDOWS_VA || sp >= DEVICES_VA)
        return 0;
    if (sp - window >= VWIN_STACK)
        return sp - window < VWIN_STACK_TOP ? window + VWIN_STACK_TOP : 0;
    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        if (sp - window < ends[i])
            return sp - window >= ends[i] - 2 * PAGE_SIZE ? window + ends[i] : 0;
    }
    return 0;
}

static void print_place(const char *what, uint64_t rip)
{
    uint64_t offset = 0;
    const char *name = symbol_lookup(rip, &offset);

    printk(LOG_ERR, "%s %016lx %s+0x%lx", what, rip, name ? name : "?", offset);
}

/* Follows frame pointers, each above the one before it, on the stack that holds the first. */
static void print_trace(uint64_t fp)
{
    uint64_t end = stack_end(fp), next;

    while (end && !(fp & 7) && fp + 16 <= end) {
        /* The call itself: behind the last one of a function that does not return begins another
         * function. */
        print_place("  called at", ((uint64_t *)fp)[1] - 1);
        next = *(uint64_t *)fp;
        if (next <= fp)
            break;
        fp = next;
    }
}

/* A panic within a panic just ends the machine. */
static void panic_begin(void)
{
    irq_disable();
    if (__atomic_exchange_n(&panicking, true, __ATOMIC_SEQ_CST))
        machine_halt();
    options.loglvl = MAX(options.loglvl, LOG_ERR);
}

static void print_current(void)
{
    const struct vcpu *v = current;

    if (v->is_idle)
        printk(LOG_ERR, "on CPU %u, idle", v->pcpu->id);
    else
        printk(LOG_ERR, "on CPU %u for d%uv%u, which was at %016lx", v->pcpu->id, v->domain->id,
               v->id, vcpu_regs(v)->rip);
}

noreturn static void panic_end(uint64_t fp)
{
    if (on_vcpu())
        print_current();
    print_trace(fp);
    machine_halt();
}

void panic(const char *fmt, ...)
{
    char text[256];

    panic_begin();
    FORMAT_TEXT(text, fmt);
    printk(LOG_ERR, "panic: %s", text);
    panic_end((uint64_t)__builtin_frame_address(0));
}

void bug_at(const char *file, int line, const char *what)
{
    panic("BUG at %s:%d: %s", file, line, what);
}

void print_gprs(const struct guest_regs *r)
{
    printk(LOG_ERR, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
    printk(LOG_ERR, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
    printk(LOG_ERR, "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
    printk(LOG_ERR, "r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
}

void panic_trap(const struct guest_regs *r, uint64_t fault_va)
{
    panic_begin();
    printk(LOG_ERR, "panic: exception %u in the hypervisor, error code %x, address %016lx",
           r->vector, r->error_code, fault_va);
    print_place("rip", r->rip);
    printk(LOG_ERR, "cs %04lx ss %04lx rflags %016lx rsp %016lx cr3 %016lx", r->cs, r->ss,
           r->rflags, r->rsp, read_cr3());
    print_gprs(r);
    panic_end(r->rbp);
}
