/* SPDX-License-Identifier: MIT */
/* Events to self: only marked, delivered one by one, and many notifications for one upcall. */
#include "bench.h"
#include <pvguest/event.h>
#include <pvguest/start.h>
#include <pvguest/trap.h>

#define OPS 256

/* Clears upcall flag, selector word and port, and returns. */
__asm__(".text\n"
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

extern uint8_t bench_event_entry[];
extern void *bench_upcall_pending, *bench_selector, *bench_pending_word;
void *bench_upcall_pending, *bench_selector, *bench_pending_word;

static struct evtchn_send send;

static void bench_single(void)
{
    volatile unsigned long *pending = bench_pending_word;

    /* Masked for the whole vCPU, the selector still set from before: only the port's bit moves. */
    pv_events_off();
    BENCH("event_masked", OPS, {
        CALL2(event_channel_op, EVTCHNOP_send, &send);
        *pending = 0;
    });
    pv_events_on();
    BENCH("event_upcall", OPS, CALL2(event_channel_op, EVTCHNOP_send, &send));
}

/* Per notification: `batch` of them find upcalls masked; the one upcall comes when they end. */
static void bench_coalesced(unsigned batch)
{
    BENCH_BATCH("event_coalesced", batch, OPS, batch, {
        pv_events_off();
        for (unsigned n = 0; n < batch; n++)
            CALL2(event_channel_op, EVTCHNOP_send, &send);
        pv_events_on();
    });
}

void bench_events(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_event,
                                   .address = (uint64_t)bench_event_entry};
    struct vcpu_info *v = pv_vcpu_info;
    long port = pv_event_bind_ipi();

    bench_check("bind_ipi", port);
    bench_check("event callback", pv_callback_op(CALLBACKOP_register, &cb));
    send.port = port;
    bench_upcall_pending = &v->evtchn_upcall_pending;
    bench_selector = &v->evtchn_pending_sel;
    bench_pending_word = (void *)&pv_shared_info->evtchn_pending[port / 64];
    pv_events_off();
    pv_event_unmask(port);
    bench_single();
    for (unsigned batch = 1; batch <= 64; batch *= 2)
        bench_coalesced(batch);
    pv_events_off();
    pv_trap_init();
}
