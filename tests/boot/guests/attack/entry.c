/* SPDX-License-Identifier: MIT */
/* R23: ways in and out of the hypervisor with registers, selectors, flags and stacks it must not
 * trust. What the hardware would fault on in ring 0 must come back to us or end us. */
#include "attack.h"
#include <pvguest/user.h>

struct iret_frame {
    uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

static void iret(const struct iret_frame *f)
{
    __asm__ volatile("mov %0, %%rsp; mov %1, %%eax; syscall" ::"r"(f), "i"(__HYPERVISOR_iret)
                     : "memory");
    __builtin_unreachable();
}

static uint8_t spare_stack[PAGE_SIZE] pv_aligned(16);

static struct iret_frame good_frame(void (*to)(void))
{
    return (struct iret_frame){.rip = (uint64_t)to,
                               .cs = PV_KERNEL_CS,
                               .rflags = 0x202,
                               .rsp = (uint64_t)spare_stack + sizeof(spare_stack) - 8,
                               .ss = PV_SS};
}

static uint64_t landed_flags;
static void landing(void)
{
    __asm__ volatile("pushfq; popq %0; ud2" : "=m"(landed_flags));
    __builtin_unreachable();
}

/* Returns the vector with which control came back; landing() itself ends in #UD. */
static int iret_with(struct iret_frame frame)
{
    struct pv_fault f;

    PV_TRY(&f) iret(&frame);
    return f.vector;
}

static const uint64_t bad_addresses[] = {
    0x0000800000000000ul, 0xffff7fffffffffff, 0x8000000000000000ul, HV_TEXT_VA, HV_INSIDE_VA, 0,
    0x00007ffffffffffful,
};

static void bad_returns(void)
{
    static const uint64_t selectors[] = {0,      3,      0xe008, 0xe00b, 0xe010, 0xe013, 0xe040,
                                         0xe043, 0xfff8, 0xffff, 0x0007, 0xe027, 0xe050};
    struct iret_frame f;

    for (unsigned i = 0; i < ARRAY_SIZE(bad_addresses); i++) {
        f = good_frame(landing);
        f.rip = bad_addresses[i];
        stopped("iret to a bad RIP", iret_with(f));
        f.rcx = bad_addresses[i];
        f.flags = 0x100; /* asks for the SYSRET way */
        stopped("iret to a bad RIP, in_syscall", iret_with(f));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(selectors); i++) {
        f = good_frame(landing);
        f.cs = selectors[i] & ~3ul;
        stopped("iret with a bad CS", iret_with(f));
        f = good_frame(landing);
        f.ss = selectors[i];
        stopped("iret with a bad SS", iret_with(f));
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        f = good_frame(landing);
        f.rflags |= 1ul << bit;
        stopped("iret with a flag", iret_with(f));
        f.flags = 0x100;
        stopped("iret with a flag, in_syscall", iret_with(f));
    }
    f = good_frame(landing);
    f.rflags = 0x3002 | 1 << 17; /* IOPL 3, VM, no IF */
    stopped("iret with IOPL and VM", iret_with(f));
    holds("interrupts stay on, IOPL 0",
          (landed_flags & 0x200) && !(landed_flags & (0x3000 | 1 << 17)));
}

static void bad_jumps(void)
{
    struct pv_fault f;

    for (unsigned i = 0; i < ARRAY_SIZE(bad_addresses); i++)
        stopped("call to a bad address", pv_try_exec(bad_addresses[i]));
    for (unsigned sel = 0; sel < 0x10000; sel += sel < 0xe000 ? 0x1003 : 1) {
        if (sel >= 0xe060)
            break;
        PV_TRY(&f) __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs" ::"r"(sel));
        PV_TRY(&f) pv_xen_version(0, NULL);
        PV_TRY(&f) __asm__ volatile("mov %0, %%ss" ::"r"(sel));
        holds("segment registers full of junk", true);
    }
    PV_TRY(&f)
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs; mov %1, "
                     "%%ss" ::"r"(0),
                     "r"(PV_SS));
    for (unsigned v = 0; v < 3; v++) {
        static const uint8_t gates[] = {2, 8, 14};
        static uint8_t code[8];

        code[0] = 0xcd;
        code[1] = gates[v];
        code[2] = 0xc3;
        stopped("INT n of a hypervisor gate", pv_try_exec((uint64_t)code));
    }
    stopped("far return to the hypervisor's CS", ({
                PV_TRY(&f) __asm__ volatile("pushq $0xe008; push %0; lretq" ::"r"(HV_TEXT_VA));
                f.vector;
            }));
}

