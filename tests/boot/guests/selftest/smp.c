/* SPDX-License-Identifier: MIT */
/* A second vCPU: how it is made, that its state stays apart from the first one's, how it stops. */
#include "selftest.h"

enum order { ORDER_NONE, ORDER_XMM, ORDER_BASES, ORDER_STORE, ORDER_DOWN, ORDER_POLL };

#define SECOND            1
#define RUNSTATE_RUNNABLE 1
#define RUNSTATE_OFFLINE  3

extern const uint8_t second_start[], second_nmi[];
extern volatile uint64_t nmi_count, second_rdi, second_rflags;
void second_main(void);

static uint8_t stack[8192] pv_aligned(16);
static volatile enum order order;
static volatile uint64_t fs_seen, gs_seen, watched, came_back;
static uint64_t fs_word = 0xf5, gs_word = 0x65;
static unsigned poll_port;

__asm__(".text\n"
        "second_start: mov %rdi, second_rdi(%rip); pushfq; popq second_rflags(%rip)\n"
        "    call second_main\n"
        "second_nmi: lock incq nmi_count(%rip)\n"
        "    pop %rcx; pop %r11; push $0; push %rcx; push %r11; push %rax\n"
        "    mov $23, %eax; syscall\n"
        ".bss\n.balign 8\nnmi_count: .skip 8\nsecond_rdi: .skip 8\nsecond_rflags: .skip 8\n"
        ".previous");

