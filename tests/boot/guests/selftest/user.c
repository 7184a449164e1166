/* SPDX-License-Identifier: MIT */
/* User mode: the way down by iret, back up by SYSCALL, INT and faults, segment bases, events. */
#include "selftest.h"
#include "raw.h"
#include <pvguest/user.h>

#define CODE(name, text)                                                                           \
    extern const uint8_t name[], name##_end[];                                                     \
    __asm__(".section .rodata\n" #name ": " text "\n" #name "_end:\n.previous")

CODE(u_syscall, "mov $0x1234, %eax; syscall; hlt");
CODE(u_ud2, "nop; ud2");
CODE(u_int3, "int3");
CODE(u_int80, "int $0x80");
CODE(u_int20, "int $0x20");
CODE(u_read, "mov (%rdi), %rax; ud2");
CODE(u_write, "mov %rax, (%rdi); ud2");
CODE(u_gs, "mov %gs:0, %rax; mov %fs:0, %rbx; ud2");
CODE(u_hlt, "hlt");
CODE(u_spin, "1: incq %rbx; testb $1, (%rdi); jz 1b; ud2");
CODE(u_cs, "mov %cs, %eax; mov %ss, %ebx; pushfq; pop %rcx; ud2");

#define RUN(name, regs, f) pv_user_run(name, name##_end - name, regs, f)

static void check_syscall(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_syscall,
                                   .flags = CALLBACKF_mask_events,
                                   .address = (uint64_t)raw_entry};
    struct pv_regs r = {.rdi = 7, .rflags = 0x202 | 0x400};
    struct pv_fault f;

    raw_continue = pv_trap_stubs[PV_TRAP_SYSCALL];
    CHECK_OK("syscall callback", pv_callback_op(CALLBACKOP_register, &cb));
    RUN(u_syscall, &r, &f);
    CHECK_EQ("syscall bounces", f.vector, PV_TRAP_SYSCALL);
    CHECK_EQ("rax as in user mode", f.regs.rax, 0x1234);
    CHECK_EQ("rdi as in user mode", f.regs.rdi, 7);
    CHECK_EQ("frame: rip after the instruction", raw_frame[2], PV_USER_CODE + 7);
    CHECK_EQ("frame: rcx is that rip", raw_frame[0], PV_USER_CODE + 7);
    CHECK_EQ("frame: cs with RPL 3", raw_frame[3] & 0xffff, PV_CS64);
    CHECK_EQ("frame: IF on", raw_frame[4] & 0x200, 0x200);
    CHECK_EQ("frame: DF kept", raw_frame[4] & 0x400, 0x400);
    CHECK_EQ("frame: rsp", raw_frame[5], PV_USER_STACK);
    CHECK_EQ("frame: ss", raw_frame[6], PV_SS);
    CHECK_EQ("frame on the kernel stack", raw_rsp, pv_user_trap_stack() - 56);
    CHECK_EQ("handler: DF clear", raw_flags & 0x400, 0);
    CHECK_EQ("handler: events masked", raw_mask, 1);
    pv_trap_init();
}

static void check_exceptions(void)
{
    struct pv_regs r = {.rdi = 0x5000};
    struct pv_fault f;

    raw_install(6, 4);
    RUN(u_ud2, NULL, &f);
    CHECK_EQ("#UD from user mode", f.vector, 6);
    CHECK_EQ("its rip", f.regs.rip, PV_USER_CODE + 1);
    CHECK_EQ("its cs", f.regs.cs & 0xffff, PV_CS64);
    CHECK_EQ("its frame on the kernel stack", raw_rsp, pv_user_trap_stack() - 56);
    pv_trap_init();
    RUN(u_int3, NULL, &f);
    CHECK_EQ("INT3 from user mode", f.vector, 3);
    RUN(u_int80, NULL, &f);
    CHECK_EQ("INT 80 from user mode", f.vector, PV_TRAP_INT80);
    RUN(u_int20, NULL, &f);
    CHECK_EQ("INT 20 from user mode", f.vector, 13);
    RUN(u_hlt, NULL, &f);
    CHECK_EQ("HLT from user mode", f.vector, 13);
    RUN(u_read, &r, &f);
    CHECK_EQ("page fault from user mode", f.vector, 14);
    CHECK_EQ("its code has the user bit", f.regs.error, 4);
    CHECK_EQ("its cr2", f.cr2, 0x5000);
    r.rdi = (uint64_t)pv_start_info;
    RUN(u_write, &r, &f);
    CHECK_EQ("the kernel is not mapped", f.vector, 14);
    CHECK_EQ("write, not present, user", f.regs.error, 6);
    r.rdi = (uint64_t)pv_m2p;
    RUN(u_write, &r, &f);
    CHECK_EQ("the M2P cannot be written", f.vector, 14);
    RUN(u_cs, NULL, &f);
    CHECK_EQ("user cs", f.regs.rax, PV_CS64);
    CHECK_EQ("user ss", f.regs.rbx, PV_SS);
    CHECK_EQ("user flags: IF on, IOPL 0", f.regs.rcx & 0x3200, 0x200);
}