/* SYSCALL as the last instruction below the hole leaves a non-canonical return address. */
static void syscall_at_the_edge(void)
{
    const uint64_t edge = 0x00007ffffffff000ul;
    uint8_t *page = pv_page_alloc();
    struct pv_fault f;

    memset(page, 0xc3, PAGE_SIZE);
    page[PAGE_SIZE - 2] = 0x0f;
    page[PAGE_SIZE - 1] = 0x05;
    if (!pv_make_l1(edge) ||
        pv_update_va_mapping(edge, pv_pte(pv_va_to_mfn(page), PTE_KERNEL), UVMF_INVLPG)) {
        holds("the last page cannot be mapped", true);
        return;
    }
    PV_TRY(&f)
    __asm__ volatile("call *%1" ::"a"(__HYPERVISOR_xen_version), "r"(edge + PAGE_SIZE - 2), "D"(0),
                     "S"(0)
                     : "rcx", "r11", "memory");
    stopped("SYSCALL at the edge", f.vector);
}

static void flags_at_entry(void)
{
    struct pv_fault f;

    for (unsigned bit = 0; bit < 22; bit++) {
        if (bit == 9)
            continue;
        PV_TRY(&f)
        __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; mov $17, %%eax; xor %%edi, "
                         "%%edi; xor %%esi, %%esi; syscall; pushfq; andq %1, (%%rsp); "
                         "popfq" ::"r"(1ul << bit),
                         "r"(~(1ul << bit))
                         : "rax", "rcx", "r11", "rdi", "rsi", "memory", "cc");
        holds("hypercall with a flag set", true);
        PV_TRY(&f)
        __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; ud2" ::"r"(1ul << bit) : "memory", "cc");
        stopped("exception with a flag set", f.vector);
        holds("flags of the handler are clean", true);
    }
    pv_xen_version(0, NULL);
}

/* A breakpoint on the operand of a stack-segment load strikes after the next instruction. */
static void late_breakpoint(void)
{
    static uint64_t ss = PV_SS;
    struct pv_fault f;

    pv_set_debugreg(0, (uint64_t)&ss);
    pv_set_debugreg(7, 0x30001 | 1 << 8);
    PV_TRY(&f)
    __asm__ volatile("mov %0, %%ss; syscall" ::"m"(ss), "a"(__HYPERVISOR_xen_version), "D"(0),
                     "S"(0)
                     : "rcx", "r11", "memory");
    holds("breakpoint over SYSCALL", true);
    PV_TRY(&f) __asm__ volatile("mov %0, %%ss; int3" ::"m"(ss) : "memory");
    stopped("breakpoint over INT3", f.vector);
    PV_TRY(&f) __asm__ volatile("mov %0, %%ss; int $0x80" ::"m"(ss) : "memory");
    stopped("breakpoint over INT 80", f.vector);
    pv_set_debugreg(7, 0);
}

static unsigned strikes;
static void on_debug(struct pv_regs *r)
{
    strikes++;
    r->rflags &= ~0x100ul;
}

static void watch(const volatile void *what)
{
    pv_set_debugreg(0, (uint64_t)what & ~7ul);
    pv_set_debugreg(7, 0xb0001); /* eight bytes, reads and writes */
}

