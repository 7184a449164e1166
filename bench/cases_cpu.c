/* SPDX-License-Identifier: MIT */
/* Entry, exceptions, events, scheduling: operations that change the virtual CPU only. The two
 * handlers here do the least a kernel could, so that the figures are the hypervisor's. */
#include "bench.h"
#include <pvguest/event.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

#define UNMAPPED_VA 0x0000200000000000ul
#define OPS 256

/* #PF: past the three-byte load at RIP. Event: upcall flag, selector word and port cleared. Both
 * turn the bounce frame into the iret hypercall's. */
__asm__(".text\n"
        ".balign 16\n"
        "bench_pf_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  movq $0, (%rsp)\n"
        "  addq $3, 8(%rsp)\n"
        "  push %rcx\n"
        "  push %r11\n"
        "  push %rax\n"
        "  jmp pv_iret\n"
        ".balign 16\n"
        "bench_event_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  push $0\n"
        "  push %rcx\n"
        "  push %r11\n"
        "  push %rax\n"
        "  mov bench_upcall_pending, %rax\n"
        "  movb $0, (%rax)\n"
        "  mov bench_selector, %rax\n"
        "  movq $0, (%rax)\n"
        "  mov bench_pending_word, %rax\n"
        "  movq $0, (%rax)\n"
        "  jmp pv_iret\n");

extern uint8_t bench_pf_entry[], bench_event_entry[];
extern void *bench_upcall_pending, *bench_selector, *bench_pending_word;
void *bench_upcall_pending, *bench_selector, *bench_pending_word;

static void bench_calls(void)
{
    struct sched_shutdown unused = {.reason = 0};

    BENCH("null", OPS, CALL2(xen_version, XENVER_version, NULL));
    BENCH("set_segment_base", OPS, CALL2(set_segment_base, SEGBASE_FS, 0));
    BENCH("stack_switch", OPS, CALL2(stack_switch, PV_SS, (uint64_t)&unused));
    BENCH("yield", OPS, CALL2(sched_op, SCHEDOP_yield, NULL));
}

static void bench_page_fault(void)
{
    struct trap_info table[2] = {
        {.vector = 14, .flags = 4, .cs = PV_CS64, .address = (uint64_t)bench_pf_entry}};

    bench_check("trap table", pv_set_trap_table(table));
    BENCH("page_fault", OPS,
          __asm__ volatile("mov (%0), %%rax" ::"D"(UNMAPPED_VA) : "rax", "rcx", "r11", "memory"));
    pv_trap_init();
}

static void bench_events(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_event,
                                   .address = (uint64_t)bench_event_entry};
    struct vcpu_info *v = pv_vcpu_info;
    long port = pv_event_bind_ipi();
    struct evtchn_send send = {.port = port};
    volatile unsigned long *pending;

    bench_check("bind_ipi", port);
    bench_check("event callback", pv_callback_op(CALLBACKOP_register, &cb));
    pending = (unsigned long *)&pv_shared_info->evtchn_pending[port / 64];
    bench_upcall_pending = &v->evtchn_upcall_pending;
    bench_selector = &v->evtchn_pending_sel;
    bench_pending_word = (void *)pending;
    /* Masked for the whole vCPU, the selector still set from before: only the port's bit moves. */
    pv_events_off();
    pv_event_unmask(port);
    BENCH("event_masked", OPS, {
        CALL2(event_channel_op, EVTCHNOP_send, &send);
        *pending = 0;
    });
    pv_events_on();
    BENCH("event_upcall", OPS, CALL2(event_channel_op, EVTCHNOP_send, &send));
    pv_events_off();
    pv_trap_init();
}

void bench_cpu(void)
{
    bench_calls();
    bench_page_fault();
    bench_events();
}
