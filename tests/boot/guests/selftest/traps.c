/* SPDX-License-Identifier: MIT */
/* Exceptions from kernel mode: frames to the byte, error codes, gates, flags, and the way back. */
#include "selftest.h"
#include "raw.h"

#define RFLAGS_CF 0x1
#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200
#define RFLAGS_DF 0x400
#define RFLAGS_NT 0x4000
#define RFLAGS_AC 0x40000

void raw_install(unsigned vector, unsigned gate_flags)
{
    struct trap_info t[2] = {
        {.vector = vector, .flags = gate_flags, .cs = PV_CS64, .address = (uint64_t)raw_entry}};

    raw_continue = pv_trap_stubs[vector];
    CHECK_OK("set_trap_table", pv_set_trap_table(t));
}

/* #UD with known registers; the stack is off by 8 so that alignment shows. */
static void ud_with(uint64_t rcx, uint64_t r11, struct pv_fault *f)
{
    PV_TRY(f)
    __asm__ volatile("and $-16, %%rsp; sub $8, %%rsp; mov %0, %%rcx; mov %1, %%r11; ud2" ::"a"(rcx),
                     "d"(r11)
                     : "rcx", "r11", "memory");
}

static void check_frame(bool masked)
{
    struct pv_fault f;

    if (masked)
        pv_events_off();
    else
        pv_events_on();
    ud_with(0x1122334455667788, 0x99aabbccddeeff00, &f);
    pv_events_off();
    CHECK_EQ("vector", f.vector, 6);
    CHECK_EQ("frame: rcx", raw_frame[0], 0x1122334455667788);
    CHECK_EQ("frame: r11", raw_frame[1], 0x99aabbccddeeff00);
    CHECK_EQ("frame: rip", *(uint16_t *)raw_frame[2], 0x0b0f);
    CHECK_EQ("frame: cs, RPL 0, old mask above", raw_frame[3],
             PV_KERNEL_CS | (uint64_t)masked << 32);
    CHECK_EQ("frame: IF is the mask", raw_frame[4] & RFLAGS_IF, masked ? 0 : RFLAGS_IF);
    CHECK_EQ("frame: IOPL", raw_frame[4] & 0x3000, 0);
    CHECK_EQ("frame: ss", raw_frame[6], PV_SS);
    CHECK_EQ("frame begins below the aligned stack", raw_rsp, (raw_frame[5] & ~15ul) - 56);
    CHECK_EQ("stack was off by 8", raw_frame[5] & 15, 8);
    CHECK_EQ("handler's cs", raw_cs, PV_CS64);
    CHECK_EQ("handler's ss", raw_ss, PV_SS);
    CHECK_EQ("interrupt gate masks", raw_mask, 1);
    CHECK_EQ("handler runs with real IF on", raw_flags & RFLAGS_IF, RFLAGS_IF);
}

static void check_gates(void)
{
    struct pv_fault f;

    raw_install(6, 4);
    check_frame(false);
    check_frame(true);
    raw_install(6, 0);
    pv_events_on();
    ud_with(1, 2, &f);
    pv_events_off();
    CHECK_EQ("trap gate leaves the mask", raw_mask, 0);
    PV_TRY(&f)
    __asm__ volatile(
        "pushfq; orq %0, (%%rsp); popfq; ud2" ::"r"((uint64_t)(RFLAGS_NT | RFLAGS_AC | RFLAGS_DF))
        : "memory", "cc");
    CHECK_EQ("handler: TF, NT, AC clear", raw_flags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC), 0);
    CHECK_EQ("frame keeps NT, AC, DF", raw_frame[4] & (RFLAGS_NT | RFLAGS_AC | RFLAGS_DF),
             RFLAGS_NT | RFLAGS_AC | RFLAGS_DF);
    raw_install(14, 4);
    PV_TRY(&f) __asm__ volatile("mov $0x5a5a, %%ecx; movb $0, 0x1000" ::: "rcx", "memory");
    CHECK_EQ("frame with error code: rcx", raw_frame[0], 0x5a5a);
    CHECK_EQ("frame with error code: code", raw_frame[2], 2);
    CHECK_EQ("frame with error code: cs", raw_frame[4] & 0xffff, PV_KERNEL_CS);
    CHECK_EQ("frame with error code: place", raw_rsp, (raw_frame[6] & ~15ul) - 64);
    pv_trap_init();
}

static uint64_t saw_db_rip;
static void on_debug(struct pv_regs *r)
{
    saw_db_rip = r->rip;
    r->rflags &= ~(uint64_t)RFLAGS_TF;
}

