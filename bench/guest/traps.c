/* SPDX-License-Identifier: MIT */
/* Calls that change the virtual CPU only, exceptions, and system calls from user mode. The handlers
 * here do the least a kernel could, so that the figures are the hypervisor's. */
#include "bench.h"
#include <pvguest/start.h>
#include <pvguest/trap.h>
#include <pvguest/user.h>

#define UNMAPPED_VA      0x0000200000000000ul
#define NON_CANONICAL_VA 0x8000000000000000ul
#define OPS              256

/* Each turns its bounce frame into the iret hypercall's. With an error code: RIP moves past the
 * three-byte load. #UD: past UD2. #BP: RIP is right. SYSCALL: back by the short way. */
__asm__(".text\n"
        ".macro bench_return flags\n"
        "  push $\\flags\n"
        "  push %rcx\n"
        "  push %r11\n"
        "  push %rax\n"
        "  jmp pv_iret\n"
        ".endm\n"
        ".balign 16\n"
        "bench_error_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  addq $3, 8(%rsp)\n"
        "  movq $0, (%rsp)\n"
        "  push %rcx\n"
        "  push %r11\n"
        "  push %rax\n"
        "  jmp pv_iret\n"
        ".balign 16\n"
        "bench_ud_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  addq $2, (%rsp)\n"
        "  bench_return 0\n"
        ".balign 16\n"
        "bench_bp_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  bench_return 0\n"
        ".balign 16\n"
        "bench_syscall_entry:\n"
        "  pop %rcx\n"
        "  pop %r11\n"
        "  bench_return 256\n" /* VGCF_in_syscall */
        /* Runs in user mode: 256 system calls, their cost in RAX, then an exception. */
        "bench_user_code:\n"
        "  rdtsc\n"
        "  shl $32, %rdx\n"
        "  or %rdx, %rax\n"
        "  mov %rax, %r12\n"
        "  mov $256, %ebx\n"
        "1:\n"
        "  syscall\n"
        "  dec %ebx\n"
        "  jnz 1b\n"
        "  rdtsc\n"
        "  shl $32, %rdx\n"
        "  or %rdx, %rax\n"
        "  sub %r12, %rax\n"
        "  ud2\n"
        "bench_user_code_end:\n");

extern uint8_t bench_error_entry[], bench_ud_entry[], bench_bp_entry[], bench_syscall_entry[];
extern uint8_t bench_user_code[], bench_user_code_end[];

void bench_calls(void)
{
    struct sched_shutdown unused = {.reason = 0};

    BENCH("null", OPS, CALL2(xen_version, XENVER_version, NULL));
    BENCH("set_segment_base", OPS, CALL2(set_segment_base, SEGBASE_FS, 0));
    BENCH("stack_switch", OPS, CALL2(stack_switch, PV_SS, (uint64_t)&unused));
    BENCH("fpu_taskswitch", OPS, CALL1(fpu_taskswitch, 1));
    pv_fpu_taskswitch(false);
    BENCH("yield", OPS, CALL2(sched_op, SCHEDOP_yield, NULL));
}

static void bench_exceptions(void)
{
    struct trap_info table[] = {
        {.vector = 3, .flags = 4, .cs = PV_CS64, .address = (uint64_t)bench_bp_entry},
        {.vector = 6, .flags = 4, .cs = PV_CS64, .address = (uint64_t)bench_ud_entry},
        {.vector = 13, .flags = 4, .cs = PV_CS64, .address = (uint64_t)bench_error_entry},
        {.vector = 14, .flags = 4, .cs = PV_CS64, .address = (uint64_t)bench_error_entry},
        {.address = 0}};

    bench_check("trap table", pv_set_trap_table(table));
    BENCH("page_fault", OPS,
          __asm__ volatile("mov (%0), %%rax" ::"D"(UNMAPPED_VA)
                           : "rax", "rcx", "r11", "memory"));
    BENCH("exception_ud", OPS, __asm__ volatile("ud2" ::: "rax", "rcx", "r11", "memory"));
    BENCH("exception_bp", OPS, __asm__ volatile("int3" ::: "rax", "rcx", "r11", "memory"));
    BENCH("exception_gp", OPS,
          __asm__ volatile("mov (%0), %%rax" ::"D"(NON_CANONICAL_VA)
                           : "rax", "rcx", "r11", "memory"));
    pv_trap_init();
}

static void bench_syscall(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_syscall,
                                   .flags = CALLBACKF_mask_events,
                                   .address = (uint64_t)bench_syscall_entry};
    static struct bench_clock c;
    struct pv_fault f;

    bench_check("user mode", pv_user_init());
    bench_check("syscall callback", pv_callback_op(CALLBACKOP_register, &cb));
    while (c.rounds < bench_rounds) {
        pv_user_run(bench_user_code, bench_user_code_end - bench_user_code, NULL, &f);
        bench_check("user mode ran", f.vector == 6 ? 0 : -XEN_EINVAL);
        c.samples[c.rounds++] = f.regs.rax;
    }
    bench_report("syscall", 0, &c, OPS);
    pv_trap_init();
}

void bench_traps(void)
{
    bench_exceptions();
    bench_syscall();
}