/* What the hypervisor reads or writes for us strikes a breakpoint of ours in ring 0. */
static void watched_operands(void)
{
    static struct multicall_entry call[2];
    static struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    static struct evtchn_close shut;
    static struct vcpu_runstate_info area, info;
    static char text[64] pv_aligned(8);
    static uint64_t word pv_aligned(8);
    struct vcpu_register_runstate_memory_area where = {.addr.p = (uint64_t)&area};
    struct sched_poll poll = {.timeout = 1};
    static struct iret_frame frame;
    struct pv_fault f;

    pv_trap_set(1, on_debug);
    watch(&op);
    refused("port for a reply that is watched",
            pv_event_channel_op(EVTCHNOP_alloc_unbound, &op) ? -1 : -(long)op.port);
    shut.port = op.port;
    watch(&shut);
    pv_event_channel_op(EVTCHNOP_close, &shut);
    memset(text, '\n', sizeof(text));
    watch(text + 24);
    pv_console_io(CONSOLEIO_write, 2, text + 30);
    pv_xen_version(XENVER_extraversion, text + 19);
    watch(&word);
    *(volatile uint64_t *)&word = 1;
    pv_get_debugreg(6);
    call[0].op = call[1].op = __HYPERVISOR_xen_version;
    watch(&call[1].result);
    pv_multicall(call, 2);
    watch(&info.time[1]);
    pv_vcpu_op(VCPUOP_get_runstate_info, 0, &info);
    watch(&area.time[2]);
    pv_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &where);
    pv_sched_op(SCHEDOP_poll, &poll);
    holds("operands of calls", true);
    frame = good_frame(landing);
    watch(&frame.rflags);
    PV_TRY(&f) iret(&frame);
    stopped("frame of iret", f.vector);
    watch(spare_stack + sizeof(spare_stack) - 32);
    PV_TRY(&f)
    __asm__ volatile("mov %0, %%rsp; ud2" ::"r"(spare_stack + sizeof(spare_stack)) : "memory");
    stopped("bounce frame", f.vector);
    pv_set_debugreg(7, 0);
    pv_trap_set(1, NULL);
    holds("breakpoints on our own accesses work all the same", strikes > 0);
}

static void entries_and_exits(void)
{
    bad_returns();
    bad_jumps();
    syscall_at_the_edge();
    flags_at_entry();
    late_breakpoint();
    watched_operands();
}

static uint64_t one_of(const uint64_t *list, unsigned count)
{
    uint64_t r = attack_random() >> 8;

    return r & 7 ? list[(r >> 3) % count] : attack_random();
}

/* Every entry of user mode, from frames full of junk: each ends in some exception of ours. */
static void random_returns(void)
{
    static const uint8_t code[] = {
        0x0f, 0x05,             /* syscall */
        0x0f, 0x0b,             /* ud2 */
        0xcd, 0x80, 0xcd, 0x0e, /* int $0x80, int $14 */
        0xf1, 0xcc, 0xcf, 0xf4, /* int1, int3, iret, hlt */
        0x0f, 0x34, 0xcb, 0x9d, /* sysenter, far return, popf */
        0x8e, 0xd0, 0xcd, 0x80, /* mov %eax, %ss; int $0x80 */
        0x8e, 0xe8, 0x8e, 0xd8, /* mov %eax, %gs; mov %eax, %ds */
        0x0f, 0x07, 0x0f, 0x01, /* sysret; swapgs */
        0xf8, 0x0f, 0x0b,
    };
    static const uint64_t selectors[] = {0xe033, 0xe033, 0xe02b, 0xe02b, 0xe023, 0xe008,
                                         0xe010, 0xe040, 0xe050, 0,      3,      4,
                                         7,      0x33,   0xe07b, 0xffff};
    static const uint64_t addresses[] = {
        PV_USER_CODE, PV_USER_CODE + 4, PV_USER_STACK, NONCANON_VA, NONCANON_VA - 1,
        HV_TEXT_VA,   HV_M2P_VA,        HV_INSIDE_VA,  0,           PV_VIRT_BASE};
    struct pv_fault f;
    unsigned n;

    holds("user root", !pv_user_init());
    pv_user_run(code, sizeof(code), NULL, &f);
    for (n = 0; n < 20000; n++) {
        struct pv_regs r;
        uint64_t bits = attack_random();

        for (unsigned i = 0; i < sizeof(r) / 8; i++)
            ((uint64_t *)&r)[i] = one_of(addresses, ARRAY_SIZE(addresses));
        r.rip = bits & 3 ? PV_USER_CODE + (bits >> 8) % sizeof(code)
                         : one_of(addresses, ARRAY_SIZE(addresses));
        r.rax = one_of(selectors, ARRAY_SIZE(selectors));
        r.cs = (bits & 12 ? PV_CS64 : one_of(selectors, ARRAY_SIZE(selectors))) | 3;
        r.ss = bits & 48 ? PV_SS : one_of(selectors, ARRAY_SIZE(selectors));
        r.rsp = bits & 64 ? PV_USER_STACK : one_of(addresses, ARRAY_SIZE(addresses));
        r.rflags = bits >> 32 | 2;
        PV_TRY(&f) pv_resume(&r);
        pv_store(&pv_vcpu_info->evtchn_upcall_mask, 1);
        if (f.vector < 0)
            break;
    }
    holds("all came back by an exception", n == 20000);
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" ::"r"(0));
}