static uint64_t saw_bp_rip;
static void on_breakpoint(struct pv_regs *r)
{
    saw_bp_rip = r->rip;
}

static void check_vectors(void)
{
    struct pv_fault f;
    uint64_t after;

    PV_TRY(&f)
    __asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" ::"a"(1) : "rcx", "rdx", "cc");
    CHECK_EQ("divide error", f.vector, 0);
    PV_TRY(&f) __asm__ volatile("int $0x20");
    CHECK_EQ("INT n without a gate: #GP", f.vector, 13);
    CHECK_EQ("INT n: error code is the IDT's", f.regs.error & 7,
             2); /* QEMU 7.2 doubles the index */
    CHECK_EQ("INT n: rip at the instruction", *(uint16_t *)f.regs.rip, 0x20cd);
    PV_TRY(&f) __asm__ volatile("int $6");
    CHECK_EQ("INT 6: its gate is not for software", f.vector, 13);
    PV_TRY(&f) __asm__ volatile("int $0x80");
    CHECK_EQ("INT 80", f.vector, PV_TRAP_INT80);
    CHECK_EQ("INT 80: rip after the instruction", *(uint16_t *)(f.regs.rip - 2), 0x80cd);
    PV_TRY(&f) * (volatile char *)0x0000800000000000ul;
    CHECK_EQ("non-canonical access: #GP", f.vector, 13);
    CHECK_EQ("its error code", f.regs.error, 0);
    pv_trap_set(3, on_breakpoint);
    __asm__ volatile("lea 1f(%%rip), %0; int3; 1:" : "=r"(after)::"memory");
    CHECK_EQ("INT3 continues after it", saw_bp_rip, after);
    pv_trap_set(3, NULL);
    pv_trap_set(1, on_debug);
    __asm__ volatile("lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq; nop; 1: nop"
                     : "=r"(after)::"memory", "cc");
    CHECK_EQ("single step", saw_db_rip, after);
    pv_trap_set(1, NULL);
    pv_fpu_taskswitch(true);
    PV_TRY(&f) __asm__ volatile("fninit");
    CHECK_EQ("TS: #NM", f.vector, 7);
    pv_fpu_taskswitch(false);
    PV_TRY(&f) __asm__ volatile("fninit");
    CHECK_EQ("TS off", f.vector, -1);
}

/* A step over an instruction that the hypervisor carries out ends behind it, too. */
static void check_emulated_steps(void)
{
    uint64_t after, nr = __HYPERVISOR_xen_version;

    pv_trap_set(1, on_debug);
    pv_set_debugreg(6, 0);
    saw_db_rip = 0;
    __asm__ volatile("lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq; rdmsr; 1: nop"
                     : "=&r"(after)
                     : "c"(0x277)
                     : "rax", "rdx", "memory", "cc");
    CHECK_EQ("step over RDMSR", saw_db_rip, after);
    CHECK_EQ("DR6 says it was a step", pv_get_debugreg(6) & 0x400f, 0x4000);
    saw_db_rip = 0;
    __asm__ volatile("xor %%eax, %%eax; lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq; "
                     "ud2; .ascii \"xen\"; cpuid; 1: nop"
                     : "=&r"(after)::"rax", "rbx", "rcx", "rdx", "memory", "cc");
    CHECK_EQ("step over the forced CPUID", saw_db_rip, after);
    saw_db_rip = 0;
    __asm__ volatile("lea 1f(%%rip), %0; pushfq; orq $0x100, (%%rsp); popfq; syscall; 1: nop"
                     : "=&r"(after), "+a"(nr)
                     : "D"(0), "S"(0)
                     : "rcx", "r11", "memory", "cc");
    CHECK("step over a hypercall ends at once or behind the next", saw_db_rip - after <= 1);
    pv_trap_set(1, NULL);
}

/* Whatever the vector, INT n has no error code. */
static void check_software_interrupt(void)
{
    struct pv_fault f;

    if (selftest_on_xen) /* takes the vector from the #GP's error code, which QEMU 7.2 gets wrong */
        return;
    raw_install(14, 4 | 3);
    raw_continue = pv_trap_stubs[6];
    PV_TRY(&f) __asm__ volatile("mov $0x1414, %%ecx; int $14" ::: "rcx", "memory");
    CHECK_EQ("INT 14 with an open gate: rcx", raw_frame[0], 0x1414);
    CHECK_EQ("INT 14: no error code, rip behind it", *(uint16_t *)(raw_frame[2] - 2), 0x0ecd);
    CHECK_EQ("INT 14: cs", raw_frame[3] & 0xffff, PV_KERNEL_CS);
    pv_trap_init();
}