static void check_bases(void)
{
    static uint64_t kernel_word = 0x6b65726e;
    uint64_t *user = (uint64_t *)(PV_USER_STACK - PAGE_SIZE), seen;
    struct pv_fault f;

    user[0] = 0x67730000;
    user[1] = 0x66730000;
    CHECK_OK("kernel GS base", pv_set_segment_base(SEGBASE_GS_KERNEL, (uint64_t)&kernel_word));
    CHECK_OK("user GS base", pv_set_segment_base(SEGBASE_GS_USER, (uint64_t)&user[0]));
    CHECK_OK("FS base", pv_set_segment_base(SEGBASE_FS, (uint64_t)&user[1]));
    RUN(u_gs, NULL, &f);
    CHECK_EQ("user mode sees its GS", f.regs.rax, 0x67730000);
    CHECK_EQ("user mode sees FS", f.regs.rbx, 0x66730000);
    __asm__ volatile("mov %%gs:0, %0" : "=r"(seen));
    CHECK_EQ("kernel mode sees its own GS", seen, 0x6b65726e);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(seen));
    CHECK_EQ("FS is the same for both", seen, 0x66730000);
}

#define LOW_CODE 0x20000000ul /* where 32-bit code can be */

/* In compatibility mode, through the descriptors of the ABI. */
static void run32(const char *code, size_t size, struct pv_fault *f)
{
    struct pv_regs r = {.rip = LOW_CODE, .cs = 0xe023, .rflags = 0x202, .ss = PV_SS};

    r.rsp = LOW_CODE + PAGE_SIZE;
    memcpy((void *)LOW_CODE, code, size);
    PV_TRY(f) pv_resume(&r);
    pv_events_off();
}
#define RUN32(code, f) run32(code, sizeof(code) - 1, f)

static void check_compatibility_mode(void)
{
    struct callback_register cb = {.type = CALLBACKTYPE_syscall32,
                                   .flags = CALLBACKF_mask_events,
                                   .address = pv_trap_stubs[PV_TRAP_SYSCALL]};
    struct pv_fault f;

    RUN32("\x40\x8c\xc8\x0f\x0b", &f); /* inc %eax; mov %cs, %eax; ud2 */
    CHECK_EQ("#UD from 32-bit code", f.vector, 6);
    CHECK_EQ("its cs", f.regs.cs & 0xffff, 0xe023);
    CHECK_EQ("its rip", f.regs.rip, LOW_CODE + 3);
    CHECK_EQ("eax", f.regs.rax & 0xffff, 0xe023);
    RUN32("\xb8\x77\x00\x00\x00\xcd\x80", &f);
    CHECK_EQ("INT 80 from 32-bit code", f.vector, PV_TRAP_INT80);
    CHECK_EQ("its eax", f.regs.rax, 0x77);
    RUN32("\xf4", &f);
    CHECK_EQ("HLT from 32-bit code", f.vector, 13);
    RUN32("\x0f\x34", &f);
    CHECK("SYSENTER is no way in", f.vector == 13 || f.vector == 6);
    if (!pv_callback_op(CALLBACKOP_register, &cb)) {
        RUN32("\x90\x0f\x05", &f);
        CHECK_EQ("SYSCALL from 32-bit code", f.vector, PV_TRAP_SYSCALL);
        CHECK_EQ("its rip", f.regs.rip, LOW_CODE + 3);
        CHECK_EQ("its rsp", f.regs.rsp, LOW_CODE + PAGE_SIZE);
        CHECK_EQ("its cs", f.regs.cs & 0xffff, 0xe023);
    }
}

static volatile unsigned ticks;
static uint64_t *user_flag;

static void on_timer(unsigned port)
{
    (void)port;
    ticks++;
    *user_flag = 1;
}

static void check_upcall(void)
{
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = 1};
    long port = pv_event_bind_virq(VIRQ_TIMER);
    struct pv_regs r = {.rdi = PV_USER_STACK - 64};
    struct pv_fault f;

    user_flag = (uint64_t *)(PV_USER_STACK - 64);
    CHECK("timer", port > 0);
    pv_event_set(port, on_timer);
    pv_event_unmask(port);
    pv_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer);
    RUN(u_spin, &r, &f);
    CHECK_EQ("user mode went on after the upcall", f.vector, 6);
    CHECK("upcall interrupted user mode", ticks > 0);
    pv_event_close(port);
}

void test_user(void)
{
    struct pv_fault f;

    CHECK("low page", pv_make_l1(LOW_CODE) != NULL);
    CHECK_OK("low page",
             pv_update_va_mapping(LOW_CODE, pv_pte(pv_va_to_mfn(pv_page_alloc()), PTE_KERNEL),
                                  UVMF_INVLPG));
    CHECK_OK("second root", pv_user_init());
    check_syscall();
    check_exceptions();
    check_bases();
    check_compatibility_mode();
    check_upcall();
    CHECK_OK("user root taken away", pv_ext_mfn(MMUEXT_NEW_USER_BASEPTR, 0));
    PV_TRY(&f) __asm__ volatile("ud2");
    CHECK_EQ("kernel mode does not care", f.vector, 6);
}