/* A bounce frame needs a stack: these have none, and no handler can ever run. */
static void fault_on_stack(uint64_t rsp)
{
    __asm__ volatile("mov %0, %%rsp; ud2" ::"r"(rsp) : "memory");
}

static void stack_in_hypervisor(void)
{
    fault_on_stack(HV_INSIDE_VA + 0x1000);
}
static void stack_in_m2p(void)
{
    fault_on_stack(HV_M2P_VA + 0x1000);
}
static void stack_below_hole(void)
{
    fault_on_stack(NONCANON_VA + 0x10);
}
static void stack_above_hole(void)
{
    fault_on_stack(0xffff880000000008ul); /* the frame would begin inside */
}
static void stack_on_table(void)
{
    fault_on_stack((uint64_t)pv_table(0, 4) + 0x800);
}
static void stack_unmapped(void)
{
    fault_on_stack(0x0000700000000000ul);
}
static void iret_from_nowhere(void)
{
    iret((struct iret_frame *)HV_INSIDE_VA);
}
static void user_without_root(void)
{
    struct iret_frame f = good_frame(landing);

    f.cs = PV_CS64;
    iret(&f);
}
static void no_handlers(void)
{
    pv_set_trap_table(NULL);
    __asm__ volatile("ud2");
}
static void handler_in_hypervisor(void)
{
    struct trap_info t[2] = {{.vector = 6, .cs = PV_CS64, .address = HV_TEXT_VA},
                             {.vector = 14, .cs = PV_CS64, .address = HV_TEXT_VA}};

    pv_set_trap_table(t);
    t[0].vector = 13;
    pv_set_trap_table(t);
    __asm__ volatile("ud2");
}

const struct attack entry_attacks[] = {
    {"r23", "bad returns, jumps, flags and selectors", entries_and_exits, ATTACK_SURVIVES},
    {"r23k", "random returns to user mode", random_returns, ATTACK_SURVIVES},
    {"r23a", "bounce frame into the hypervisor", stack_in_hypervisor, ATTACK_CRASHES},
    {"r23b", "bounce frame into the M2P", stack_in_m2p, ATTACK_CRASHES},
    {"r23c", "bounce frame at a non-canonical address", stack_below_hole, ATTACK_CRASHES},
    {"r23d", "bounce frame across the hypervisor's end", stack_above_hole, ATTACK_CRASHES},
    {"r23e", "bounce frame over a page table", stack_on_table, ATTACK_CRASHES},
    {"r23f", "bounce frame where nothing is mapped", stack_unmapped, ATTACK_CRASHES},
    {"r23g", "iret frame inside the hypervisor", iret_from_nowhere, ATTACK_CRASHES},
    {"r23h", "user mode without a user root", user_without_root, ATTACK_CRASHES},
    {"r23i", "exception without a handler", no_handlers, ATTACK_CRASHES},
    {"r23j", "handlers inside the hypervisor", handler_in_hypervisor, ATTACK_CRASHES},
    {.name = NULL},
};