static void check_page_faults(void)
{
    uint64_t *l1 = selftest_area(2), value;
    struct pv_fault f;

    PV_TRY(&f) * (volatile char *)0x123456;
    CHECK_EQ("read of nothing: vector", f.vector, 14);
    CHECK_EQ("read of nothing: code", f.regs.error, 0);
    CHECK_EQ("read of nothing: cr2", f.cr2, 0x123456);
    PV_TRY(&f) * (volatile char *)0x7654321 = 1;
    CHECK_EQ("write to nothing: code", f.regs.error, 2);
    CHECK_EQ("write to nothing: cr2", f.cr2, 0x7654321);
    CHECK_OK(
        "read-only page",
        pv_update_va_mapping(AREA_VA, pv_pte(selftest_area_mfn(0), PTE_KERNEL_RO), UVMF_INVLPG));
    PV_TRY(&f) * (volatile char *)(AREA_VA + 5) = 1;
    CHECK_EQ("write to a read-only page: code", f.regs.error, 3);
    CHECK_EQ("write to a read-only page: cr2", f.cr2, AREA_VA + 5);
    CHECK_OK("no-execute page",
             pv_update_va_mapping(AREA_VA, pv_pte(selftest_area_mfn(0), PTE_KERNEL | PTE_NX),
                                  UVMF_INVLPG));
    PV_TRY(&f) __asm__ volatile("call *%0" ::"r"(AREA_VA) : "memory");
    CHECK_EQ("fetch from a no-execute page: code", f.regs.error, 0x11);
    PV_TRY(&f) * (volatile char *)0xffff830000000010ul;
    CHECK_EQ("hypervisor's memory: vector", f.vector, 14);
    CHECK_EQ("hypervisor's memory: user bit clear", f.regs.error & 4, 0);
    CHECK_EQ("spurious read is no fault", pv_try_read(AREA_VA, &value), -1);
    CHECK("accessed bit set by the CPU", l1[0] & PTE_A);
}

static void check_iret(void)
{
    static uint8_t stack[512] pv_aligned(16);
    struct pv_regs r = {.cs = PV_KERNEL_CS, .ss = PV_SS, .rsp = (uint64_t)stack + 512};
    struct pv_fault f;

    r.rax = 0xa;
    r.rcx = 0xc;
    r.r11 = 0x11;
    r.rdx = 0xd;
    r.r15 = 0xf;
    r.rflags = RFLAGS_CF | RFLAGS_IF | RFLAGS_DF | 0x3002;
    __asm__("lea 1f(%%rip), %0; jmp 2f; 1: ud2; 2:" : "=r"(r.rip));
    PV_TRY(&f) pv_resume(&r);
    pv_events_off();
    CHECK_EQ("iret to kernel mode", f.regs.rip, r.rip);
    CHECK("rax, rcx, r11 restored", f.regs.rax == 0xa && f.regs.rcx == 0xc && f.regs.r11 == 0x11);
    CHECK("others untouched", f.regs.rdx == 0xd && f.regs.r15 == 0xf);
    CHECK_EQ("rsp restored", f.regs.rsp, r.rsp);
    CHECK_EQ("flags restored, IOPL 0", f.regs.rflags & (RFLAGS_CF | RFLAGS_IF | RFLAGS_DF | 0x3000),
             RFLAGS_CF | RFLAGS_IF | RFLAGS_DF);
    CHECK_EQ("still kernel mode", f.regs.cs & 0xffff, PV_KERNEL_CS);
    r.rflags = 2;
    PV_TRY(&f) pv_resume(&r);
    CHECK_EQ("IF clear masks events", f.regs.cs >> 32 & 1, 1);
    pv_events_off();
}

static void check_failsafe(void)
{
    struct pv_regs r = {.cs = 0x1230, .ss = PV_SS, .rflags = 0x202, .rip = PV_VIRT_BASE};
    struct pv_fault f;
    uint8_t on_stack[64];

    r.rsp = (uint64_t)(on_stack + 64);
    PV_TRY(&f) pv_resume(&r);
    pv_events_off();
    CHECK("iret to a selector that is not there comes back",
          f.vector == 13 || f.vector == PV_TRAP_FAILSAFE);
    CHECK_EQ("selectors in the failsafe frame", pv_failsafe_selectors[0] | pv_failsafe_selectors[1],
             0);
}

void test_traps(void)
{
    check_gates();
    check_vectors();
    check_emulated_steps();
    check_software_interrupt();
    check_page_faults();
    check_iret();
    check_failsafe();
}