static void go_down(void)
{
    static struct multicall_entry calls[40];

    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
        calls[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    calls[0] =
        (struct multicall_entry){.op = __HYPERVISOR_vcpu_op, .args = {VCPUOP_down, SECOND, 0}};
    order = ORDER_NONE;
    pv_multicall(calls, ARRAY_SIZE(calls));
    came_back++;
}

static void poll_for_port(void)
{
    evtchn_port_t port = poll_port;
    struct sched_poll poll = {.nr_ports = 1, .ports = (uint64_t)&port};

    pv_sched_op(SCHEDOP_poll, &poll);
}

static void obey(void)
{
    uint64_t seen;

    switch (order) {
    case ORDER_XMM:
        __asm__ volatile("pcmpeqd %%xmm7, %%xmm7; movdqa %%xmm7, %%xmm15" ::: "memory");
        break;
    case ORDER_BASES:
        __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
        fs_seen = seen;
        __asm__ volatile("mov %%gs:0, %0" : "=r"(seen));
        gs_seen = seen;
        break;
    case ORDER_STORE:
        watched = 7; /* the first vCPU's breakpoint is not ours */
        break;
    case ORDER_DOWN:
        go_down();
        break;
    case ORDER_POLL:
        poll_for_port();
        break;
    default:
        break;
    }
}

void second_main(void)
{
    for (;;) {
        while (!order)
            pv_sched_op(SCHEDOP_yield, NULL);
        obey();
        order = ORDER_NONE;
    }
}

static void let_others_run(void)
{
    for (unsigned i = 0; i < 100; i++)
        pv_sched_op(SCHEDOP_yield, NULL);
}

static void command(enum order o)
{
    order = o;
    while (order)
        pv_sched_op(SCHEDOP_yield, NULL);
}

static struct vcpu_guest_context context;

static void check_making(void)
{
    struct vcpu_guest_context *c = &context;

    CHECK_EQ("not up yet", pv_vcpu_op(VCPUOP_is_up, SECOND, NULL), 0);
    CHECK_EQ("no third one", pv_vcpu_op(VCPUOP_is_up, 2, NULL), -XEN_ENOENT);
    CHECK_REFUSED("up without a context", pv_vcpu_op(VCPUOP_up, SECOND, NULL));
    c->flags = VGCF_in_kernel;
    c->user_regs.rip = (uint64_t)second_start;
    c->user_regs.rsp = (uint64_t)stack + sizeof(stack);
    c->user_regs.rflags = 0x1000; /* IOPL 1, as Linux has it */
    c->user_regs.cs = PV_KERNEL_CS;
    c->user_regs.ss = PV_SS;
    c->user_regs.rdi = 0x5ec0;
    c->trap_ctxt[2] =
        (struct trap_info){.vector = 2, .flags = 4, .cs = PV_CS64, .address = (uint64_t)second_nmi};
    c->kernel_ss = PV_SS;
    c->kernel_sp = c->user_regs.rsp;
    c->fs_base = (uint64_t)&fs_word;
    c->gs_base_kernel = (uint64_t)&gs_word;
    CHECK_REFUSED("context without a root", pv_vcpu_op(VCPUOP_initialise, SECOND, c));
    c->ctrlreg[3] = pv_va_to_mfn(pv_table(0, 4)) << PAGE_SHIFT;
    c->user_regs.rip = 0x0000800000000000ul;
    CHECK_OURS("context with a RIP that is none",
               pv_vcpu_op(VCPUOP_initialise, SECOND, c) == -XEN_EINVAL);
    c->user_regs.rip = (uint64_t)second_start;
    CHECK_OK("context", pv_vcpu_op(VCPUOP_initialise, SECOND, c));
    CHECK_EQ("a second one", pv_vcpu_op(VCPUOP_initialise, SECOND, c), -XEN_EEXIST);
    let_others_run();
    CHECK_EQ("does not run before it is up", second_rdi, 0);
    CHECK_OK("up", pv_vcpu_op(VCPUOP_up, SECOND, NULL));
    CHECK_EQ("is up", pv_vcpu_op(VCPUOP_is_up, SECOND, NULL), 1);
    command(ORDER_BASES);
    CHECK_EQ("its registers", second_rdi, 0x5ec0);
    CHECK_EQ("its flags: IF, no IOPL", second_rflags & 0x3200, 0x200);
    CHECK_EQ("its FS base", fs_seen, 0xf5);
    CHECK_EQ("its GS base", gs_seen, 0x65);
}

/* Neither has ever set XCR0: SSE works without. */
static void check_extended_state(void)
{
    static const uint64_t mine[2] pv_aligned(16) = {0x0123456789abcdef, 0xfedcba9876543210};
    uint64_t seen[2] pv_aligned(16) = {0}, other[2] pv_aligned(16) = {0};

    __asm__ volatile("movdqa %0, %%xmm7; pxor %%xmm15, %%xmm15" ::"m"(mine));
    command(ORDER_XMM);
    __asm__ volatile("movdqa %%xmm7, %0" : "=m"(seen));
    __asm__ volatile("movdqa %%xmm15, %0" : "=m"(other));
    CHECK("XMM registers kept", seen[0] == mine[0] && seen[1] == mine[1]);
    CHECK_EQ("and not the other vCPU's", other[0] | other[1], 0);
}

static void check_debug_registers(void)
{
    pv_set_debugreg(0, (uint64_t)&watched);
    pv_set_debugreg(7, 0x90001);
    command(ORDER_STORE);
    CHECK_EQ("no breakpoint of the other vCPU's", watched, 7);
    pv_set_debugreg(7, 0);
}

static unsigned fs_selector(void)
{
    unsigned sel;

    __asm__ volatile("mov %%fs, %0" : "=r"(sel));
    return sel;
}

static volatile unsigned failsafes;
static void on_failsafe(struct pv_regs *r)
{
    (void)r;
    failsafes++;
}

/* After SET_LDT the pages are mapped anew when they are used, if need be by the switch to us. */
static void check_ldt(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg2.nr_ents = 512};
    uint64_t *ldt = pv_page_alloc();

    ldt[1] = 0x00cff3000000fffful;
    pv_set_readonly(ldt, true);
    op.arg1.linear_addr = (uint64_t)ldt;
    CHECK_OK("LDT", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    __asm__ volatile("mov %0, %%fs" ::"r"(1 << 3 | 7));
    pv_trap_set(PV_TRAP_FAILSAFE, on_failsafe);
    CHECK_OK("LDT once more", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    command(ORDER_BASES);
    CHECK_EQ("selector survives the switch", fs_selector(), 1 << 3 | 7);
    CHECK_EQ("without a failsafe callback", failsafes, 0);
    CHECK_EQ("the other's FS base, too", fs_seen, 0xf5);
    op.arg2.nr_ents = 0;
    CHECK_OK("LDT removed", pv_mmuext_op(&op, 1, NULL, DOMID_SELF));
    command(ORDER_BASES); /* FS still holds what the LDT no longer has */
    pv_trap_set(PV_TRAP_FAILSAFE, NULL);
    CHECK_EQ("failsafe callback for a selector that is gone", failsafes, 1);
    CHECK_EQ("which its frame tells", pv_failsafe_selectors[2], 1 << 3 | 7);
    CHECK_EQ("NUL is loaded", fs_selector(), 0);
    pv_events_off();
    pv_set_readonly(ldt, false);
}

static void check_nmi(void)
{
    CHECK_OK("send_nmi", pv_vcpu_op(VCPUOP_send_nmi, SECOND, NULL));
    command(ORDER_BASES);
    CHECK_EQ("NMI delivered", nmi_count, 1);
    CHECK_OK("send_nmi", pv_vcpu_op(VCPUOP_send_nmi, SECOND, NULL));
    command(ORDER_BASES);
    CHECK_EQ("and again after its iret", nmi_count, 2);
}

static long runstate_of(unsigned vcpu)
{
    struct vcpu_runstate_info info = {.state = -1};

    pv_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info);
    return info.state;
}

static void check_poll(void)
{
    struct evtchn_bind_ipi ipi = {.vcpu = SECOND};

    CHECK_OK("bind_ipi for the other", pv_event_channel_op(EVTCHNOP_bind_ipi, &ipi));
    poll_port = ipi.port;
    pv_event_mask(poll_port);
    order = ORDER_POLL;
    let_others_run();
    CHECK_EQ("polls", order, ORDER_POLL);
    CHECK_EQ("is blocked", runstate_of(SECOND), 2);
    pv_event_send(poll_port);
    let_others_run();
    CHECK_EQ("wakes by the masked port", order, ORDER_NONE);
    pv_event_clear(poll_port);
    order = ORDER_POLL;
    let_others_run();
    CHECK_OK("down while it polls", pv_vcpu_op(VCPUOP_down, SECOND, NULL));
    let_others_run();
    pv_event_send(poll_port);
    let_others_run();
    CHECK_EQ("does not come back", order, ORDER_POLL);
    CHECK_OK("up again", pv_vcpu_op(VCPUOP_up, SECOND, NULL));
    let_others_run();
    CHECK_EQ("comes back", order, ORDER_NONE);
    pv_event_close(poll_port);
}

static void check_down(void)
{
    CHECK_EQ("waits for its turn", runstate_of(SECOND), RUNSTATE_RUNNABLE);
    command(ORDER_DOWN);
    let_others_run();
    CHECK_EQ("down", pv_vcpu_op(VCPUOP_is_up, SECOND, NULL), 0);
    CHECK_EQ("runs no more", came_back, 0);
    CHECK_EQ("runstate: offline", runstate_of(SECOND), RUNSTATE_OFFLINE);
    CHECK_OK("up again", pv_vcpu_op(VCPUOP_up, SECOND, NULL));
    command(ORDER_BASES);
    CHECK_EQ("goes on after the call", came_back, 1);
    CHECK_OK("down by the other", pv_vcpu_op(VCPUOP_down, SECOND, NULL));
    let_others_run();
    CHECK_EQ("offline", runstate_of(SECOND), RUNSTATE_OFFLINE);
}

void test_smp(void)
{
    check_making();
    check_extended_state();
    check_debug_registers();
    check_ldt();
    check_nmi();
    check_poll();
    check_down();
}
